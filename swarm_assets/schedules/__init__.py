"""When things are asked for by the clock. What is asked for lives in ``swarm_assets.assets``."""
