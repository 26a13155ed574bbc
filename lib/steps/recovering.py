"""A lost store: made anew from Lever, and the ledger from what stands in Ashby. Writes nothing to Ashby."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lib import dedupe as people_finder
from lib import load as loading
from lib import recover as recovery
from lib.errors import GateError
from lib.mapping.model import MARKERS
from lib.normalize import csv_plain, email_canonical, iso_to_ms
from lib.recover import Contact, Crosswalk, Known, Report, World
from lib.steps.deciding import dedupe, map
from lib.steps.lost import begun, contact_of
from lib.steps.reading import accepted, audit, extract
from lib.steps.target import read_candidates, read_synced, read_target
from lib.steps.writing import export_crosswalk
from lib.store import marks, now_ms
from lib.store.ledger import AMBIGUOUS, Ledger
from lib.workbook import Workbook

Item = dict[str, Any]


@dataclass(frozen=True)
class RecoverResult:
    """What was found in Ashby, the hash of the plan, and the calls that the next load will make, by endpoint."""

    report: Report
    plan_hash: str
    calls: dict[str, int]

    def lines(self) -> Iterator[str]:
        """The result in words."""
        yield from recovery.lines(self.report)
        yield f"plan {self.plan_hash}"
        yield "A load would send: " + (", ".join(f"{n:,} {name}" for name, n in self.calls.items()) or "nothing")


def is_intact(book: Workbook) -> bool:
    """True when the ledger is whole: it has outcomes or links, and no recovery is under way or waits for a person."""
    if begun(book):
        return False
    waiting = any(entry.code == AMBIGUOUS for _, entry in Ledger(book.store).entries("parked"))
    return not marks.is_untouched(book.store) and not waiting


def recover(book: Workbook, *, accept_empty: bool = False) -> RecoverResult:
    """Make the plan as before, and write into the ledger what of it stands in Ashby. May be killed and run again.

    `accept_empty`: Ashby holds nothing of this customer, and that is known to be right.
    """
    _begin(book)
    if not book.store.results("audit", "findings"):
        audit(book)
    if not book.store.meta("extract.finished_ms"):
        extract(book)
    with book.writing("recover"):
        world, known = _read(book), _known(book)
        _check_account(book, world, known, accept_empty=accept_empty)
        found = recovery.ours(world, known)
        marks.put_marks(book.store, found)
        _remember_people(book, world)
    dedupe(book)
    plan_hash = _map(book).plan_hash
    with book.writing("recover"):
        _attach(book, world, known)
    if marks.is_extended(book.store):  # of some notes, later versions stand there: the plan is made over those
        plan_hash = map(book).plan_hash
    with book.writing("recover"):
        return _finish(book, world, plan_hash)


def _begin(book: Workbook) -> None:
    with book.writing("recover"):
        state = (book.store.meta("recover") or {}).get("state")
        if state is None:
            rows = _crosswalk_rows(book)
            with book.store.begin() as tx:
                book.store.put_ashby(tx, "crosswalk", ((str(n), row) for n, row in enumerate(rows)), whole=True)
        if state != "begun":
            marks.begin_again(book.store)
            book.store.put_meta("recover", {"state": "begun", "at_ms": now_ms()})


def _map(book: Workbook) -> Any:
    """The plan; once more when it shows that a custom field was not ours after all."""
    made = map(book)
    marked = {key for key, mark in marks.marks(book.store).items() if mark.link.startswith("custom_field:")}
    unlike = recovery.unlike(Ledger(book.store).rows(""), book.store.ashby("custom_fields", own=True), marked)
    if unlike:
        with book.writing("recover"):
            marks.drop_marks(book.store, ids=unlike)
        made = map(book)
    return made


def _attach(book: Workbook, world: World, known: Known) -> None:
    sent_anyway = {one.removeprefix("recover:") for one in accepted(book) if one.startswith("recover:")}
    recovery.Attach(
        book.store,
        book.ashby,
        world,
        known,
        sent_anyway=frozenset(sent_anyway),
        since_ms=_since(book, world),
        workers=book.params.ashby.workers,
        progress=book.progress("recover"),
    ).run()


def _finish(book: Workbook, world: World, plan_hash: str) -> RecoverResult:
    marks.drop_marks(book.store, kinds=marks.SET_UP)
    report = recovery.report(book.store, world)
    for name in ("counts", "ambiguous", "surplus", "changed", "merged"):
        book.store.put_results("recover", name, getattr(report, name))
    export_crosswalk(book)
    book.store.put_meta("recover", {"state": "done", "at_ms": now_ms(), "plan_hash": plan_hash})
    return RecoverResult(report, plan_hash, dict(sorted(loading.dry_run(book.store).items())))


# ---- reading Ashby -----------------------------------------------------------------------------------------------
def _read(book: Workbook) -> World:
    """Everything that carries marks. What was read before is only brought up to date."""
    tell = book.progress("recover")
    tell(0, None, "reading the people in Ashby")
    read_target(book)
    read_candidates(book)
    tell(0, None, "reading the applications in Ashby")
    read_synced(book, "applications", "application.list", cut=recovery.cut_application)
    tell(0, None, "reading the feedback in Ashby")
    read_synced(book, "feedback", "applicationFeedback.list", cut=recovery.cut_feedback)

    def by_id(kind: str) -> dict[str, Item]:
        return {str(one["id"]): one for one in book.store.ashby(kind, own=True)}

    kinds = ("candidates", "applications", "jobs", "custom_fields", "tags")
    return World(*(by_id(kind) for kind in kinds), feedback=recovery.submissions(by_id("feedback").values()))


def _check_account(book: Workbook, world: World, known: Known, *, accept_empty: bool) -> None:
    """GateError when this does not look like the Ashby organization into which this customer was loaded.

    The ids of its users, by which a load knows it, were in the store that was lost.
    """
    loaded = {key for (endpoint, kind, _), ids in known.crosswalk.made.items() if kind == "contact" for key in ids
              if endpoint in ("candidate.create", "link")}  # fmt: skip
    hint = "Check ASHBY_API_KEY."
    if loaded and not loaded & world.candidates.keys():
        raise GateError(
            f"None of the {len(loaded)} candidates of runs/{book.customer}/crosswalk.csv is in this Ashby.", hint=hint
        )
    ours = (
        known.contacts.keys() & world.by_contact.keys()
        or known.opportunities.keys() & world.by_opportunity.keys()
        or known.postings.keys() & world.by_posting.keys()
    )
    begun = any(one.get("title") == MARKERS["Candidate"] for one in world.fields.values())
    if ours or accept_empty or (begun and not world.n_marked):
        return
    told = f"{world.n_marked} objects in this Ashby carry Lever ids, and none of them is of" if world.n_marked else (
        "Nothing in this Ashby carries a Lever id of"
    )  # fmt: skip
    more = "If nothing of this customer was ever loaded: workbook recover CUSTOMER --accept-empty"
    raise GateError(f"{told} this Lever account.", hint=f"{hint} {more.replace('CUSTOMER', book.customer)}")


# ---- what Lever and the decisions say ----------------------------------------------------------------------------
def _known(book: Workbook) -> Known:
    store = book.store
    opportunities = {one["id"]: (contact_of(one), int(one.get("createdAt") or 0)) for one in store.all("opportunities")}
    postings = {row["id"]: recovery.verdict_is_new(row["verdict"]) for row in book.table("postings").rows}
    titles = {str(tag) for one in store.all("opportunities") for tag in one.get("tags") or []}
    titles |= {row["verdict"] for row in book.table("tags").rows} | {book.params.policy.run_tag or ""}
    fields = (row["verdict"].partition(":") for row in book.table("custom_fields").rows)
    return Known(
        contacts={row["id"]: _contact(row) for row in _contacts(book)},
        opportunities=opportunities,
        postings=postings,
        titles=frozenset(" ".join(title.split()).casefold() for title in titles),
        fields=frozenset((kind.strip().capitalize(), title.strip()) for kind, colon, title in fields if colon),
        crosswalk=_crosswalk(store.ashby("crosswalk")),
    )


def _contacts(book: Workbook) -> list[Item]:
    return people_finder.contacts_table(book.store.all("opportunities")).to_dict("records")


def _contact(row: Item) -> Contact:
    names = {" ".join(str(name).split()).lower() for name in row["names"]} or {f"no name (lever {row['id'][:8]})"}
    mails = {str(mail).lower() for mail in row["emails"]}
    mails |= {canonical for mail in row["emails"] if (canonical := email_canonical(mail))}
    return Contact(int(row["created_ms"]), frozenset(names), frozenset(mails))


def _remember_people(book: Workbook, world: World) -> None:
    """Who was one person when they were loaded, by the marks that name several contacts: they keep their id."""
    if next(book.store.members(), None) is not None:
        return
    groups = [recovery.marks_in("Candidate", one) for one in world.candidates.values()]
    person_of = {contact: group[0] for group in groups for contact in group}
    members = [{"contact": contact, "person": person, "why": "loaded so"} for contact, person in person_of.items()]
    book.store.put_people([], members, [])


def _crosswalk_rows(book: Workbook) -> Iterator[Item]:
    """The rows of crosswalk.csv, where the last load has left one."""
    path = book.folder / "crosswalk.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if all(row.get(name) for name in ("lever_type", "lever_id", "endpoint", "ashby_id")):
                yield {name: csv_plain(str(value)) for name, value in row.items() if name}


def _crosswalk(rows: list[Item]) -> Crosswalk:
    made: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        made.setdefault((row["endpoint"], row["lever_type"], row["lever_id"]), set()).add(row["ashby_id"])
    return Crosswalk({key: frozenset(ids) for key, ids in made.items()})


def _since(book: Workbook, world: World) -> int | None:
    """The earliest moment at which a load can have made a job: by the log, or by the jobs that carry our mark."""
    rows = Ledger(book.store).link_rows()
    mine = {row["ashby_id"] for row in rows if row["ashby_type"] == "job" and row["origin"] == "created"}
    jobs = (world.jobs[key] for key in mine & world.jobs.keys())
    moments = [iso_to_ms(one["createdAt"]) for one in jobs if one.get("createdAt")]
    return min([*moments, *_loads_begun(book)], default=None)


def _loads_begun(book: Workbook) -> Iterator[int]:
    path = book.folder / "log.jsonl"
    for line in path.read_text("utf-8", "replace").splitlines() if path.is_file() else ():
        try:
            event = json.loads(line)
            if event.get("event") == "begin" and event.get("step") == "load":
                yield int(event["at_ms"])
        except (ValueError, AttributeError, KeyError, TypeError):
            continue  # a line that a crash has cut off tells nothing
