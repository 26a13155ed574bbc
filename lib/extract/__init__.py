"""Step 2: every answer of Lever, kept as received; safe to stop and to run again at any moment.

The walk: opportunities in `created_at` windows (createdAt never changes and is never null); each opportunity's child
lists and file bytes, one commit per opportunity; with `reread`, all opportunities are listed once more and compared;
passes by `updated_at` until one is quiet; then the short lists, so that they hold whatever was named; the deleted list.
Lever orders its list by stage and last advance (observed), so a plain listing loses candidates who move
while it runs; windows plus passes do not.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence, Set
from functools import partial
from typing import Any, NamedTuple

from lib import contract
from lib.errors import ApiError, NotFoundError, RejectedError, UnauthorizedError
from lib.extract import aside, gone, reread, unlisted
from lib.extract.drift import check_expanded, check_shape
from lib.extract.files import fetch, keep_file, key_of, wanted_files
from lib.extract.lists import short_lists
from lib.extract.postings import dangling_postings, named_postings
from lib.extract.reports import (
    MANY,
    count_resume_lists,
    report_absent,
    report_ages,
    report_drift,
    report_gone,
    report_unlisted,
)
from lib.extract.reread import RECENT
from lib.extract.walk import CHILDREN as CHILDREN
from lib.extract.walk import Extract
from lib.extract.windows import FIRST, OVERLAP, earliest, in_windows, oldest_first, portions, window
from lib.lever import Page, Query
from lib.pool import run_all
from lib.store import Connection, now_ms
from lib.store.heads import known, states
from lib.store.ids import ids_on_disk

MAX_PASSES = 20
EXPAND: Query = [("expand", "applications"), ("expand", "contact")]
GONE, NO_RESUMES = "gone", "no list of résumés"  # how the reading of an opportunity's child lists may end
UNLIMITED = ("resumes", "files")  # known clients send no `limit` on these two, so neither do we


def run(walk: Extract) -> dict[str, int]:
    """Bring the store up to date with Lever; returns {stream: objects now} and the number of calls made."""
    before = walk.lever.transport.n_calls
    for part in (walk.store.folder / "files").glob(".part-*"):  # left by a run that was killed in a download
        part.unlink(missing_ok=True)
    if walk.store.meta("extract.since") is None:  # there was no audit, whose clock counts
        walk.store.put_meta("extract.since", short_lists(walk))
    if walk.store.meta("extract.began") is None:
        walk.store.put_meta("extract.began", walk.store.meta("extract.since"))
    reread.begin(walk)
    opportunities(walk)
    children(walk, again=reread.again(walk))
    if walk.reread:
        listed_again(walk)
    else:
        set_aside_before(walk)
    until_quiet(walk)  # after all that takes long: what changes meanwhile is read, or counts as unsettled
    short_lists(walk)
    gone.deleted(walk)
    if on_refused(walk, dangling_postings(walk)):
        until_quiet(walk)
    report_ages(walk.store, int(walk.store.meta("extract.since")) - RECENT)
    report_absent(walk.store)
    report_drift(walk.store)
    report_unlisted(walk.store)
    report_gone(walk.store)
    with walk.store.begin() as tx:
        walk.store.put_meta("extract.finished_ms", now_ms(), connection=tx)
        if walk.reread:
            reread.end(walk.store, tx)
    streams = sorted(contract.lever_objects())
    return {stream: walk.store.count(stream) for stream in streams} | {"calls": walk.lever.transport.n_calls - before}


# ---- opportunities ---------------------------------------------------------------------------------------------
def opportunities(walk: Extract) -> None:
    """Read all opportunities, newest window first, until the beginning of the account.

    The windows begin anew when the key may see more than the one that they were read with: what was created long ago
    and is confidential is in no later reading.
    """
    sees = [walk.confidentiality, walk.proven]
    state = walk.store.meta("extract.windows")
    if not state or state.get("sees") != sees:
        state = FIRST | {"from": walk.store.meta("extract.since"), "sees": sees}
    for part in in_windows(partial(_listing, walk), state):
        with walk.store.begin() as tx:
            walk.store.put_raw(tx, "opportunities", _opportunity_rows(part.items))
            if part.whole:
                walk.store.put_window(tx, "opportunities", part.whole, n_rows=part.n_rows)
            walk.store.put_meta("extract.windows", part.state, connection=tx)
        walk.progress(walk.store.count("opportunities"), None, "listing opportunities")


def _listing(walk: Extract, query: Query) -> Iterator[Page]:
    """The opportunities that a query finds, in portions; each is checked before it is handed on."""
    hidden: Query = [("confidentiality", walk.confidentiality)] if walk.confidentiality else []
    for page in portions(walk.lever, "/opportunities", [*hidden, *EXPAND, *query]):
        check_shape("opportunities", page.items)
        check_expanded(page.items)
        yield page


def _opportunity_rows(items: list[dict[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    for item in oldest_first(items):
        yield item["id"], item["contact"]["id"], item


# ---- child lists and files -------------------------------------------------------------------------------------
def children(walk: Extract, *, only: list[str] | None = None, again: Iterable[str] = ()) -> None:
    """Read the child lists of every opportunity (or of `only` some) that is new, has changed, or is in `again`."""
    with ids_on_disk(walk.store.folder, again) as ids:
        _children(walk, only, ids)


def _children(walk: Extract, only: list[str] | None, again: Container[str]) -> None:
    before = aside.known(walk.store)
    n_all = sum(1 for _ in states(walk.store, "opportunities", "children", only))
    done = n_all - sum(1 for _ in _due(walk, only, again))
    walk.progress(done, n_all, "reading notes, feedback, forms and files")
    lost, few_enough = list[str](), gone.few_enough(walk, walk.store.count("opportunities"))
    absent: list[bool] = []
    work = partial(_children_of, walk, n_all=n_all, before=before)
    for lever_id, end in run_all(_due(walk, only, again), work, workers=walk.workers):
        if end == GONE:
            lost.append(lever_id)
            few_enough(lever_id)
        else:
            absent.append(end == NO_RESUMES)
        if len(absent) >= MANY:  # now and then: a run that goes on does not read these lists again
            count_resume_lists(walk.store, absent)
        done += 1
        walk.progress(done, n_all, walk.lever.transport.pacer.waiting_for)
    count_resume_lists(walk.store, absent)
    gone.vanished(walk, lost)


class _Due(NamedTuple):
    """An opportunity whose child lists are to be read: its body's hash, and whether they were read before."""

    lever_id: str
    sha: str
    was_read: bool


