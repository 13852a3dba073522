"""The new path run again over recorded facts, in a process that cannot publish.

``python -m swarm.shadow.replay`` is that process: no hook in its environment, nothing in its import
graph that could post a draft or move a publication, a database role of its own. ``launch`` starts
it, and sees to it that one poisonous work order costs nobody else his result.
"""
