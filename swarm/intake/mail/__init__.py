"""A mail's body as a person would read it: pure, no I/O, linear time on hostile input.

``clean`` puts the steps together. What lives elsewhere: what the text means (``swarm.safety``).
"""
