"""Detectors of escalation classes: lexicons of phrases and the decision what cannot be judged."""

from swarm.safety.detectors.detection import Detection, detect

__all__ = ["Detection", "detect"]
