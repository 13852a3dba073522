"""Who does the thinking behind a stage: ``rules`` (offline), ``llm`` (a chat model), ``legacy``
(today's stages).

All stand behind ``protocol.Specialist``; ``select`` picks one. A specialist holds no client, no
tool and no right to write; what it says is advice that code checks."""
