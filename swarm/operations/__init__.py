"""What keeps the system honest while it runs: audit of the promises, dossier, status, metrics,
alerts, retention, erasure. Everything here reads the tables; nothing here moves a work order.
"""
