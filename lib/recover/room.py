"""Make room for a new store, where the old one is damaged or is to be made anew. Nothing is deleted."""

from __future__ import annotations

from pathlib import Path

from lib.errors import ConfigError, StoreError
from lib.store import open_store
from lib.store.damage import condition, set_aside


def make_room(folder: Path, store_url: str, *, anew: bool) -> str:
    """Set the store of this folder aside when it is damaged, or with `anew`; says what was done, "" when nothing."""
    if store_url:
        if anew:
            raise ConfigError("A database on a server is not set aside by us.", hint="Drop the customer's schema.")
        return ""
    wrong = condition(folder)
    if wrong in ("absent", "empty") or not (wrong or anew):
        return ""
    if not wrong:
        store = open_store(folder)
        holder = store.holder()
        store.close()
        if holder:
            told = f"Somebody is working on {folder.name}: {holder}."
            raise StoreError(told, hint="Wait for it, or end that process.")
    place = set_aside(folder)
    return f"The store {f'is {wrong}' if wrong else 'was whole'}; it is now in runs/{folder.name}/{place.name}."
