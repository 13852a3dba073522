"""Text of attached files: what is read, how much of it, and in which process.

``reading`` decides and bounds; ``child`` is the program that opens a foreign file and may die of
it. What follows from the text, or from its absence, is decided elsewhere (``swarm.safety``).
"""