def _due(walk: Extract, only: list[str] | None, again: Container[str]) -> Iterator[_Due]:
    """Those that are new, have changed, or are in `again`, one after the other: a large account has very many."""
    for lever_id, sha, basis in states(walk.store, "opportunities", "children", only):
        if (basis != sha or lever_id in again) and walk.unread[lever_id] < aside.TRIES:
            yield _Due(lever_id, sha, basis is not None)


def _children_of(walk: Extract, due: _Due, *, n_all: int, before: dict[str, aside.Tried]) -> tuple[str, str]:
    """All child lists of one opportunity and the bytes of its files: one commit; (opportunity, how it ended).

    What can be read is kept; while a list is set aside, the opportunity counts as not read.
    """
    lever_id = due.lever_id
    try:
        lists, unread = aside.each(walk.child_lists, partial(_child_list, walk, lever_id), lever=walk.lever)
        found = {stream: items or [] for stream, items in lists.items()}
        missed = _missed(walk, lever_id, found, unread) if due.was_read or lever_id in before else {}
        for stream, items in missed.items():
            found[stream] += items
        how: Any = {"again_ms": walk.file_ms, "storage": walk.storage}
        files = [fetch(walk.store, walk.lever, *one, **how) for one in wanted_files(lever_id, found)]
    except NotFoundError:
        return lever_id, GONE
    except UnauthorizedError:
        if not unlisted.is_hidden(walk.lever, walk.confidentiality, lever_id):
            raise
        return lever_id, GONE
    if unread:
        walk.unread[lever_id] += 1
        n_aside = len(walk.unread)
        aside.check_few(n_aside, n_all, unread, what=f"the child lists of {n_aside:,} opportunities")

    def write(tx: Connection) -> None:
        if missed:  # a reading of something that an earlier one has brought
            kept = ((stream, one) for stream, items in missed.items() for one in items if not one.get("deletedAt"))
            names = [f"{stream}/{key_of(one)}" for stream, one in kept]
            walk.store.put_window(tx, "unlisted", lever_id, n_rows=len(names), basis=" ".join(names))
        keyed = {stream: [(key_of(item), item) for item in oldest_first(items)] for stream, items in found.items()}
        walk.store.put_children(tx, lever_id, keyed)
        for row in files:
            if row is not None:
                keep_file(walk.store, tx, row)
        if unread or lever_id in before:
            aside.keep(walk.store, tx, lever_id, unread, before.get(lever_id, {}))
            walk.store.put_window(tx, aside.BASIS, lever_id, n_rows=0, basis=due.sha)
        if not unread:
            n_rows = sum(map(len, found.values()))
            walk.store.put_window(tx, "children", lever_id, n_rows=n_rows, basis=due.sha)

    walk.store.write(write)
    return lever_id, NO_RESUMES if lists.get("resumes", found) is None else ""


