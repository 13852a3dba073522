"""Legacy's own files of before, taken in as inputs of a replay and as nothing else.

``mapping`` says where their fields stand, ``lines`` what a line means, ``importing`` reads files of
any length into our tables. Imported history never becomes a live job, draft, alert or escalation;
what was erased is refused for ever; an erasure finds it (``swarm.lifecycle``).
"""
