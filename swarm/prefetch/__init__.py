"""Thinking ahead: the model's answers are on record before the run begins that will ask for them.

A run holds a worker while a model thinks; a prefetcher waits for forty-eight in one process. It
takes work orders that are due (``claims``), a few of them at a time (``seats``), drives the stages
up to the reviews over a store that writes nothing (``ahead_store``, ``thinking``), and so has each
question asked and its answer in the ledger of model calls. The run asks the same questions, word
for word, and finds them answered.

It decides nothing: it holds no fence, writes no artifact, no verdict and no event, and publishes
nothing. Without it, or beside one that died, everything goes as it would anyway, only slower. What
lives elsewhere: when a run is requested (``swarm.store.postgres_queue``), asking and paying
(``swarm.specialists.model_calls``).
"""