def _missed(
    walk: Extract, lever_id: str, found: dict[str, list[dict[str, Any]]], unread: dict[str, ApiError]
) -> dict[str, list[dict[str, Any]]]:
    """{stream: children that an earlier reading has brought, that the list does not show, and that are there}.

    A list whose children cannot be asked for is taken out of `found`, and into `unread`.
    """
    before = walk.store.children(lever_id, list(found))

    def lacking(stream: str) -> list[dict[str, Any]]:
        return unlisted.lacking(
            walk.lever, f"/opportunities/{lever_id}/{stream}", stream, before[stream],
            listed={key_of(item) for item in found[stream]},
            again=lambda: _child_list(walk, lever_id, stream) or [],
        )  # fmt: skip

    missed, failed = aside.each(before, lacking, lever=walk.lever)
    for stream in failed:
        del found[stream]
    unread |= failed
    return missed


def _child_list(walk: Extract, lever_id: str, stream: str) -> list[dict[str, Any]] | None:
    """The items of a child list; None where Lever says 404 of a résumé list, which means that there is none.

    NotFoundError when the opportunity is not there any more, or not for this key.
    """
    path = f"/opportunities/{lever_id}/{stream}"
    try:
        items = walk.lever.items(path, limit=None if stream in UNLIMITED else 100)
    except NotFoundError:
        if stream == "resumes":  # some accounts answer 404 where there is no résumé (seen by other clients)
            return None
        unlisted.check_gone(walk.lever, lever_id)
        raise
    except (RejectedError, UnauthorizedError) as error:
        if unlisted.is_hidden(walk.lever, walk.confidentiality, lever_id):
            raise NotFoundError(error.message, status=error.status) from None
        raise
    check_shape(stream, items)
    return items


# ---- changes while reading -------------------------------------------------------------------------------------
def until_quiet(walk: Extract) -> None:
    """Read what has changed since the last pass began, again and again, until a pass brings nothing new.

    New opportunities are asked for by themselves: as long as nothing has changed them, their updatedAt is null
    (observed), and no `updated_at` window holds them. Where so many people are at work that no pass is quiet, the run
    ends all the same, and says how many still changed: whoever must have all of it stops the work in Lever first.
    """
    n_new = 0
    for number in range(MAX_PASSES):
        walk.progress(number, None, "looking for changes made meanwhile")
        n_new = changed(walk)
        children(walk)
        if not n_new:
            break
    walk.store.put_meta("extract.unsettled", n_new)


def changed(walk: Extract) -> int:
    """Keep what has changed since the last pass began, or was created; returns how many were news to us."""
    n_new = server_ms = 0
    since = walk.store.meta("extract.since")
    for name in ("updated_at", "created_at"):
        for page in _listing(walk, window(name, since - OVERLAP, None)):
            server_ms = earliest(server_ms, page.server_ms)
            with walk.store.begin() as tx:
                n_new += walk.store.put_raw(tx, "opportunities", _opportunity_rows(page.items))
    walk.store.put_meta("extract.since", server_ms or since)
    return n_new


