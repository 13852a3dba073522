"""Sensors: read, decide, one result. Each decision is a pure function with a name of its own.

A failed read says "could not read" and is never taken for an empty one. What sensors may not do:
hold state (the cursor is an echo for people), carry mail text, or be needed for a promise.
"""
