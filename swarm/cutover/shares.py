"""Percentages, in the one place where counts become them."""


def share(part: float, whole: float) -> float:
    """Return part of whole, 0 to 1; 0 of nothing."""
    return part / whole if whole else 0.0


def percent(part: float, whole: float) -> str:
    """Return e.g. ``97.5 %``; of nothing there is no percentage."""
    return f"{100 * share(part, whole):.1f} %" if whole else "no percentage of nothing"


def in_percent(value: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * value:.1f} %"
