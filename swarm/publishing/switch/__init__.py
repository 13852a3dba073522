"""The publisher switch: legacy's lease, and the commands by which people change who publishes.

What lives elsewhere: the control row and its lock (``swarm.publishing.control``), the rows that are
handed over (``ledger.transitions``).
"""
