"""One chain of the plan: rows that depend on each other, carried out in order, each through the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib import contract
from lib.errors import (
    FatalError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    RetryableError,
    StoreError,
    UnavailableError,
    UnknownOutcomeError,
)
from lib.load import doubt, guard, privacy
from lib.load.lookup import NOTE, can_look_up, file_ids
from lib.load.moved import GONE, MovedError, look_after
from lib.load.uploads import FILES, Uploads
from lib.store import now_ms
from lib.store.ledger import AMBIGUOUS, CHANGED, CONFLICT, Entry, Planned

if TYPE_CHECKING:
    from lib.load import Load

TRIES = 12  # how often a row that surely was not applied is sent before the run stops
UNSURE = ("intended", "unknown", "parked")


class MissingLinkError(Exception):
    """A row needs the Ashby id of something that has none yet."""


class Chain:
    """Carries out chains; one instance per chain, so that nothing is shared but the load itself."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.ledger = load.ledger
        self.uploads = Uploads(load)
        self.n_writes = 0
        self._rows: list[Planned] = []
        self._is_gone = False  # the candidate is not in Ashby any more: nothing that follows can be sent
        self._left_alone: list[str] = []  # what the row in hand does not set, because somebody else has set it
        self._adopted: set[str] = set()  # whom and what these rows only link: in Ashby before us
        self._open: list[Planned] = []  # notes whose answers were lost: looked up together when the others are done
        self._shelf: doubt.Shelf | None = None
        self._earlier: dict[str, dict[str, Any]] = {}  # bodies of the rows that an earlier run has carried out

    def run(self, rows: list[Planned]) -> int:
        """Carry out what is not done of `rows`, in order; returns how many writes were sent."""
        entries = self.ledger.of(rows)
        self._rows, mine = rows, {row.row_id for row in rows}
        self._adopted = {row.person or row.lever_id for row in rows if row.kind == "link"}
        done = {key for key, entry in entries.items() if entry.state == "done"}
        self._earlier = {row.row_id: row.body for row in rows if row.row_id in done}
        # all of it before the first row: nobody stands in Ashby without the mark that he is ours for longer than needed
        self.load.wait_for({one for row in rows if row.row_id not in done for one in row.needs} - mine)
        self.load.settled(sum(row.row_id in entries and self._is_closed(row, entries[row.row_id]) for row in rows))
        self._is_gone = any(entry.code == GONE for entry in entries.values()) and not self.load.retry_refused
        for row in rows:
            entry = entries.get(row.row_id)
            if self.load.stopping or self._is_gone:
                break
            if entry is not None and self._is_closed(row, entry):
                continue
            if row.kind == "link":
                self._link(row)
                continue
            try:
                body = self._filled(row)
            except MissingLinkError:
                continue  # stays planned: its parent was refused, is parked, or was not part of this run
            try:
                self._follow(row, body, entry)
            except RejectedError as error:  # a look-up was refused: the row's outcome stays open, the others go on
                self.load.refused(row, error)
        self._look_at_open()
        return self.n_writes

    def _look_at_open(self) -> None:
        """Look up the notes whose answers were lost, all in one list, and send again those that are not there.

        The newest first: where it is shown, what was sent before it would be, too.
        """
        rows, self._open = self._open, []
        if not rows or self.load.stopping:
            return
        done = (one for one in self.ledger.of(self._rows).values() if one.state == "done" and one.ashby_id)
        # of one millisecond what was begun is later than what was recorded: the calls of a chain follow one another
        self._shelf = doubt.Shelf(self.load, rows, {str(one.ashby_id): one.first_ms + 1 for one in done})
        for row in reversed(rows):
            if self.load.stopping:
                return
            try:
                self._follow(row, self._filled(row), self.ledger.entry(row.row_id))
            except RejectedError as error:
                self.load.refused(row, error)

    def clear_up(self, rows: list[tuple[Planned, Entry]]) -> int:
        """Look up rows without an outcome, sending nothing: adopted, parked, or surely not there; says how many."""
        for row, entry in rows:
            try:
                body = self._filled(row)
            except MissingLinkError:
                continue
            if (told := doubt.decided(self.load, row, body, entry)) is not None:
                found = told
            elif can_look_up(row.kind):
                found = doubt.find_out(self.load, row, body, first_ms=entry.first_ms)
            else:
                found = doubt.Judgement(*guard.standing(self.load, row, body))
            if not self._taken(row, body, found):
                self.ledger.settle(row, "again", note="not in Ashby after the settling delay")
        return len(rows)

    def _is_closed(self, row: Planned, entry: Entry) -> bool:
        same = entry.body_hash == row.body_hash
        if entry.state == "parked" and entry.code == AMBIGUOUS:
            return True
        if entry.state == "refused":
            return same and not self.load.retry_refused
        return same and (entry.state == "done" or (entry.state == "parked" and entry.code == CHANGED))

    def _link(self, row: Planned) -> None:
        """Adopt an object that was in Ashby before us: no call, only the link."""
        ashby_id = row.body["ashbyId"]
        kind = {"candidate": "candidates", "job": "jobs"}.get(row.body["ashbyType"].lower(), "")
        snapshot = self.ledger.target(kind, ashby_id) if kind else None
        self.ledger.settle(row, "done", ashby_id=ashby_id, origin="existing", snapshot=snapshot)
        self._known(row, ashby_id)
        self.load.settled()

    def _known(self, row: Planned, ashby_id: str | None) -> None:
        if row.link and ashby_id:
            self.load.links[row.link] = ashby_id

    def _filled(self, row: Planned) -> dict[str, Any]:
        try:
            body = self.load.filled(row.body)
        except KeyError as link:
            raise MissingLinkError(link) from None
        if row.kind in FILES:
            wanted = row.body[FILES[row.kind]]["$file"]
            body["$name"] = wanted["filename"]
            path = self.load.store.file_path(wanted["sha256"])
            if not path.is_file() or path.stat().st_size != wanted["contentLength"]:
                raise StoreError(
                    f"The bytes of file {wanted['lever_id']} are not in the store as they were extracted.",
                    hint="Run 02_extract again: it fetches files that are missing.",
                )
        return body

    def _follow(self, row: Planned, body: dict[str, Any], entry: Entry | None) -> None:
        """One row; when its candidate turns out to have been merged into another one, that one's."""
        for _ in range(TRIES):
            try:
                return self._row(row, body, entry)
            except MovedError:  # surely not applied under the old id; what was tried before is looked for under the new
                body, entry = self._filled(row), self.ledger.entry(row.row_id)
        raise UnavailableError(f"Ashby: the candidate of {row.lever_type} {row.lever_id} moves on and on.")

    # ---- one row -----------------------------------------------------------------------------------------------
    def _row(self, row: Planned, body: dict[str, Any], entry: Entry | None) -> None:
        first_ms = entry.first_ms if entry else now_ms()
        self._left_alone = []
        if entry is not None and (entry.state == "done" or entry.code == CHANGED):
            if not self._may_send_again(row, body, entry):
                return
        elif entry is not None and self._found(row, body, entry):
            return
        wanted = self._guarded(row, body, entry)
        unsure = seen = False  # it may have been done by an earlier try; that has just been looked up
        for attempt in range(TRIES):
            if attempt and self.load.stopping:
                return  # it stays as it is, and the next run goes on with it
            if wanted is None or (unsure and not seen and self._taken(row, body, self._glance(row, body, first_ms))):
                return
            seen = False
            try:
                self._send(row, wanted)
                return
            except UnknownOutcomeError as error:
                note = error.message
                self.ledger.settle(row, "unknown", note=note, request_id=error.request_id, call={"request": wanted})
                if self._shelf is not None:
                    self._shelf.forget(body["candidateId"])
                if self._clarified(row, body, first_ms):
                    return
                if not can_look_up(row.kind):  # nothing was waited for; repeated at once, all tries would be used up
                    self.load.back_off(attempt)
                unsure = seen = True
            except RateLimitedError:
                continue  # the pacer holds everybody back
            except UnavailableError as error:
                self.load.back_off(attempt, told=error.wait)
        raise UnavailableError(
            f"Ashby: {row.kind} for {row.lever_type} {row.lever_id} could not be sent in {TRIES} tries.",
            hint="Nothing is lost. Run the step again when Ashby answers.",
        )

    def _found(self, row: Planned, body: dict[str, Any], entry: Entry) -> bool:
        """True when what an earlier run left open needs no sending. Sent more than once: one more look, to be sure."""
        if (told := doubt.decided(self.load, row, body, entry)) is not None:
            return self._taken(row, body, told)
        if entry.state in UNSURE:
            return self._clarified(row, body, entry.first_ms)
        return entry.attempts > 1 and self._taken(row, body, self._glance(row, body, entry.first_ms))

    def _may_send_again(self, row: Planned, body: dict[str, Any], entry: Entry) -> bool:
        """A row that was done has a new body: set it again where setting is possible, else say so.

        It is parked under its own code and with its id: a look-up would find the object and call it done, or, by the
        new body, not find it and make a second one.
        """
        if contract.effect(row.kind) in ("set", "get_or_create"):
            return True
        if self.ledger.last_request(row.row_id) == body:
            self._done(row, entry.ashby_id, note="changed back to what was loaded")
            return False
        note = "changed in Lever after it was loaded; Ashby has no call that changes it"
        self.ledger.settle(row, "parked", ashby_id=entry.ashby_id, code=CHANGED, note=note)
        self.load.settled()
        return False

    def _guarded(self, row: Planned, body: dict[str, Any], entry: Entry | None) -> dict[str, Any] | None:
        """What of `body` is to be set; None when the target already stands so, or when somebody's edit wins."""
        try:
            return self._compared(row, body, entry)
        except NotFoundError:  # not to be seen yet, or gone: Ashby will say which
            return body

    def _compared(self, row: Planned, body: dict[str, Any], entry: Entry | None) -> dict[str, Any] | None:
        if row.kind == "customField.updateSelectableValues":
            return guard.with_current_options(self.load.ashby, body)
        people_were_there = entry is not None or self._is_adopted(row) or self._amends(row)
        if contract.effect(row.kind) != "set" or not people_were_there:
            return body
        if guard.is_there(self.load.ashby, row.kind, body):
            self._stood(row, body, entry)
            return None
        written = self._written(row)
        left, self._left_alone = guard.without_conflicts(self.load.ashby, row.kind, body, written=written)
        if left is None:
            self._stood(row, guard.without(body, self._left_alone), entry)
        return left

    def _stood(self, row: Planned, body: dict[str, Any], entry: Entry | None) -> None:
        """Nothing is left to set. What an earlier try of ours has set counts as ours: a later change may replace it."""
        call = {"request": body, "answer": {"found": "stood there already"}} if entry is not None else None
        self._done(row, None, note="stood there already", call=call)

    def _amends(self, row: Planned) -> bool:
        """True when a row changes what an earlier run has made."""
        return row.kind in guard.AMENDMENTS and any(row_id in self._earlier for row_id in row.needs)

    def _written(self, row: Planned) -> dict[str, Any] | None:
        """What the workbook has set so far of what `row` sets: when the object was made, and by this row before."""
        # what a refused call of several values has set all the same (not known of Ashby) is ours, too
        earlier = guard.merged(self.ledger.requests(row.row_id, refused=row.kind == "customField.setValues"))
        if row.kind not in guard.AMENDMENTS:
            return earlier
        written: dict[str, Any] = {}
        for row_id in row.needs:
            made = self.load.filled(self._earlier.get(row_id, {}))
            written |= made | ({"websiteUrl": made["website"]} if "website" in made else {})
        return written | (earlier or {})

    def _is_adopted(self, row: Planned) -> bool:
        return row.person in self._adopted or row.lever_id in self._adopted

    def _send(self, row: Planned, body: dict[str, Any]) -> None:
        """Intention, call, outcome: the three steps, each on disk before the next."""
        self.load.fail_at("before intend", row)
        self.ledger.intend(row, touched=self._touched(row))
        self.load.fail_at("intended", row)
        self.n_writes += 1
        try:
            answer = self.load.ashby.call(row.kind, self.uploads.body_of(row, body))
        except RejectedError as error:
            if self.uploads.forget():
                self.ledger.settle(row, "again", code=error.code, note="the handle was refused at its second use")
                raise UnavailableError(f"Ashby: {error.message}") from None
            self._refused(row, body, error)
            return
        except (RetryableError, FatalError) as error:
            self.ledger.settle(row, "again", code=getattr(error, "code", ""), note=error.message)
            raise
        self.load.fail_at("answered", row)
        ashby_id = self._made(row, answer.results, body)
        call = {"request": body, "answer": answer.results}
        exposed = privacy.is_exposed(body, answer.results)
        if ashby_id is None and (row.link or exposed):  # what hangs on it could never be sent: look for it
            raise UnknownOutcomeError(f"Ashby: {row.kind} says success and gives no id.", request_id=answer.request_id)
        if exposed:
            privacy.expose(self.load, row, body, ashby_id, request_id=answer.request_id, call=call)
        note = ", ".join(answer.warnings)
        self._done(row, ashby_id, note=note, request_id=answer.request_id, call=call)
        self.load.fail_at("settled", row)

    def _refused(self, row: Planned, body: dict[str, Any], error: RejectedError) -> None:
        """Set a row aside; when it was its candidate that is not there any more, everything that follows, too."""
        told = ""
        if isinstance(error, NotFoundError):
            try:
                told = look_after(self.load, row, self._rows)
            except MovedError:
                self.ledger.settle(row, "again", code=error.code, note="its candidate was merged into another one")
                raise
        self._is_gone = bool(told)
        code, note = (GONE, told) if told else (error.code, error.message)
        call = {"request": body, "answer": {"code": error.code}}
        self.ledger.settle(row, "refused", code=code, note=note, request_id=error.request_id, call=call)
        self.load.refused(row, error)
        self.load.settled()

    def _done(self, row: Planned, ashby_id: str | None, **more: Any) -> None:
        existed = ashby_id is not None and (ashby_id in self.load.preexisting or ashby_id in self.load.before)
        if self._left_alone:
            more |= {"code": CONFLICT, "note": ", ".join(sorted(self._left_alone))}
        origin = "existing" if existed else "created"
        self.ledger.settle(row, "done", ashby_id=ashby_id, origin=origin, **more)
        self._known(row, ashby_id)
        self.load.settled()

    def _touched(self, row: Planned) -> tuple[str, Any] | None:
        """(id, how it was) of an object that was there before us and that this row changes: plans stay equal."""
        if row.kind != "customField.updateSelectableValues":
            return None
        ashby_id = self.load.filled(row.body["customFieldId"])
        if ashby_id not in self.load.before:
            return None
        return ashby_id, self.ledger.target("custom_fields", ashby_id)

    def _made(self, row: Planned, results: Any, body: dict[str, Any]) -> str | None:
        """The id of what a call made, or of what it was done to; None when the answer does not tell."""
        if not isinstance(results, dict):
            return None
        if row.kind in FILES:
            return next(iter(file_ids(results, body["$name"])), None)
        if row.kind == "applicationFeedback.submit":
            return str((results.get("submittedFormInstance") or {}).get("id") or "") or None
        return str(results["id"]) if results.get("id") else None

    # ---- unknown outcomes --------------------------------------------------------------------------------------
    def _clarified(self, row: Planned, body: dict[str, Any], first_ms: int) -> bool:
        """Look up what became of a write. True when it needs no sending (now): adopted, parked, or looked up later.

        Nothing hangs on a note, so that all of a chain are looked up together; but for private ones, which might stand
        there for everybody to see.
        """
        if self._shelf is None and row.kind == NOTE and not row.body.get("isPrivate"):
            self._open.append(row)
            return True
        if not can_look_up(row.kind):
            if guard.was_done(self.load, row, body):
                self._done(row, None, note="found done after its answer was lost")
                return True
            return self.load.stopping  # setting the same state again does no harm, but for what was not looked at
        judged = doubt.find_out(self.load, row, body, first_ms=first_ms, shelf=self._shelf)
        if judged.note == doubt.LATE:
            look_after(self.load, row, self._rows)  # nothing is shown of a candidate that was merged into another one
        return self._taken(row, body, judged)

    def _glance(self, row: Planned, body: dict[str, Any], first_ms: int) -> doubt.Judgement:
        return doubt.glance(self.load, row, body, first_ms=first_ms) if can_look_up(row.kind) else doubt.ABSENT

    def _taken(self, row: Planned, body: dict[str, Any], found: doubt.Judgement) -> bool:
        """Record what a look-up has found out; False when the row is still to be sent."""
        if found.state == "done":
            call = {"request": body, "answer": {"found": "by a look-up"}}
            self._done(row, found.ashby_id, note=found.note, call=call)
        elif found.state == "public":
            privacy.expose(self.load, row, body, found.ashby_id)
        elif found.state == "parked":
            self.ledger.settle(row, "parked", note=found.note)
            self.load.settled()
        return found.state != "absent"
