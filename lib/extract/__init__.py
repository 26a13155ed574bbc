"""Step 2: every answer of Lever, kept as received; safe to stop and to run again at any moment.

The walk: short lists; opportunities in `created_at` windows (createdAt never changes and is never null); each
opportunity's child lists and file bytes, one commit per opportunity; passes by `updated_at` until one is quiet; the
deleted list; with `reread`, all opportunities are listed once more and compared. Lever orders its list by stage and
last advance (observed), so a plain listing loses candidates who move while it runs; windows plus passes do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

from lib import contract
from lib.errors import ContractError, NotFoundError, UnavailableError, WorkbookError
from lib.extract import unlisted
from lib.extract.drift import broken, plain_id
from lib.extract.files import fetch, keep_file, storable, wanted_files, without_bytes
from lib.extract.lists import DAY, FIRST, account_lists, deleted_since, next_window, window
from lib.extract.reports import lively, report_absent, report_ages, report_drift, report_gone, report_unlisted
from lib.lever import Lever, OffsetExpiredError, Query
from lib.pool import run_all
from lib.store import Store, now_ms

Progress = Callable[[int, int | None, str], None]
RECENT = 90 * DAY  # what was archived so lately is read again together with what is active: offers get signed later
OVERLAP = 600_000  # updatedAt was seen 90 s behind (observed): passes overlap by ten minutes
MAX_PASSES = 20
EXPAND: Query = [("expand", "applications"), ("expand", "contact")]
CHILDREN = ("notes", "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals")
COUNTS = ("sources", "tags")  # lists of words in use: one that is not listed any more is not in use any more
UNLIMITED = ("resumes", "files")  # known clients send no `limit` on these two, so neither do we


@dataclass(frozen=True, slots=True)
class Extract:
    """What the walk needs: the store, the client, how confidential data is asked for, how many workers."""

    store: Store
    lever: Lever
    confidentiality: str = "all"
    workers: int = 8
    reread: bool | str = False  # child lists that are read again: not every change moves updatedAt
    may_shrink: bool = False  # somebody has said that so many opportunities were really deleted
    progress: Progress = lambda done, total, note: None
    child_lists: tuple[str, ...] = CHILDREN
    file_ms: int = 20 * 3_600_000  # what Lever cannot deliver is asked for again after so long: another occasion


def run(walk: Extract) -> dict[str, int]:
    """Bring the store up to date with Lever; returns {stream: objects now} and the number of calls made."""
    before = walk.lever.transport.n_calls
    for part in (walk.store.folder / "files").glob(".part-*"):  # left by a run that was killed in a download
        part.unlink(missing_ok=True)
    since = walk.store.meta("extract.since")
    started = short_lists(walk)
    if since is None:
        walk.store.put_meta("extract.since", started)
    if walk.store.meta("extract.began") is None:
        walk.store.put_meta("extract.began", since or started)
    opportunities(walk)
    children(walk, again=_again(walk))
    until_quiet(walk)
    deleted(walk)
    dangling_postings(walk)
    if walk.reread:
        listed_again(walk)
    report_ages(walk.store, int(walk.store.meta("extract.since")) - RECENT)
    report_absent(walk.store)
    report_drift(walk.store)
    report_unlisted(walk.store)
    report_gone(walk.store)
    walk.store.put_meta("extract.finished_ms", now_ms())
    streams = sorted(contract.lever_objects())
    return {stream: walk.store.count(stream) for stream in streams} | {"calls": walk.lever.transport.n_calls - before}


# ---- lists -----------------------------------------------------------------------------------------------------
def short_lists(walk: Extract) -> int:
    """Read all short lists, each one commit; returns the server's clock before the first of them."""
    started = 0
    lists = account_lists(walk.confidentiality)
    for number, (stream, path, query) in enumerate(lists):
        walk.progress(number, len(lists), f"reading {stream}")
        items, server_ms = _whole(walk.lever, path, query)
        started = started or server_ms
        _keep(walk, stream, items)
    ranks = walk.lever.one("/disposition_stages")
    check_shape("disposition_stages", [ranks])
    with walk.store.begin() as tx:
        walk.store.put_raw(tx, "disposition_stages", [("disposition_stages", "", ranks)])
    return started or now_ms()


