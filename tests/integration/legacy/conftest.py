"""An empty ledger and a postbox over real HTTP for every test."""

from publishing_fixtures import database, ledger_url, postbox, world

__all__ = ["database", "ledger_url", "postbox", "world"]
