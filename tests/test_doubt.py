"""What counts as proof that a write is not in Ashby, moment by moment: by an Ashby that shows what a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import new_store

from lib.errors import NotFoundError, UnavailableError, UnknownOutcomeError
from lib.load import Load, doubt, guard
from lib.load.chain import Chain
from lib.store import Store, now_ms
from lib.store.ledger import Ledger, Planned

SETTLE = 0.1


class Notes:
    """As much of a client as a note needs: it shows what `shown` gives at that moment, and takes what `taken` takes."""

    skew_ms = 0

    def __init__(self, shown: Callable[[str], list[str]], taken: Callable[[], Any] = lambda: None) -> None:
        self._shown, self._taken = shown, taken
        self.transport = SimpleNamespace(n_calls=0, pacer=SimpleNamespace(waiting_for=""))
        self.n_looks = self.n_sent = 0

    def items(self, endpoint: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The notes of a candidate."""
        assert endpoint == "candidate.listNotes"
        self.n_looks += 1
        return [{"id": f"a-{one}", "content": text_of(one)} for one in self._shown(body["candidateId"])]

    def call(self, endpoint: str, body: dict[str, Any]) -> Any:
        """Take a note."""
        assert endpoint == "candidate.createNote"
        self.n_sent += 1
        return self._taken()


def text_of(note: str) -> str:
    return f"Somebody's words\n[Lever note {note}]"


def row(note: str, person: str) -> Planned:
    """A note of a candidate whose id in Ashby is the person's."""
    body = {"candidateId": person, "note": text_of(note)}
    return Planned(f"row-{note}", "candidate.createNote", "note", note, person, 0, (), body, f"{note:>064}", None)


def sent(load: Load, kind: str) -> Planned:
    """A row whose call was sent this moment, and whose answer was lost."""
    one = replace(row("a", "p-a"), kind=kind)
    load.ledger.intend(one)
    load.ledger.settle(one, "unknown")
    return one


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store whose plan holds three notes of three people."""
    one = new_store(tmp_path / "runs" / "acme")
    Ledger(one).put_plan([row(name, f"p-{name}") for name in "abc"], plan_hash="three notes")
    yield one
    one.close()


def load_of(store: Store, ashby: Notes) -> Load:
    return Load(store, ashby, workers=1, settle_s=SETTLE, first_wait=0.01)  # type: ignore[arg-type]


def found_out(load: Load, one: Planned) -> doubt.Judgement:
    with load._places:  # a worker's place is what a wait gives away
        return doubt.find_out(load, one, one.body, first_ms=now_ms())


def test_what_others_are_shown_while_we_look_proves_nothing_of_that_look(store: Store) -> None:
    """The note comes into sight between our look and somebody else's: theirs shows a later one, ours was too early."""
    one = row("a", "p-a")
    load: Load

    def shown(_candidate: str) -> list[str]:
        if ashby.n_looks == 1:
            load.show(one.kind, now_ms() + 1000)
            return []
        return ["a"]

    ashby = Notes(shown)
    load = load_of(store, ashby)
    load.ledger.intend(one)
    load.ledger.settle(one, "unknown")
    assert found_out(load, one)[:2] == ("done", "a-a")
    assert ashby.n_looks == 2


def test_a_row_that_a_process_died_with_may_have_been_sent_after_what_was_recorded_later(store: Store) -> None:
    """A process records the intention of a, sends b, sends a, and dies; Ashby shows a later than the settling delay."""
    one, other, died = row("a", "p-a"), row("b", "p-b"), Ledger(store)
    died.intend(one)
    time.sleep(0.005)  # recorded later, also by the clock of the ledger
    died.intend(other)
    died.settle(other, "done", ashby_id="a-b", call={"request": other.body, "answer": {}})
    visible_at = time.monotonic() + 3.5 * SETTLE

    def shown(candidate: str) -> list[str]:
        return ["b"] if candidate == "p-b" else ["a"] if time.monotonic() > visible_at else []

    assert found_out(load_of(store, Notes(shown)), one)[:2] == ("done", "a-a")


