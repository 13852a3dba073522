"""The schema as migrations, the store that runs write through, and the queue; each once on Postgres
and once in memory, behind one contract suite. The publication ledger and intake keep their own SQL.
"""
