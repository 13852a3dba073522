"""From the intake stream to work orders (``stream``), and from a mail's body to what its sender
wrote (``mail``). The writers of the stream live in ``swarm.legacy``; they share a JSON Schema with
us, no code.
"""
