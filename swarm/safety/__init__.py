"""The safety rules ES-xx and their detectors: pure functions that return reasons.

Start reading at ``ruleset.py`` (what is asked where) and ``case.py`` (what a rule may look at).
Nothing here does I/O but load its own lexicons; who asks the rules, stores the verdicts and refuses
to publish lives in ``swarm.stages``, ``swarm.store`` and ``swarm.publishing``. See README.md.
"""
