"""The eleven stage outputs of a work order as assets, their checks, and what people are shown."""
