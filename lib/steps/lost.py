"""Gates: with a lost, old or half-recovered ledger, a load would write again what stands in Ashby."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from lib.ashby import SYNC_CODES
from lib.errors import GateError, RejectedError
from lib.load import Load, settle_open
from lib.load.chain import UNSURE
from lib.load.older import check_not_older
from lib.recover import marks_in
from lib.steps.reading import accepted
from lib.store import BATCH, marks, unfinished
from lib.store.ledger import Ledger
from lib.store.looks import unknown_to_us
from lib.store.reading import Reading
from lib.workbook import Workbook

Item = dict[str, Any]


def begun(book: Workbook) -> bool:
    """True while a recovery is under way."""
    return (book.store.meta("recover") or {}).get("state") == "begun"


def contact_of(opportunity: dict[str, Any]) -> str:
    """The contact of an opportunity, expanded or not."""
    contact = opportunity.get("contact")
    return str(contact["id"]) if isinstance(contact, dict) else str(contact or "")


def check_known(book: Workbook) -> None:
    """GateError when Ashby holds people with ids of this Lever account whom the ledger does not know.

    The store was lost, or an old one was put back. Our own candidates would be taken for strangers, and all their notes
    and files written again.
    """
    if "lost-store" not in accepted(book):
        people, n_strange = Reading(book.store).standing("candidates"), 0
        while some := list(islice(people, BATCH)):
            n_strange += len(_strange(book, some))
        _refuse_strange(book, n_strange, lost=marks.is_untouched(book.store))


def check_in_time(book: Workbook, job: Load) -> None:
    """GateError when a later ledger than this one has written to Ashby: asked before a load sends anything.

    Costs a call or two when nothing has happened since this was asked last, and none when nothing is to be sent.
    """
    nobody = next(unfinished.people(book.store, refused=job.retry_refused), None) is None
    if "lost-store" in accepted(book) or nobody:
        return
    strange, state = _strange_since(book)
    if strange and _unsure_people(job.ledger):  # one of ours, perhaps, whose answer was lost: look it up first
        settle_open(job)
        strange = _strange(book, strange)
        unsure = _unsure_people(job.ledger)
        strange = [one for one in strange if not unsure & set(marks_in("Candidate", one))]
    _refuse_strange(book, len(strange), lost=False)
    check_not_older(job, customer=book.customer)
    book.store.put_meta("load.candidates", state)


def _strange_since(book: Workbook) -> tuple[list[Item], Item]:
    """Strange candidates of those that have changed since 03_dedupe read them, or the last load did; what to remember.

    After a load that was killed late, these are all that it has made: of each page, only the strange ones stay in
    memory. They are not kept in the store: an own one whose answer was lost would count as a stranger's from then on.

    A walk that is cut off begins anew: nothing in the middle of it lasts. The sync token comes with the last page
    (Ashby's guide on incremental sync). How long a cursor lives is told nowhere, nor whether a walk that goes on with
    an old one shows what has changed behind it meanwhile, and that would be just what another ledger has written. The
    whole walk costs a call per hundred candidates: seven minutes for 700,000 at 1,000 per minute.
    """
    base, known = book.store.meta("ashby.candidates") or "", book.store.meta("load.candidates") or {}
    token = known.get("token") if known.get("base") == base else base
    try:
        strange, new = _walked(book, {"syncToken": token} if token else None)
    except RejectedError as error:
        if not token or error.code not in SYNC_CODES:
            raise
        strange, new = _walked(book, None)
    return strange, {"base": base, "token": new}


def _walked(book: Workbook, body: Item | None) -> tuple[list[Item], str]:
    """The strange ones of a whole pass, and its sync token."""
    found: dict[str, Item] = {}

    def keep(page: list[Item]) -> None:
        found.update((one["id"], one) for one in _strange(book, page))

    token = book.ashby.walked("candidate.list", body, keep=keep, anew=found.clear)
    return list(found.values()), token


def _unsure_people(ledger: Ledger) -> set[str]:
    """People of whom it is not known whether they were made."""
    return {row.person for row, _ in ledger.entries(*UNSURE) if row.kind == "candidate.create"}


def _strange(book: Workbook, candidates: Iterable[Item]) -> list[Item]:
    """Those who carry ids of this Lever account and whom the ledger does not know."""
    marked = {one["id"]: (one, mine) for one in candidates if (mine := marks_in("Candidate", one))}
    unknown = unknown_to_us(book.store, {ashby_id: mine for ashby_id, (_, mine) in marked.items()})
    return [one for ashby_id, (one, _) in marked.items() if ashby_id in unknown]


def _refuse_strange(book: Workbook, n_strange: int, *, lost: bool) -> None:
    if n_strange:
        what, anew = ("was lost", "") if lost else ("is older than what stands there", " --anew")
        raise GateError(
            f"{n_strange} candidates in Ashby carry ids of this Lever account, and the ledger of {book.customer} "
            f"does not know them: the store {what}.",
            hint=f"Run: workbook recover {book.customer}{anew}. If somebody else wrote them, and they are to be "
            "treated as strangers, say so in overrides.csv (id lost-store, who, when, why).",
        )


def check_recovered(book: Workbook) -> None:
    """GateError while a recovery has begun and not ended."""
    if begun(book):
        raise GateError(
            f"The store of {book.customer} is being recovered, and that has not ended.",
            hint=f"Run: workbook recover {book.customer}",
        )
