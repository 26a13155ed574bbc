"""What became of a write without an outcome: looked up when the settling delay is over, then judged.

Ashby does not say how soon a write can be seen (facts: "read-after-write delay is not documented"), so nothing found is
no proof by itself. Before a row counts as absent, look-ups of its kind must have shown one that was sent later: an
index that lacks that one would hide ours too. Where there is none, an earlier one has to do, but only after five
settling delays; where not even that is shown, a person decides, or the next run.

Calls are the scarce good here. Nobody looks before the delay is over: half of these looks would be in vain, and while a
chain waits its place among the workers is another's. What one look-up has shown counts for all that were sent before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lib.errors import ConfigError, NotFoundError
from lib.load.lookup import NOTE, Found, Seeker, note_of, notes_of
from lib.load.privacy import is_exposed
from lib.store import now_ms
from lib.store.ledger import Entry, Planned

if TYPE_CHECKING:
    from lib.load import Load

WITNESSES = 3  # confirmed rows that are asked for: one of them may have been merged or deleted meanwhile
PATIENCE = 4  # settling delays more that are waited while nothing that was sent later is shown
RENAMED = "what stands in Ashby agrees only in part with this one (renamed since?); a person must decide"
LATE = "Ashby does not show yet what it took before; whether this one is there can be told later"


class Judgement(NamedTuple):
    """done: found, with its id; parked: a person must decide, or the next run; absent: surely not there.

    public: found, and it was to be private. open: not looked for to the end, because the run stops.
    """

    state: str
    ashby_id: str | None = None
    note: str = ""


ABSENT, OPEN = Judgement("absent"), Judgement("open")


def glance(load: Load, row: Planned, body: dict[str, Any], *, first_ms: int) -> Judgement:
    """One look, without waiting: before a row is sent again that may have been there all along."""
    return _judged(_seeker(load, first_ms).look(row, body))


def settle(load: Load, sent_ms: int) -> bool:
    """Rest for what is left of the settling delay of a call; False when the run stops before it is over.

    What an earlier run has sent long ago is not waited for.
    """
    load.rest(min(load.settle_s, sent_ms / 1000 + load.settle_s - now_ms() / 1000))
    return not load.stopping


class Shelf:
    """Notes of candidates, each list read once for all look-ups of one chain, when the last one's delay is over.

    A list proves nothing of what was shown after it was read: `shown` keeps what had been shown before, and what the
    list itself shows. `confirmed` are notes that Ashby has confirmed: {id: when (ms) it was first sent}.
    """

    def __init__(self, load: Load, rows: Iterable[Planned], confirmed: Mapping[str, int]) -> None:
        self._load, self._confirmed = load, confirmed
        self._lists: dict[str, list[dict[str, Any]]] = {}
        self._shown: dict[str, int] = {}
        settle(load, max((when_sent(load, row) for row in rows), default=0))

    def notes(self, candidate_id: str) -> list[dict[str, Any]]:
        """The notes of a candidate, as they were when they were first asked for; NotFoundError."""
        if candidate_id not in self._lists:
            shown = self._load.shown(NOTE)
            found = self._lists[candidate_id] = notes_of(self._load.ashby, candidate_id)
            self._shown[candidate_id] = max([shown, *(self._confirmed.get(one["id"], 0) for one in found)])
        return self._lists[candidate_id]

    def shown(self, candidate_id: str) -> int:
        """When (ms) the latest note was first sent that is known to be shown in the list of this candidate."""
        with contextlib.suppress(NotFoundError):
            self.notes(candidate_id)
        return self._shown.get(candidate_id, 0)

    def show(self, candidate_id: str, first_ms: int) -> None:
        """The list shows a note that was first sent at `first_ms`."""
        self._shown[candidate_id] = max(first_ms, self._shown.get(candidate_id, 0))

    def forget(self, candidate_id: str) -> None:
        """Something was sent since: the list does not tell of it."""
        self._lists.pop(candidate_id, None)


def find_out(load: Load, row: Planned, body: dict[str, Any], *, first_ms: int, shelf: Shelf | None = None) -> Judgement:
    """Look for what `row` may have made; absent only when it cannot be there unseen.

    With a `shelf` its first look is at the notes that lie there.
    """
    seeker, home = _seeker(load, first_ms), str(body.get("candidateId", ""))
    sent_ms = when_sent(load, row)
    if not settle(load, sent_ms):
        return OPEN
    # before the look: what others are shown meanwhile proves nothing
    is_shown = (shelf.shown(home) if shelf else load.shown(row.kind)) > sent_ms
    found = seeker.look(row, body, notes=shelf.notes if shelf else None)
    load.show(row.kind, first_ms if found.hits else 0)
    if shelf and found.hits:
        shelf.show(home, first_ms)
    if is_shown or found.hits or found.near:  # near counts only now: its own row may have claimed it meanwhile
        return _judged(found)
    for _ in range(1 + PATIENCE):
        if load.shown(row.kind) > sent_ms or _sees(load, _sent_since(load, row, sent_ms)):
            return _judged(seeker.look(row, body))
        if now_ms() - sent_ms > (1 + PATIENCE) * load.settle_s * 1000:
            break
        load.rest(load.settle_s)
        if load.stopping:
            return OPEN
    confirmed = _confirmed(load, row)
    is_shown = not confirmed or _sees(load, confirmed)
    last = _judged(seeker.look(row, body))
    return last if is_shown or last is not ABSENT else Judgement("parked", None, LATE)


def decided(load: Load, row: Planned, body: dict[str, Any], entry: Entry) -> Judgement | None:
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
    note = note_of(load.ashby, body, verdict) if body.get("isPrivate") else None
    if note is not None and is_exposed(body, note):
        return Judgement("public", verdict)
    return Judgement("done", verdict, "as somebody has decided in overrides.csv")


def _judged(found: Found) -> Judgement:
    if len(found.hits) == 1:
        state = "public" if found.hits[0] in found.public else "done"
        return Judgement(state, found.hits[0], "found in Ashby after its answer was lost")
    if found.hits:
        return Judgement("parked", None, f"{len(found.hits)} objects in Ashby could be this one; a person must decide")
    return Judgement("parked", None, RENAMED) if found.near else ABSENT


Confirmed = tuple[Planned, Entry, dict[str, Any]]


def _confirmed(load: Load, row: Planned) -> list[Confirmed]:
    """Rows of this kind that Ashby has confirmed, newest first, with the bodies that were sent."""
    found = [(*one, load.ledger.last_request(one[0].row_id)) for one in load.ledger.newest(row.kind, WITNESSES)]
    return [(one, entry, body) for one, entry, body in found if body is not None]


def _sent_since(load: Load, row: Planned, sent_ms: int) -> list[Confirmed]:
    return [one for one in _confirmed(load, row) if one[1].first_ms > sent_ms]


def _sees(load: Load, confirmed: list[Confirmed]) -> bool:
    """True when a look-up shows one of these confirmed rows."""
    for row, entry, body in confirmed:
        home = load.links.get(f"candidate:{row.person}")  # another than then, when it was merged meanwhile
        wanted = {**body, "candidateId": home} if home and "candidateId" in body else body
        if entry.ashby_id in _seeker(load, entry.first_ms).find(row, wanted):
            load.show(row.kind, entry.first_ms)
            return True
    return False


def when_sent(load: Load, row: Planned) -> int:
    """The last try was not later than this: the ledger's word, but for a row that an earlier run died with.

    What that process did after it had recorded its intention, nobody knows: it may have sent it moments before it died.
    """
    entry = load.ledger.entry(row.row_id)
    return max(load.ledger.changed_ms(row.row_id), load.began_ms if entry and entry.state == "intended" else 0)


def _seeker(load: Load, first_ms: int) -> Seeker:
    """A look-up that knows when the row was first tried, by Ashby's clock, and what was there before us."""
    first_ms += load.ashby.skew_ms
    return Seeker(load.ashby, load.ledger, first_ms=first_ms, before=load.before, people=load.preexisting)
