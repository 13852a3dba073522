"""Reading ``work_orders.jsonl`` without loss or doubles.

``bookmarks`` says which file continues which, ``lines`` reads complete ones, ``line`` says what one
means, ``rows`` is the SQL, ``tick`` does one transaction of it; ``replay`` reads again and
``completeness`` counts. What lives elsewhere: the mail's body (``swarm.intake.mail``).
"""
