"""The stages of a work order, one module and one public function each: nouns in, an artifact out.

What lives here: what a stage does. What does not: when it runs (Dagster or ``chain``), who thinks
(``swarm.specialists``), the rules (``swarm.safety``) and the graphs (``swarm.graphs``).
"""