def test_what_was_sent_long_ago_is_looked_up_without_waiting(store: Store) -> None:
    """Parked by an earlier run: its settling delay is over."""
    one = row("a", "p-a")
    load = load_of(store, Notes(lambda _candidate: ["a"]))
    load.settle_s = 600.0
    load.ledger.intend(one)
    load.ledger.settle(one, "parked")
    load.ledger.changed_ms = lambda _row_id: now_ms() - 601_000  # type: ignore[method-assign]
    assert found_out(load, one)[:2] == ("done", "a-a")


@pytest.mark.parametrize("kind", ["candidate.addTag", "job.setStatus"])
def test_a_change_that_was_sent_long_ago_is_looked_at_without_waiting(store: Store, kind: str) -> None:
    """Killed in the evening: in the morning nobody waits for the tag, or for the job."""
    stands = {"status": "Open", "tags": [{"id": "t"}]}
    ashby: Any = SimpleNamespace(call=lambda *_: SimpleNamespace(results=stands), transport=SimpleNamespace(n_calls=0))
    load = load_of(store, ashby)
    load.settle_s = 600.0
    one = sent(load, kind)
    load.ledger.changed_ms = lambda _row_id: now_ms() - 601_000  # type: ignore[method-assign]
    assert guard.was_done(load, one, {"jobId": "j", "status": "Open", "candidateId": "c", "tagId": "t"})


@pytest.mark.parametrize("error", [UnavailableError("Not now."), UnknownOutcomeError("No answer.")])
def test_a_run_that_stops_sends_nothing_again_and_looks_for_nothing_more(store: Store, error: Exception) -> None:
    """Another worker's key was revoked while this one's call was on its way."""

    def taken() -> Any:
        load._stop()
        raise error

    ashby = Notes(lambda _candidate: [], taken)
    load = load_of(store, ashby)
    load.settle_s = 600.0
    with load._places:
        assert Chain(load).run([row("a", "p-a")]) == 1
    assert (ashby.n_sent, ashby.n_looks) == (1, 0)
    entry = load.ledger.entry("row-a")
    assert entry is not None
    assert entry.state == ("again" if isinstance(error, UnavailableError) else "unknown")


def test_a_run_that_stops_wakes_up_who_is_waiting_to_look(store: Store) -> None:
    """Ten minutes of settling delay are not waited for."""
    one = row("a", "p-a")
    ashby = Notes(lambda _candidate: [])
    load = load_of(store, ashby)
    load.settle_s = 600.0
    load.ledger.intend(one)
    load.ledger.settle(one, "unknown")
    load._stop()
    assert found_out(load, one) is doubt.OPEN
    assert ashby.n_looks == 0


def test_a_run_that_stops_asks_no_further_how_a_job_stands(store: Store) -> None:
    """Waiting ends at once when the run stops: what waits in a loop must end with it, not go round and round."""
    asked = []

    def call(endpoint: str, _body: dict[str, Any]) -> Any:
        asked.append(endpoint)
        raise NotFoundError("Not there.", code="job_not_found")

    load = load_of(store, SimpleNamespace(call=call, transport=SimpleNamespace(n_calls=0)))  # type: ignore[arg-type]
    load.settle_s = 600.0
    load._stop()
    with load._places:
        assert not guard.was_done(load, sent(load, "job.setStatus"), {"jobId": "j", "status": "Open"})
    assert asked == []


# ---- several notes of one candidate --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "late"), [("job.setStatus", True), ("candidate.addTag", True), ("job.setStatus", False)]
)
def test_a_change_that_is_shown_late_is_not_made_again(store: Store, kind: str, late: bool) -> None:
    """What Ashby shows before the settling delay is over proves nothing of a change: it is looked at once, after it."""
    began, looks = time.monotonic(), []

    def call(_endpoint: str, _body: dict[str, Any]) -> Any:
        looks.append(time.monotonic() - began)
        shown = late and looks[-1] >= SETTLE
        return SimpleNamespace(results={"status": "Open", "tags": [{"id": "t"}]} if shown else {"status": "Draft"})

    ashby: Any = Notes(lambda _: [])
    ashby.call = call
    load = load_of(store, ashby)
    with load._places:
        body = {"jobId": "j", "status": "Open", "candidateId": "c", "tagId": "t"}
        assert late == guard.was_done(load, sent(load, kind), body)
    assert len(looks) == 1


