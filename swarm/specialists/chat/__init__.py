"""One question to a chat model over the wire, whatever it can do: ``ladder`` (how it can be asked),
``endpoint`` (asking), ``deadline`` (for how long), ``reading`` (what came back), ``failures`` (why
nothing did). Nothing here knows work orders, money or what an answer means.
"""
