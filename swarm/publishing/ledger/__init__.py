"""The publication ledger: one row per work order for ever, and everything that may happen to it.

``enqueue`` inserts rows, ``transitions`` holds every UPDATE of one, ``claim`` decides who may write
the intent to post, ``endings`` lets the work order and its alerts follow. No HTTP in here.
"""