@pytest.mark.parametrize("sends", [True, False])
def test_a_tag_that_was_not_looked_for_to_the_end_is_not_set_again_by_a_run_that_stops(
    store: Store, sends: bool
) -> None:
    """It may stand there already, not shown yet: the next run looks when it has time to."""
    one = replace(row("a", "p-a"), kind="candidate.addTag", body={"candidateId": "c", "tagId": "t"})
    ashby: Any = Notes(lambda _: [])
    load = load_of(store, ashby)
    load.settle_s = 600.0
    load.ledger.intend(one)
    load.ledger.settle(one, "unknown")
    threading.Timer(0.2, load._stop).start()
    with load._places:
        entry = load.ledger.entry("row-a")
        assert entry is not None
        if sends:
            Chain(load)._follow(one, dict(one.body), entry)
        else:
            Chain(load).clear_up([(one, entry)])
    assert load.ledger.entry("row-a") == entry
    assert (ashby.n_sent, ashby.n_looks) == (0, 0)


def test_how_a_value_stands_is_not_asked(store: Store) -> None:
    """To set it again is harmless: no call is spent, and nobody waits."""
    ashby: Any = Notes(lambda _: [])
    load = load_of(store, ashby)
    assert not guard.was_done(load, sent(load, "customField.setValues"), {"objectId": "c"})


class Pile(Notes):
    """A candidate whose notes are taken, or lost before or after they were taken, as `fates` say, one after another."""

    def __init__(self, *fates: str, delay_s: float = 0.0) -> None:
        super().__init__(self._visible)
        self._fates, self._delay_s = list(fates), delay_s
        self.taken: list[tuple[float, str]] = []

    def _visible(self, _candidate: str) -> list[str]:
        return [note for at, note in self.taken if time.monotonic() >= at + self._delay_s]

    def call(self, endpoint: str, body: dict[str, Any]) -> Any:
        assert endpoint == "candidate.createNote"
        self.n_sent += 1
        time.sleep(0.005)  # as any call takes: what is sent next is sent later
        fate = self._fates.pop(0) if self._fates else "taken"
        if fate != "lost before":
            self.taken.append((time.monotonic(), body["note"].partition("note ")[2].rstrip("]")))
        if fate != "taken":
            raise UnknownOutcomeError("No answer.")
        return SimpleNamespace(results={"id": f"a-{self.taken[-1][1]}"}, request_id="", warnings=[])


def run_of(store: Store, ashby: Notes, rows: list[Planned]) -> Load:
    Ledger(store).put_plan(rows, plan_hash="one pile")
    load = load_of(store, ashby)
    with load._places:
        Chain(load).run(rows)
    return load


def states(load: Load, rows: list[Planned]) -> list[str]:
    return [entry.state for one in rows if (entry := load.ledger.entry(one.row_id))]


PILE = [row(name, "p-a") for name in "abcdef"]


@pytest.mark.parametrize("delay_s", [0.0, 0.5 * SETTLE])
def test_lost_answers_of_one_candidates_notes_are_looked_up_in_one_list(store: Store, delay_s: float) -> None:
    """Four of six were lost, two of them before they were taken: one list, two more calls, each note once."""
    ashby = Pile("lost after", "lost before", "taken", "lost after", "lost before", "taken", delay_s=delay_s)
    load = run_of(store, ashby, PILE)
    assert states(load, PILE) == ["done"] * 6
    assert sorted(note for _, note in ashby.taken) == list("abcdef")
    assert ashby.n_sent == 8
    assert ashby.n_looks == 1 or (delay_s and ashby.n_looks <= 3)  # what was sent last may not be in sight yet


