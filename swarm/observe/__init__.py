"""Seeing what the system does: status, metrics, the dossier of a work order, the audit.

Everything here reads; nothing here moves a work order or writes a row.
"""
