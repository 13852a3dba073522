"""Resources: thin wrappers that hand out the plain objects of ``swarm``, and what a run holds.

Assets and sensors see the protocols of ``swarm`` only; a test hands in its own object under the
same name (``build_definitions(outlook=...)``). No secret is a resource field, so none shows in the
UI.
"""
