"""The dossier of one work order: where is it, why, what next, and everything that led there."""
