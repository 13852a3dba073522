"""The stages ``draft``, ``tone``, ``fact`` and ``qa``: a reply, judged and revised."""
