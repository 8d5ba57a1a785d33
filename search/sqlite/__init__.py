"""The embedded index: one SQLite database in WAL mode, from the standard library."""

from search.sqlite.adapter import SqliteIndex, open_sqlite, renew_sqlite

__all__ = ["SqliteIndex", "open_sqlite", "renew_sqlite"]
