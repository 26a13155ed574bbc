"""Two gates: with a lost, old or half-recovered ledger, a load would write again what stands in Ashby."""

from __future__ import annotations

from typing import Any

from lib.errors import GateError
from lib.recover import marks_in
from lib.steps.reading import accepted
from lib.store import marks
from lib.store.ledger import Ledger
from lib.workbook import Workbook


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
    if "lost-store" in accepted(book):
        return
    links = Ledger(book.store).links()
    linked, contacts = set(links.values()), {contact_of(one) for one in book.store.all("opportunities")}
    strange = [
        one
        for one in book.store.ashby("candidates")
        if (mine := contacts & set(marks_in("Candidate", one)))
        and one["id"] not in linked
        and not any(f"candidate:{contact}" in links for contact in mine)
    ]
    if strange:
        lost = marks.is_untouched(book.store)
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