def listed_again(walk: Extract) -> None:
    """List all opportunities once more, and ask by id for each that we hold and the list does not show.

    Two independent readings that agree miss nobody; this one costs a request per hundred opportunities.
    """
    n_all, n_listed = walk.store.count("opportunities"), 0
    state = FIRST | {"from": walk.store.meta("extract.since")}
    with ids_on_disk(walk.store.folder) as listed:
        for part in in_windows(partial(_listing, walk), state):
            with walk.store.begin() as tx:
                walk.store.put_raw(tx, "opportunities", _opportunity_rows(part.items))
            n_listed += listed.add(item["id"] for item in part.items)
            walk.progress(min(n_listed, n_all), n_all, "listing all opportunities once more")
        held = states(walk.store, "opportunities", "children")
        missed = [lever_id for lever_id, *_ in held if lever_id not in listed]
    if missed:  # those that Lever names as deleted need not be asked for one by one
        gone.deleted_opportunities(walk)
    by_id(walk, sorted(known(walk.store, "opportunities", missed)))
    children(walk)


def set_aside_before(walk: Extract) -> None:
    """Ask once more for the opportunities that Lever could not give by their ids in an earlier run."""
    before = aside.known(walk.store, aside.OPPORTUNITIES)
    if before:
        by_id(walk, sorted(known(walk.store, "opportunities", sorted(before))), told=_told(walk))
        children(walk)


def on_refused(walk: Extract, postings: Set[str]) -> bool:
    """Ask by id for the opportunities on `postings` that are refused to the key: they may be, too. Whether any was.

    Once for each posting: what changes there later is found by a reread.
    """
    new = postings - set(walk.store.meta("extract.refused_postings") or ())
    if new:
        ids = sorted(item["id"] for item in walk.store.all("opportunities") if new & named_postings(item))
        by_id(walk, ids, told=_told(walk), alone=True)
        children(walk)
    walk.store.put_meta("extract.refused_postings", sorted(postings))
    return bool(new)


def _told(walk: Extract) -> list[str]:
    return walk.store.windows("unlisted").get("", "").split()


def by_id(walk: Extract, ids: Sequence[str], *, told: Iterable[str] = (), alone: bool = False) -> None:
    """Ask by id for opportunities that we hold and no list shows; the one that Lever cannot give is set aside.

    Those that are there are kept and named, with those `told` before; those that are not are gone. All others are here
    by now. Asked for `alone` they are in the lists: they are not named, and of others nothing is said.
    """
    n_all, names, lacking, unread = walk.store.count("opportunities"), {*told}, list[str](), dict[str, ApiError]()
    few_enough, hidden = gone.few_enough(walk, n_all), partial(unlisted.is_hidden, walk.lever, walk.confidentiality)
    answers = unlisted.asked(walk.lever, "opportunities", ids, EXPAND, hidden=hidden, workers=walk.workers)
    for number, (lever_id, answer) in enumerate(answers, start=1):
        if isinstance(answer, ApiError):
            unread[lever_id] = answer
            aside.check_few(len(unread), n_all, unread, what=f"{len(unread):,} opportunities by their ids")
        elif answer is None:
            lacking.append(lever_id)
            few_enough(lever_id)
        else:
            check_expanded([answer])
            names |= set() if alone else {f"opportunities/{lever_id}"}
            with walk.store.begin() as tx:
                walk.store.put_raw(tx, "opportunities", _opportunity_rows([answer]))
        walk.progress(number, len(ids), "asking by id for what no list shows")
    gone.vanished(walk, lacking)
    names -= {f"opportunities/{one}" for one in lacking}
    with walk.store.begin() as tx:
        walk.store.put_window(tx, "unlisted", "", n_rows=len(names), basis=" ".join(sorted(names)))
        aside.keep_ids(walk.store, tx, aside.OPPORTUNITIES, "opportunities", unread, asked=set(ids) if alone else None)
