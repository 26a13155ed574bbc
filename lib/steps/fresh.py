"""Before a load: has somebody been erased, deleted or hidden in Lever since the plan, and how old are the child lists?

A load may begin days after the reading that its plan is made of. Whoever was erased meanwhile must not be written:
there is no undo in Ashby. One listing of what has changed since, and the list of deleted opportunities, tell; a few
requests. Who is found is held back, and everybody else is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from lib import extract as extraction
from lib.errors import ApiError, GateError
from lib.extract.lists import confidential_too
from lib.extract.windows import portions
from lib.mapping.settings import settings
from lib.mapping.source import Source, anonymised, ident
from lib.steps.reading import accepted
from lib.store import now_ms, unfinished
from lib.store.looks import bodies_by, hash_of, known_by, newest_raw, people_of
from lib.workbook import Workbook

Item = dict[str, Any]
HOUR = 3_600_000
COUNTS = ("id", "contact", "createdAt", "confidentiality", "dataProtection", "isAnonymized")
CLOSED = "Is Lever closed already, so that nothing can change there? Say so in the params file (lever.closed: true)."


def remember(book: Workbook) -> None:
    """Keep up to where the plan that was just made knows Lever: `held_back` goes by it."""
    book.store.put_meta("map.seen", _seen(book))


def _seen(book: Workbook) -> Item:
    return {"since": book.store.meta("extract.since"), "raw_id": newest_raw(book.store)}


def held_back(book: Workbook, *, refused: bool = False) -> set[str]:
    """People who must not be loaded: erased, deleted or made confidential in Lever since the plan. Asks, keeps why.

    Nothing is asked when nothing is to be sent, or when the params file says that Lever is closed.
    """
    found = _since_the_plan(book) if any(_pending(book, refused)) and not book.params.lever.closed else {}
    seen = book.store.meta("map.seen") or _seen(book)
    people = people_of(book.store, found, since=seen["raw_id"])
    named = {person for one in people.values() for person in one}
    pending = {person for person in _pending(book, refused) if person in named} if named else set()
    rows = [
        {"lever_id": lever_id, "person": person, "why": why}
        for lever_id, why in sorted(found.items())
        for person in sorted(people.get(lever_id, set()) & pending)
    ]
    book.store.put_results("load", "held_back", rows)
    return {row["person"] for row in rows}


def _pending(book: Workbook, refused: bool) -> Iterator[str]:
    """Everybody with a row that a load would send; "" for the set-up rows."""
    return unfinished.people(book.store, refused=refused)


def _since_the_plan(book: Workbook) -> dict[str, str]:
    """{opportunity: why it may not move any more}, of all that has changed since the reading behind the plan."""
    seen = book.store.meta("map.seen") or _seen(book)
    found, changed = dict[str, str](), list[Item]()
    for stream, items in _asked(book, str(int(seen["since"] or 0) - extraction.OVERLAP)):
        extraction.check_shape(stream, items)
        known = known_by(book.store, (item["id"] for item in items), seen["raw_id"])
        if stream == "opportunities":
            changed += [_what_counts(item) for item in items if known.get(item["id"]) != hash_of(item)]
        else:
            found |= {item["id"]: "deleted in Lever" for item in items if known.get(item["id"]) != ""}
    return found | _turned(book, changed, seen["raw_id"]) | dict(_erased(book, changed))


def _what_counts(item: Item) -> Item:
    """Of an opportunity, what decides whether it may move: many may have changed, and they are wide."""
    kept = {name: item[name] for name in COUNTS if name in item}
    contact = item["contact"]
    if isinstance(contact, dict):
        kept["contact"] = {name: contact[name] for name in ("id", "isAnonymized") if name in contact}
    return kept


def _asked(book: Workbook, since: str) -> Iterator[tuple[str, list[Item]]]:
    """(stream, page) of all deleted opportunities, and of those that have changed since then."""
    hidden = book.store.meta("confidentiality", "all")
    query = [*extraction.EXPAND, ("updated_at_start", since)]
    query += [("confidentiality", hidden)] if hidden else []
    try:  # all that were ever deleted: an audit or a reading that was cut off may have passed over the latest ones
        yield "opportunities_deleted", confidential_too(partial(book.lever.items, "/opportunities/deleted"), hidden)
        for page in portions(book.lever, "/opportunities", query):
            yield "opportunities", page.items
    except ApiError as error:
        raise GateError(
            f"Lever cannot be asked whether somebody was erased since the plan was made. {error.message}", hint=CLOSED
        ) from None


def _erased(book: Workbook, changed: list[Item]) -> Iterable[tuple[str, str]]:
    """(opportunity, why) of the changed ones that were anonymised, or whose person does not consent any more."""
    rules = Source(book.store, settings(book.params.policy), now_ms=0)
    now = {item["id"]: item for item in changed}
    for item in changed:
        own = {one["id"]: one for one in book.store.of("opportunities", ident(item["contact"]))} | {item["id"]: item}
        refusal = rules.refusal([now.get(key, one) for key, one in own.items()])
        if anonymised(item) or refusal:
            yield item["id"], "anonymised in Lever" if anonymised(item) else refusal


def _turned(book: Workbook, changed: list[Item], raw_id: int) -> dict[str, str]:
    """{opportunity: why} of the changed ones that are confidential by now and were not when the plan was made.

    Its notes would stand open: of a note that stands no call says that it is private (Ashby's reference).
    """
    secret = [item["id"] for item in changed if _is_secret(item)]
    before = bodies_by(book.store, secret, raw_id) if secret else {}
    return {one: "confidential in Lever by now" for one, item in before.items() if not _is_secret(item)}


def _is_secret(item: Item) -> bool:
    return bool(item.get("confidentiality") == "confidential")


def check_lists(book: Workbook, *, plan_hash: str) -> None:
    """GateError when the child lists that may change unseen were read too long ago, until reread or accepted.

    Edited feedback, new files, forms, offers and interviews do not reliably move an opportunity's updatedAt (observed):
    only reading the lists again shows them. Asked once per plan, so that a long load can be resumed.
    """
    hours = book.params.lever.reread_hours
    rows = [row for row in book.store.results("extract", "ages") if row["lively"]]
    oldest = min((row["oldest_ms"] for row in rows), default=None)
    if not hours or oldest is None or book.store.meta("load.fresh") == plan_hash or "stale:lists" in accepted(book):
        return
    old = (now_ms() - oldest) / HOUR
    if old > hours:
        raise GateError(
            f"The child lists of {rows[0]['n_opportunities']:,} active or lately changed candidacies were read up to "
            f"{old:,.0f} hours ago: edited feedback, new files, forms, offers and interviews since then are not in the "
            "plan.",
            hint="Run 02_extract with reread = True (or --reread), then 03_dedupe and 04_map; or, if nobody has worked "
            "in Lever since, accept it in overrides.csv (id stale:lists, who, when, why).",
        )
    book.store.put_meta("load.fresh", plan_hash)
