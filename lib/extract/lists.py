"""The short lists, which are read whole, and what was deleted since the first reading began."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lib.errors import NotFoundError, RejectedError, UnauthorizedError
from lib.extract.drift import check_shape
from lib.extract.files import key_of
from lib.extract.walk import Extract
from lib.extract.windows import DAY, earliest, oldest_first, whole, window
from lib.lever import Lever, Query
from lib.store import now_ms
from lib.store.looks import hash_of

Found = TypeVar("Found")
COUNTS = ("sources", "tags")  # lists of words in use: one that is not listed any more is not in use any more
MONTH = 30 * DAY  # as far apart as the bounds of two of the deleted lists may be (reported by two clients)


def account_lists(confidentiality: str) -> list[tuple[str, str, Query]]:
    """(stream, path, query) of the lists that are read whole; each in the form that hides nothing."""
    hidden: Query = [("confidentiality", confidentiality)] if confidentiality else []
    channels: Query = [("distributionChannel", "public"), ("distributionChannel", "internal")]
    return [
        ("users", "/users", [("includeDeactivated", "true")]),
        ("stages", "/stages", []),
        ("archive_reasons", "/archive_reasons", []),
        ("sources", "/sources", []),
        ("tags", "/tags", []),
        ("postings", "/postings", hidden),
        ("postings", "/postings", hidden + channels),  # published on the internal site only (its reference, a note)
        ("requisitions", "/requisitions", hidden),
        ("requisition_fields", "/requisition_fields", []),
        ("feedback_templates", "/feedback_templates", []),
        ("form_templates", "/form_templates", []),
    ]


def confidential_too(ask: Callable[[Query], Found], confidentiality: str) -> Found:
    """What `ask` finds in a deleted list when confidential objects are asked for, too; without that if it is refused.

    Lever's reference says of the lists themselves that they hide such objects unless asked; of the deleted ones it
    names neither the parameter nor what they hide (not documented, not observed).
    """
    if confidentiality:
        try:
            return ask([("confidentiality", confidentiality)])
        except (RejectedError, UnauthorizedError) as error:
            if error.status == 401:
                raise
    return ask([])


def deleted_since(lever: Lever, path: str, since: int, until: int, hidden: Query) -> list[dict[str, Any]]:
    """What the deleted list at `path` holds between two moments, in as many calls as its rule on bounds takes."""
    found: list[dict[str, Any]] = []
    while since <= until:
        end = min(since + MONTH, until)
        found += lever.items(path, hidden + window("deleted_at", since, end))
        since = end + 1
    return found


def short_lists(walk: Extract) -> int:
    """Read all short lists, each one commit; returns the server's clock before the first of them.

    What they do not show any more is kept, and named: records of candidates may still speak of it.
    """
    started = 0
    listed: dict[str, set[str]] = {}
    lists = account_lists(walk.confidentiality)
    for number, (stream, path, query) in enumerate(lists):
        walk.progress(number, len(lists), f"reading {stream}")
        items, server_ms = whole(walk.lever, path, query)
        started = earliest(started, server_ms)
        keep(walk, stream, items)
        listed.setdefault(stream, set()).update(map(key_of, items))
    _keep_ranks(walk)
    lacking = {stream: sorted(walk.store.head_shas(stream).keys() - keys) for stream, keys in listed.items()}
    rows = [{"stream": name, "lever_id": one, "opportunity": ""} for name, ids in lacking.items() for one in ids]
    walk.store.put_results("extract", "unlisted_lists", rows)
    return started or now_ms()


def _keep_ranks(walk: Extract) -> None:
    """Keep which stage belongs to which part of the pipeline; not every account has that list (recorded 2026)."""
    try:
        ranks = walk.lever.one("/disposition_stages")
    except NotFoundError:
        return
    check_shape("disposition_stages", [ranks])
    with walk.store.begin() as tx:
        walk.store.put_raw(tx, "disposition_stages", [("disposition_stages", "", ranks)])


def keep(walk: Extract, stream: str, items: list[dict[str, Any]]) -> int:
    """Keep what a list showed, in one commit; how many objects were new or changed."""
    check_shape(stream, items)
    parent = "" if stream in COUNTS else None
    former = _renamed(walk, items) if stream == "users" else []
    with walk.store.begin() as tx:
        if former:
            walk.store.put_raw(tx, "users_former", former)
        return walk.store.put_raw(
            tx, stream, ((key_of(item), "", item) for item in oldest_first(items)), whole_parent=parent
        )


def _renamed(walk: Extract, users: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, Any]]]:
    """Rows of users that have another name or address than when they were read last, as they were called then.

    They stand in the stream `users_former`: a note that was loaded before names them so, and is still the same note.
    """
    before = {item["id"]: item for item in walk.store.all("users")}
    found = []
    for item in users:
        was = before.get(item["id"], item)
        called = {name: was.get(name) for name in ("id", "name", "email")}
        if called != {name: item.get(name) for name in called}:
            found.append((f"{item['id']}@{hash_of(called)[:16]}", item["id"], called))
    return found
