"""The ES rules as pure functions ``(Case) -> tuple[Reason, ...]``; registered in ``ruleset.py``.

One file a concern. Empty means allowed; a noun that is missing is a reason. A withheld draft has
nothing to judge: rules about the draft's text stay silent, and ``verdicts`` never passes it.
"""
