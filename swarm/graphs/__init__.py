"""LangGraph where the work is not a line: the enrichment fan-out and the reply loop.

Importing a module of this package imports langgraph (about a second), so the stages import them
only when they run. Nodes exchange plain JSON; nouns exist at node edges; clients come as run
context."""
