"""What became of a write without an outcome: looked up until the settling delay is over, then judged.

Ashby does not say how soon a write can be seen (facts: "read-after-write delay is not documented"), so nothing found is
no proof by itself. Before a row counts as absent, the same look-up must show a row of its kind that Ashby has confirmed
before: an index that still lacks that one would hide ours too, and then a person decides, or the next run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from lib.errors import ConfigError
from lib.load.lookup import Found, Seeker
from lib.store.ledger import Entry, Planned

if TYPE_CHECKING:
    from lib.load import Load

LOOKS = (0.0, 1.0, 4.0, 15.0)  # seconds before each look-up, then 30 each, up to the settling delay
WITNESSES = 3  # confirmed rows that are asked for: one of them may have been merged or deleted meanwhile
PATIENCE = 4  # settling delays more that are waited for an index that lags
RENAMED = "what stands in Ashby agrees only in part with this one (renamed since?); a person must decide"
LATE = "Ashby does not show yet what it took before; whether this one is there can be told later"


class Judgement(NamedTuple):
    """done: found, with its id; parked: a person must decide, or the next run; absent: surely not there."""

    state: str
    ashby_id: str | None = None
    note: str = ""


ABSENT = Judgement("absent")


def glance(load: Load, row: Planned, body: dict[str, Any], *, first_ms: int) -> Judgement:
    """One look, without waiting: before a row is sent again that may have been there all along."""
    return _judged(_seeker(load, first_ms).look(row, body))


def find_out(load: Load, row: Planned, body: dict[str, Any], *, first_ms: int) -> Judgement:
    """Look for what `row` may have made; absent only when it cannot be there unseen."""
    seeker = _seeker(load, first_ms)
    confirmed = load.ledger.newest(row.kind, WITNESSES)
    found = Found()
    for number, _ in enumerate(_moments(load)):
        found = seeker.look(row, body)
        if found.hits:
            load.lags = load.lags or number > 0
            return _judged(found)
    if found.near:  # only now: another row's object stops being near as soon as that row has claimed it
        return _judged(found)
    for _ in range(PATIENCE):
        if _sees(load, confirmed):
            return _judged(seeker.look(row, body))
        load.rest(load.settle_s)
    last = _judged(seeker.look(row, body))
    return last if last is not ABSENT else Judgement("parked", None, LATE)


def decided(load: Load, row: Planned, entry: Entry) -> Judgement | None:
    """What a person has decided about a parked row: the Ashby id that it is, or that it is to be sent again.

    Only while it is parked: when the answer to its next sending is lost, too, it must be looked up like any other.
    """
    verdict = load.verdicts.get(row.row_id, "") if entry.state == "parked" else ""
    if not verdict:
        return None
    if verdict.casefold() == "again":
        return ABSENT
    holder = load.ledger.is_linked(verdict)
    if holder not in (None, row.link):
        raise ConfigError(f"overrides.csv: {row.row_id} cannot be {verdict}: that is {holder} already.")
    return Judgement("done", verdict, "as somebody has decided in overrides.csv")


def _moments(load: Load) -> Iterator[None]:
    """The moments at which to look: at once, and when the delay is over.

    In between, ever more rarely, only where something has come into sight late before: each look costs a call.
    """
    began = time.monotonic()
    for pause in chain(LOOKS if load.lags else (0.0, load.settle_s), repeat(30.0)):
        left = load.settle_s - (time.monotonic() - began)
        if pause and left <= 0:
            return
        load.rest(min(pause, max(left, 0.0)))
        yield


def _judged(found: Found) -> Judgement:
    if len(found.hits) == 1:
        return Judgement("done", found.hits[0], "found in Ashby after its answer was lost")
    if found.hits:
        return Judgement("parked", None, f"{len(found.hits)} objects in Ashby could be this one; a person must decide")
    return Judgement("parked", None, RENAMED) if found.near else ABSENT


def _sees(load: Load, confirmed: list[tuple[Planned, Entry]]) -> bool:
    """True when a look-up shows one of these confirmed rows, or when there is none to ask for."""
    asked = False
    for row, entry in confirmed:
        body = load.ledger.last_request(row.row_id)
        if body is not None:
            asked = True
            home = load.links.get(f"candidate:{row.person}")  # another than then, when it was merged meanwhile
            if home and "candidateId" in body:
                body = {**body, "candidateId": home}
            if entry.ashby_id in _seeker(load, entry.first_ms).find(row, body):
                return True
    return not asked


def _seeker(load: Load, first_ms: int) -> Seeker:
    """A look-up that knows when the row was first tried, by Ashby's clock, and what was there before us."""
    first_ms += load.ashby.skew_ms
    return Seeker(load.ashby, load.ledger, first_ms=first_ms, before=load.before, people=load.preexisting)
