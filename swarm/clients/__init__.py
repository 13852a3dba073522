"""The three services as the pipeline sees them: Outlook, monday.com and the Zapier Catch Hook.

Each client speaks plain HTTP through httpx and answers with nouns of ``swarm.models``; the promises
stand in ``protocol``. Retries, error mapping and silence about URLs live once, in ``patience``,
``http_failures`` and ``quiet``. Nothing here can send a mail: no such endpoint is ever named.
"""
