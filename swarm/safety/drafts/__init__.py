"""The one inspection of every draft, whoever wrote it: rules, model, legacy, a person's release.

Pure functions over bytes, one idea a file; each yields findings, sentences for people that never
quote the draft. The rules in ``swarm.safety.rules`` ask them, so that reply loop, policy and claim
all heed the same. Whether what is said is *true* is asked in ``rules.claims``, not here.
"""
