"""Beside production: what legacy decided, what the new path decides over the same inputs, and what
a person really did, set side by side per work order. Nothing in this room can publish.

What lives elsewhere: what the comparisons prove (``swarm.cutover``).
"""
