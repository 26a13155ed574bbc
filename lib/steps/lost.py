"""Gates: with a lost, old or half-recovered ledger, a load would write again what stands in Ashby."""

from __future__ import annotations

from typing import Any

from lib.ashby import SYNC_CODES
from lib.errors import GateError, RejectedError
from lib.load import Load, settle_open
from lib.load.chain import UNSURE
from lib.load.older import check_not_older
from lib.recover import marks_in
from lib.steps.reading import accepted
from lib.store import marks, unfinished
from lib.store.ledger import Ledger
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
        lost = marks.is_untouched(book.store)
        _refuse_strange(book, _strange(book, book.store.ashby("candidates")), lost=lost)


def check_in_time(book: Workbook, job: Load) -> None:
    """GateError when a later ledger than this one has written to Ashby: asked before a load sends anything.

    Costs a call or two when nothing has happened since this was asked last, and none when nothing is to be sent.
    """
    nobody = next(unfinished.people(book.store, refused=job.retry_refused), None) is None
    if "lost-store" in accepted(book) or nobody:
        return
    changed, state = _changed_candidates(book)
    strange = _strange(book, changed)
    if strange and _unsure_people(job.ledger):  # one of ours, perhaps, whose answer was lost: look it up first
        settle_open(job)
        strange = _strange(book, changed)
        unsure = _unsure_people(job.ledger)
        strange = [one for one in strange if not unsure & set(marks_in("Candidate", one))]
    _refuse_strange(book, strange, lost=False)
    check_not_older(job, customer=book.customer)
    book.store.put_meta("load.candidates", state)


def _changed_candidates(book: Workbook) -> tuple[list[Item], Item]:
    """Candidates that have changed since 03_dedupe read them, or since the last load did; and what to remember.

    They are not kept: an own one whose answer was lost would count as a stranger's from then on.
    """
    base, known = book.store.meta("ashby.candidates") or "", book.store.meta("load.candidates") or {}
    token = known.get("token") if known.get("base") == base else base
    try:
        items, new = book.ashby.synced("candidate.list", {"syncToken": token} if token else None)
    except RejectedError as error:
        if not token or error.code not in SYNC_CODES:
            raise
        items, new = book.ashby.synced("candidate.list")
    return items, {"base": base, "token": new}


def _unsure_people(ledger: Ledger) -> set[str]:
    """People of whom it is not known whether they were made."""
    return {row.person for row, _ in ledger.entries(*UNSURE) if row.kind == "candidate.create"}


def _strange(book: Workbook, candidates: list[Item]) -> list[Item]:
    """Those who carry ids of this Lever account and whom the ledger does not know."""
    links = Ledger(book.store).links()
    linked = set(links.values())
    marked = [
        (one, mine)
        for one in candidates
        if (mine := marks_in("Candidate", one))
        and one["id"] not in linked
        and not any(f"candidate:{contact}" in links for contact in mine)
    ]
    contacts = {contact_of(one) for one in book.store.all("opportunities")} if marked else set()
    return [one for one, mine in marked if contacts & set(mine)]


def _refuse_strange(book: Workbook, strange: list[Item], *, lost: bool) -> None:
    if strange:
        what, anew = ("was lost", "") if lost else ("is older than what stands there", " --anew")
        raise GateError(
            f"{len(strange)} candidates in Ashby carry ids of this Lever account, and the ledger of {book.customer} "
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
