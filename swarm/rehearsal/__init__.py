"""The whole journey on the sandbox, for people before they dare it: shadow, proof, cutover, fault,
way back. Everything is done by the public commands and the UI's own requests.

What lives elsewhere: everything that is rehearsed.
"""