def _whole(lever: Lever, path: str, query: Query) -> tuple[list[dict[str, Any]], int]:
    """A whole list and the server's clock at its first page; a refused page token starts it again."""
    for _ in range(3):
        items: list[dict[str, Any]] = []
        server_ms = 0
        try:
            for page in lever.pages(path, query):
                items += page.items
                server_ms = server_ms or page.server_ms
        except OffsetExpiredError:
            continue
        return items, server_ms
    raise UnavailableError(f"Lever: {path} refused its own page tokens three times.")


def _keep(walk: Extract, stream: str, items: list[dict[str, Any]]) -> int:
    check_shape(stream, items)
    whole = "" if stream in COUNTS else None
    with walk.store.begin() as tx:
        return walk.store.put_raw(
            tx, stream, ((_key(item), "", item) for item in _oldest_first(items)), whole_parent=whole
        )


def _key(item: dict[str, Any]) -> str:
    return storable(str(item.get("id") or item.get("text")))


def check_shape(stream: str, items: list[dict[str, Any]]) -> None:
    """Raise ContractError that names the attribute when an object lacks what we cannot do without, or has it odd."""
    for item in items:
        wrong = broken(stream, item)
        if wrong:
            raise ContractError(
                f"Lever: an object of {stream} (id {plain_id(item)}) has no usable {', '.join(wrong)}.",
                hint="Lever's answers have changed; nothing was guessed. Compare lib/contracts/lever.json.",
            )


# ---- opportunities ---------------------------------------------------------------------------------------------
def opportunities(walk: Extract) -> None:
    """Read all opportunities, newest window first, until the beginning of the account."""
    state = walk.store.meta("extract.windows") or FIRST | {"from": walk.store.meta("extract.since")}
    while not state["done"]:
        start, items = _in_window(walk, state)
        walk.progress(walk.store.count("opportunities"), None, "listing opportunities")
        key = f"created {start or 'begin'}..{state['until'] or 'now'}"
        state = next_window(state, start, len(items))
        with walk.store.begin() as tx:
            walk.store.put_raw(tx, "opportunities", _opportunity_rows(items))
            walk.store.put_window(tx, "opportunities", key, n_rows=len(items))
            walk.store.put_meta("extract.windows", state, connection=tx)


def _in_window(walk: Extract, state: dict[str, Any]) -> tuple[int | None, list[dict[str, Any]]]:
    """(beginning of the next window, the opportunities in it); without a beginning it holds all that is older."""
    start = None if state["empty"] >= 3 else state["from"] - state["width"]
    return start, _listing(walk, window("created_at", start, state["until"]))[0]


def _listing(walk: Extract, query: Query) -> tuple[list[dict[str, Any]], int]:
    hidden: Query = [("confidentiality", walk.confidentiality)] if walk.confidentiality else []
    items, server_ms = _whole(walk.lever, "/opportunities", [*hidden, *EXPAND, *query])
    check_shape("opportunities", items)
    _check_expanded(items)
    return items, server_ms


def _check_expanded(items: list[dict[str, Any]]) -> None:
    """An `expand` that Lever ignored would lose postings and answers without a word: stop instead."""
    for item in items:
        plain = [one for one in item.get("applications") or [] if not isinstance(one, dict)]
        if plain or not isinstance(item["contact"], dict):
            raise ContractError(f"Lever did not expand applications and contact of opportunity {item['id']}.")


