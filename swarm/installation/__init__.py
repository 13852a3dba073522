"""One installation as every command finds it: its files, its environment, how it is fed.

What lives elsewhere: starting and stopping its processes (``swarm.up``).
"""
