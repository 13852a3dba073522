"""The monday.com double: a small SDL, boards in SQLite, limits and the three shapes of errors."""