def _opportunity_rows(items: list[dict[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    for item in _oldest_first(items):
        yield item["id"], item["contact"]["id"], item


def _oldest_first(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In the order in which they are to be kept: when one id comes with two bodies, the newest one stays."""
    return sorted(items, key=lambda one: one["updatedAt"] if isinstance(one.get("updatedAt"), int) else 0)


# ---- child lists and files -------------------------------------------------------------------------------------
def children(walk: Extract, *, only: list[str] | None = None, again: Set[str] = frozenset()) -> None:
    """Read the child lists of every opportunity (or of `only` some) that is new, has changed, or is in `again`."""
    read = walk.store.windows("children")
    heads = walk.store.head_shas("opportunities")
    if only is not None:
        heads = {lever_id: heads[lever_id] for lever_id in only if lever_id in heads}
    todo = [lever_id for lever_id, sha in heads.items() if read.get(lever_id) != sha or lever_id in again]
    done = len(heads) - len(todo)
    walk.progress(done, len(heads), "reading notes, feedback, forms and files")
    for _ in run_all(todo, partial(_children_of, walk, heads=heads, read=read), workers=walk.workers):
        done += 1
        walk.progress(done, len(heads), walk.lever.transport.pacer.waiting_for)


def _again(walk: Extract) -> set[str]:
    """Opportunities whose child lists are read again although they themselves have not changed.

    `reread`: those that are active, or were archived or changed in the last 90 days; "all": every one.
    """
    ids = without_bytes(walk.store, walk.file_ms)
    if walk.reread:
        since = int(walk.store.meta("extract.since") or 0) - RECENT
        ids |= {item["id"] for item in walk.store.all("opportunities") if walk.reread == "all" or lively(item, since)}
    return ids


def _children_of(walk: Extract, lever_id: str, *, heads: dict[str, str], read: dict[str, str]) -> None:
    """All child lists of one opportunity and the bytes of its files: one commit."""
    try:
        found = {stream: _child_list(walk, lever_id, stream) for stream in walk.child_lists}
    except NotFoundError:
        _vanished(walk, lever_id)
        return
    missed = _missed(walk, lever_id, found) if lever_id in read else {}
    for stream, items in missed.items():
        found[stream] += items
    files = [fetch(walk.store, walk.lever, *one, again_ms=walk.file_ms) for one in wanted_files(lever_id, found)]
    with walk.store.begin() as tx:
        if missed:  # a reading of something that an earlier one has brought
            names = [f"{stream}/{_key(one)}" for stream, items in missed.items() for one in items if not _deleted(one)]
            walk.store.put_window(tx, "unlisted", lever_id, n_rows=len(names), basis=" ".join(names))
        keyed = {stream: [(_key(item), item) for item in _oldest_first(items)] for stream, items in found.items()}
        walk.store.put_children(tx, lever_id, keyed)
        for row in files:
            if row is not None:
                keep_file(walk.store, tx, row)
        n_rows = sum(map(len, found.values()))
        walk.store.put_window(tx, "children", lever_id, n_rows=n_rows, basis=heads[lever_id])


def _deleted(item: dict[str, Any]) -> bool:
    return bool(item.get("deletedAt"))


def _missed(walk: Extract, lever_id: str, found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """{stream: children that an earlier reading has brought, that the list does not show, and that are there}."""
    return {
        stream: unlisted.lacking(
            walk.lever, f"/opportunities/{lever_id}/{stream}", stream, known,
            listed={_key(item) for item in found[stream]}, again=partial(_child_list, walk, lever_id, stream),
        )
        for stream, known in walk.store.children(lever_id, walk.child_lists).items()
    }  # fmt: skip


def _child_list(walk: Extract, lever_id: str, stream: str) -> list[dict[str, Any]]:
    path = f"/opportunities/{lever_id}/{stream}"
    try:
        items = walk.lever.items(path, limit=None if stream in UNLIMITED else 100)
    except NotFoundError:
        if stream == "resumes":  # some accounts answer 404 where there is no résumé (seen by other clients)
            return []
        raise
    check_shape(stream, items)
    return items


def _vanished(walk: Extract, lever_id: str) -> None:
    """A child list is not there: either the opportunity was deleted meanwhile, or the key may not see the list."""
    try:
        walk.lever.get(f"/opportunities/{lever_id}")
    except NotFoundError:
        with walk.store.begin() as tx:
            _gone(walk, tx, lever_id)
        return
    raise ContractError(
        f"Lever: a child list of opportunity {lever_id} is not there although the opportunity is.",
        hint="Does the key have all read permissions? Nothing was taken as empty.",
    )


# ---- changes while reading -------------------------------------------------------------------------------------
def until_quiet(walk: Extract) -> None:
    """Read what has changed since the last pass began, again and again, until a pass brings nothing new.

    New opportunities are asked for by themselves: as long as nothing has changed them, their updatedAt is null
    (observed), and no `updated_at` window holds them. Where so many people are at work that no pass is quiet, the run
    ends all the same, and says how many still changed: whoever must have all of it stops the work in Lever first.
    """
    n_new = 0
    for number in range(MAX_PASSES):
        since = walk.store.meta("extract.since")
        walk.progress(number, None, "looking for changes made meanwhile")
        items, server_ms = _listing(walk, window("updated_at", since - OVERLAP, None))
        items += _listing(walk, window("created_at", since - OVERLAP, None))[0]
        with walk.store.begin() as tx:
            n_new = walk.store.put_raw(tx, "opportunities", _opportunity_rows(items))
            walk.store.put_meta("extract.since", server_ms or since, connection=tx)
        children(walk)
        if not n_new:
            break
    walk.store.put_meta("extract.unsettled", n_new)


def dangling_postings(walk: Extract) -> None:
    """Postings that applications name and no list shows: fetched one by one; those that are not there are findings."""
    known = {*walk.store.head_shas("postings"), *walk.store.head_shas("postings_deleted")}
    named: Counter[str] = Counter()
    for item in walk.store.all("opportunities"):
        named.update(str(one["posting"]) for one in item.get("applications") or [] if one.get("posting"))
    lacking = []
    for posting_id in sorted(set(named) - known):
        try:
            _keep(walk, "postings", [walk.lever.one(f"/postings/{posting_id}")])
        except WorkbookError as error:
            if not isinstance(error, NotFoundError) and getattr(error, "status", None) != 403:
                raise
            lacking.append({"lever_id": posting_id, "n_records": named[posting_id], "why": str(error.status)})
    walk.store.put_results("extract", "dangling_postings", lacking)


def deleted(walk: Extract) -> None:
    """Read the deleted lists; mark the opportunities and postings that we hold as gone.

    Of applications and postings, what was deleted since the first reading began: earlier ones were never listed.
    """
    items, now = _whole(walk.lever, "/opportunities/deleted", [])
    _keep(walk, "opportunities_deleted", items)
    for stream in ("applications", "postings"):
        began = int(walk.store.meta("extract.began")) - OVERLAP
        rows = deleted_since(walk.lever, f"/{stream}/deleted", began, (now or now_ms()) + OVERLAP)
        _keep(walk, f"{stream}_deleted", rows)
        with walk.store.begin() as tx:
            for item in rows if stream == "postings" else []:
                walk.store.put_gone(tx, stream, item["id"])
    held = walk.store.head_shas("opportunities")
    with walk.store.begin() as tx:
        for item in items:
            if item["id"] in held:
                _gone(walk, tx, item["id"])


def listed_again(walk: Extract) -> None:
    """List all opportunities once more, and ask by id for each that we hold and the list does not show.

    Two independent readings that agree miss nobody; this one costs a request per hundred opportunities.
    """
    held = set(walk.store.head_shas("opportunities"))
    missed, state = set(held), FIRST | {"from": walk.store.meta("extract.since")}
    while not state["done"]:
        walk.progress(len(held) - len(missed), len(held), "listing all opportunities once more")
        start, items = _in_window(walk, state)
        state = next_window(state, start, len(items))
        with walk.store.begin() as tx:
            walk.store.put_raw(tx, "opportunities", _opportunity_rows(items))
        missed -= {item["id"] for item in items}
    found = {one: unlisted.there(walk.lever, f"/opportunities/{one}", EXPAND) for one in sorted(missed)}
    gone = [one for one, item in found.items() if item is None]
    if not walk.may_shrink:
        unlisted.check_not_shrunk(len(gone), len(held))
    with walk.store.begin() as tx:
        for lever_id in gone:
            _gone(walk, tx, lever_id)
            walk.store.put_window(tx, "gone", lever_id, n_rows=1)
        names = [f"opportunities/{one}" for one, item in found.items() if item is not None]
        walk.store.put_window(tx, "unlisted", "", n_rows=len(names), basis=" ".join(names))
        rows = (item for item in found.values() if item is not None)
        walk.store.put_raw(tx, "opportunities", _opportunity_rows(list(rows)))
    children(walk)


def _gone(walk: Extract, tx: Any, lever_id: str) -> None:
    """Mark an opportunity and all that hangs on it as gone; its lists are read anew should it come back."""
    walk.store.put_gone(tx, "opportunities", lever_id)
    walk.store.put_children(tx, lever_id, {stream: [] for stream in CHILDREN})
    walk.store.put_window(tx, "children", lever_id, n_rows=0)
    walk.store.put_window(tx, "unlisted", lever_id, n_rows=0)
