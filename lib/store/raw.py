"""Raw answers as the store keeps them: append-only versions, and heads that say which one is the newest.

A write asks what is known with one or two statements and adds what is new with two or three, however many objects it
brings: the number of statements is what the store costs while Lever is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from lib.store import tables as t

BATCH = 500
Key = tuple[str, str]  # stream, Lever id
_KNOWN = select(t.heads.c.stream, t.heads.c.lever_id, t.heads.c.sha256, t.heads.c.parent_id)
_CHILDREN = _KNOWN.where(
    t.heads.c.stream.in_(bindparam("streams", expanding=True)), t.heads.c.parent_id == bindparam("parent")
)
_NAMED = _KNOWN.where(
    t.heads.c.stream == bindparam("stream"), t.heads.c.lever_id.in_(bindparam("keys", expanding=True))
)
_ADDED = insert(t.raw).returning(t.raw.c.raw_id, t.raw.c.stream, t.raw.c.lever_id)
_MOVED = (
    update(t.heads)
    .where(t.heads.c.stream == bindparam("of_stream"), t.heads.c.lever_id == bindparam("of_key"))
    .values({name: bindparam(name) for name in ("parent_id", "raw_id", "sha256", "gone")})
)


class Version(NamedTuple):
    """One object as received: what it hangs on, its body as JSON text (None: seen to be gone), the body's SHA-256."""

    parent: str
    text: str | None
    sha: str


def write(
    connection: Connection, rows: Mapping[Key, Version], *, at_ms: int, whole: tuple[str, Sequence[str]] | None = None
) -> int:
    """Append what is new or changed of `rows`; returns how many objects were.

    With `whole` = (parent, streams) the rows are all that the parent has in these streams: what lacks is marked gone.
    """
    known = _children(connection, *whole) if whole else {}
    known |= _named(connection, [key for key in rows if key not in known])
    changed = {key: row for key, row in rows.items() if known.get(key) != (row.sha, row.parent)}
    if whole:
        changed |= {key: Version(whole[0], None, "") for key, (sha, _) in known.items() if sha and key not in rows}
    if changed:
        _append(connection, changed, known, at_ms)
    return len(changed)


def _children(connection: Connection, parent: str, streams: Sequence[str]) -> dict[Key, tuple[str, str]]:
    found = connection.execute(_CHILDREN, {"parent": parent, "streams": list(streams)})
    return {(stream, key): (sha, owner) for stream, key, sha, owner in found}


def _named(connection: Connection, keys: Iterable[Key]) -> dict[Key, tuple[str, str]]:
    """{key: (sha256, parent)} of those that were received before."""
    by_stream: dict[str, list[str]] = {}
    for stream, lever_id in keys:
        by_stream.setdefault(stream, []).append(lever_id)
    found: dict[Key, tuple[str, str]] = {}
    for stream, ids in by_stream.items():
        for start in range(0, len(ids), BATCH):
            known = connection.execute(_NAMED, {"stream": stream, "keys": ids[start : start + BATCH]})
            found |= {(name, key): (sha, owner) for name, key, sha, owner in known}
    return found


def _append(connection: Connection, changed: Mapping[Key, Version], known: Mapping[Key, Any], at_ms: int) -> None:
    """New versions, and heads that point to them."""
    entries = [
        {"stream": stream, "lever_id": key, "parent_id": row.parent, "sha256": row.sha, "fetched_ms": at_ms,
         "body": row.text}
        for (stream, key), row in changed.items()
    ]  # fmt: skip
    ids = {(stream, key): raw_id for raw_id, stream, key in connection.execute(_ADDED, entries)}
    heads = [
        {"stream": stream, "lever_id": key, "parent_id": row.parent, "raw_id": ids[stream, key], "sha256": row.sha,
         "gone": int(row.text is None)}
        for (stream, key), row in changed.items()
    ]  # fmt: skip
    fresh = [head for head in heads if (head["stream"], head["lever_id"]) not in known]
    moved = [head for head in heads if (head["stream"], head["lever_id"]) in known]
    if fresh:
        connection.execute(insert(t.heads), fresh)
    if moved:
        names = {"stream": "of_stream", "lever_id": "of_key"}
        connection.execute(_MOVED, [{names.get(name, name): value for name, value in head.items()} for head in moved])