def test_a_list_that_was_read_too_early_makes_no_note_twice(store: Store) -> None:
    """Ashby shows later than the settling delay: nothing is taken for absent by the list that all share."""
    ashby = Pile("lost after", "lost after", "taken", "lost after", delay_s=2.5 * SETTLE)
    rows = PILE[:4]
    load = run_of(store, ashby, rows)
    assert states(load, rows) == ["done"] * 4
    assert sorted(note for _, note in ashby.taken) == list("abcd")


def test_what_others_are_shown_after_the_shared_list_was_read_proves_nothing_of_it(store: Store) -> None:
    """Somebody else's later note comes into sight while ours are looked up: our list was read before."""
    rows = PILE[:2]

    class Slow(Pile):
        def items(self, endpoint: str, body: dict[str, Any]) -> list[dict[str, Any]]:
            found = super().items(endpoint, body)
            if self.n_looks == 1:
                load_now[0].show("candidate.createNote", now_ms() + 60_000)
                return []
            return found

    load_now: list[Load] = []
    ashby = Slow("lost after", "lost after")
    Ledger(store).put_plan(rows, plan_hash="one pile")
    load_now.append(load_of(store, ashby))
    with load_now[0]._places:
        Chain(load_now[0]).run(rows)
    assert sorted(note for _, note in ashby.taken) == ["a", "b"]
    assert states(load_now[0], rows) == ["done"] * 2


def test_a_note_that_is_lost_twice_is_looked_up_anew(store: Store) -> None:
    """Sent again after the list was read, and lost again, but taken: that list does not know of it."""
    ashby = Pile("lost before", "taken", "lost after")
    rows = PILE[:2]
    load = run_of(store, ashby, rows)
    assert states(load, rows) == ["done"] * 2
    assert sorted(note for _, note in ashby.taken) == ["a", "b"]


def test_a_private_note_is_looked_up_before_the_next_one_is_sent(store: Store) -> None:
    """It might stand there for everybody to see: nothing else is written before that is known."""
    rows = [replace(one, body=one.body | {"isPrivate": True}) for one in PILE[:2]]
    order: list[str] = []

    class Private(Pile):
        def items(self, endpoint: str, body: dict[str, Any]) -> list[dict[str, Any]]:
            order.append("look")
            return [one | {"isPrivate": True} for one in super().items(endpoint, body)]

        def call(self, endpoint: str, body: dict[str, Any]) -> Any:
            order.append("send")
            answer = super().call(endpoint, body)
            answer.results["isPrivate"] = True
            return answer

    load = run_of(store, Private("lost after"), rows)
    assert order == ["send", "look", "send"]
    assert states(load, rows) == ["done"] * 2


def test_notes_without_an_outcome_of_an_earlier_run_are_looked_up_together(store: Store) -> None:
    """A process died with three of them; the next one reads the list once."""
    rows = PILE[:3]
    ashby = Pile()
    Ledger(store).put_plan(rows, plan_hash="one pile")
    for one in rows:
        Ledger(store).intend(one)
        ashby.taken.append((time.monotonic(), one.lever_id))
    load = load_of(store, ashby)
    with load._places:
        Chain(load).run(rows)
    assert (states(load, rows), ashby.n_sent, ashby.n_looks) == (["done"] * 3, 0, 1)


def test_a_run_that_stops_leaves_lost_notes_to_the_next_one(store: Store) -> None:
    """Their outcome stays open in the ledger."""
    rows = PILE[:2]

    class Stopping(Pile):
        def call(self, endpoint: str, body: dict[str, Any]) -> Any:
            if self.n_sent == 1:
                load_now[0]._stop()
            return super().call(endpoint, body)

    load_now: list[Load] = []
    ashby = Stopping("lost after", "lost after")
    Ledger(store).put_plan(rows, plan_hash="one pile")
    load_now.append(load_of(store, ashby))
    with load_now[0]._places:
        Chain(load_now[0]).run(rows)
    assert (states(load_now[0], rows), ashby.n_looks) == (["unknown"] * 2, 0)
