"""How much room a store takes: its database and its files."""

from __future__ import annotations

from sqlalchemy import text

from lib.store import Store


def database_bytes(store: Store) -> int:
    """Bytes of the database, with what its write-ahead log holds."""
    with store.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            size = connection.execute(text("pragma page_size")).scalar_one()
            return int(size) * int(connection.execute(text("pragma page_count")).scalar_one())
        return int(connection.execute(text("select pg_database_size(current_database())")).scalar_one())


def file_bytes(store: Store) -> int:
    """Bytes of all files that are here, each as often as Lever has it."""
    return sum(row.size or 0 for row in store.files() if row.state == "stored")
