"""Step 6: did it arrive, all of it, and nothing else?

Expected is what the rows of the plan say that are done in the ledger, and what Lever's raw answers hold. Ashby's lists
are walked to their ends and compared in both directions; notes, histories and the bytes of files are read for a sample.
A result is green when no critical difference is left, no row is without an outcome, and Ashby refused nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pandas import DataFrame

from lib.ashby import Ashby
from lib.pool import run_all
from lib.store import Store, dumps, now_ms
from lib.store.ledger import Ledger
from lib.validate import closely, counts
from lib.validate.candidacies import compare_application
from lib.validate.edits import Edits
from lib.validate.expected import Person, Row, chains, person_of, set_up_of, with_outcomes
from lib.validate.feedbacks import compare_feedback
from lib.validate.findings import COLUMNS, REFUSED, Findings, Subject
from lib.validate.habits import Habits, measure, tell
from lib.validate.leftovers import name_leftovers
from lib.validate.people import compare_candidate, compare_set_up
from lib.validate.shelf import Pairs, Scratch, Shelf
from lib.validate.shelf import scratch as scratch_in
from lib.validate.surplus import (
    find_doubles_of_address,
    find_orphans,
    find_strange_applications,
    find_strange_feedback,
    find_surplus,
    find_twins,
    pair_key,
)
from lib.validate.target import Progress, Target, read_target
from lib.validate.values import in_units

__all__ = ["ValidateResult", "run"]
_SAMPLE = ("object", "lever_id", "field", "why", "n_expected", "n_equal", "share", "severity")


@dataclass(frozen=True)
class ValidateResult:
    """What a validation found. `suites` is filled by the step that runs the checks; everything else by `run`.

    `n_refused` rows were refused by Ashby and set aside, and `n_waiting` rows hang on those: without a critical
    difference the result is not `ok`, and no gate closes for them.
    """

    counts: DataFrame
    differences: DataFrame
    fidelity: DataFrame
    sample: DataFrame
    ok: bool
    certificate: dict[str, Any]
    suites: DataFrame = field(default_factory=DataFrame)
    n_refused: int = 0
    n_waiting: int = 0

    @property
    def sentence(self) -> str:
        """The answer in a sentence."""
        compared = f"{int(self.fidelity['n_expected'].sum()):,} values were compared"
        if self.ok:
            return f"All that was planned has arrived: {compared}, and none differs critically."
        n_critical = int((self.differences["severity"] == "critical").sum())
        said = [f"Not everything is as it should be: {n_critical:,} critical differences."] if n_critical else []
        if self.n_refused:
            said.append(f"{refused_words(self.n_refused, self.n_waiting)}.")
            said += [] if n_critical else [f"In what was loaded, {compared}, and none differs critically."]
        return " ".join(said) or "Nothing is proved: there is no plan whose rows could be compared."


def refused_words(n_refused: int, n_waiting: int) -> str:
    """How many records were set aside, as people say it."""
    records = "1 record was" if n_refused == 1 else f"{n_refused:,} records were"
    wait = "1 more waits" if n_waiting == 1 else f"{n_waiting:,} more wait"
    return f"{records} refused by Ashby and set aside" + (f"; {wait} for them" if n_waiting else "")


@dataclass
class _Run:
    """One validation on its way."""

    store: Store
    ashby: Ashby
    ledger: Ledger
    scratch: Scratch
    findings: Findings
    edits: Edits
    target: Target
    stage_types: Mapping[str, str]
    confidential: set[str]
    habits: Habits = field(default_factory=Habits)
    tally: counts.Tally = field(init=False)
    lacking: counts.Lacking = field(init=False)
    people: closely.People = field(init=False)
    links: Shelf = field(init=False)  # {link: Ashby id}
    known: Pairs = field(init=False)  # Ashby ids that a link holds
    created: Shelf = field(init=False)  # {Ashby id: (person, name, createdAt)} of candidates that the plan made
    feedback_markers: Pairs = field(init=False)

    def __post_init__(self) -> None:
        """Lay out what is remembered, and copy the links."""
        self.tally, self.people = counts.Tally(self.scratch), closely.People(self.scratch)
        self.links, self.created = Shelf(self.scratch), Shelf(self.scratch)
        self.known, self.feedback_markers = Pairs(self.scratch), Pairs(self.scratch)
        self.links.put((row["link"], row["ashby_id"]) for row in self.ledger.link_rows())
        self.lacking = counts.Lacking(self.scratch, self.links)
        for ashby_id in self.links.all():
            self.known.add(ashby_id)


def run(
    store: Store,
    ashby: Ashby,
    *,
    seed: str = "",
    progress: Progress = lambda done, total, note: None,
    workers: int = 8,
    sample_share: float = 0.05,
    sample_min: int = 50,
    run_tag: str = "Migrated from Lever",
    losses: list[dict[str, Any]] | None = None,
    customer: str = "",
    by_posting: bool = False,
    settle_s: float = 0.0,
) -> ValidateResult:
    """Read Ashby back and compare. `seed` decides who is in the sample (default: the hash of the plan).

    `losses` is the loss list of the map step (default: as that step stored it); `by_posting` says that the
    scope chooses among postings. What was written less than `settle_s` seconds ago is waited for: Ashby may not show it
    yet.
    Changes nothing anywhere.
    """
    ledger = Ledger(store)
    _settle(ledger, settle_s, progress)
    seed = seed or ledger.plan_hash()
    with scratch_in(store.folder) as scratch:
        target = read_target(ashby, scratch, progress=progress, workers=workers)
        made = _Run(
            store, ashby, ledger, scratch, Findings(salt=seed), Edits(store), target, _stage_types(store),
            {one["id"] for one in store.all("opportunities") if one.get("confidentiality") == "confidential"},
        )  # fmt: skip
        made.habits = measure(with_outcomes(ledger, ledger.rows()), made.links, target)
        made.findings.unit_ms = made.habits.unit_ms
        tell(made.habits, made.findings)
        _compare_lists(made, progress)
        _compare_surplus(made, run_tag)
        chosen = closely.choose(made.people, seed=seed, share=sample_share, least=sample_min)
        _compare_sample(made, chosen, progress=progress, workers=workers)
        name_leftovers(ledger, target, links=made.links, planned_files=made.tally.files, findings=made.findings)
        made.lacking.name(made.findings)
        known = store.results("map", "losses") if losses is None else losses
        lever = counts.count_lever(store, made.tally, losses=known, by_posting=by_posting)
        counts.name_unexplained(lever, findings=made.findings)
        table = counts.count_rows(made.tally, lever, made.findings)
        return _result(made, table, chosen, seed=seed, customer=customer or store.folder.name)


def _settle(ledger: Ledger, settle_s: float, progress: Progress) -> None:
    left = min(settle_s, settle_s - (now_ms() - ledger.last_ms()) / 1000)
    if left > 0:
        progress(0, None, "waiting until Ashby shows what was written last")
        time.sleep(left)


def _stage_types(store: Store) -> dict[str, str]:
    plans = store.ashby("interview_plans", own=True)
    return {str(one["id"]): str(one.get("type")) for plan in plans for one in plan.get("stages") or []}


def _compare_lists(made: _Run, progress: Progress) -> None:
    """Everything that the lists show, person by person."""
    done = 0
    for name, rows in chains(made.ledger):
        made.tally.add(rows)
        if not name:
            set_up = set_up_of(rows, made.links)
            made.lacking.add(set_up.lacking)
            compare_set_up(set_up, made.target, findings=made.findings, edits=made.edits)
            continue
        person = person_of(name, rows, made.links)
        made.lacking.add(person.lacking)
        _compare_person(made, person, rows)
        done += 1
        if done % 50 == 0:
            progress(done, None, "compared people with Ashby's lists")


def _compare_person(made: _Run, person: Person, rows: list[Row]) -> None:
    for marker in person.markers:
        made.feedback_markers.add(marker)
    if person.candidate is None:
        return
    made.people.add(closely.features(person, rows, made.confidential))
    thing = person.candidate
    found = compare_candidate(person, made.target, findings=made.findings, edits=made.edits)
    if found is not None and not thing.adopted:
        sent = thing.sent
        created_at = in_units(sent.get("createdAt"), made.habits.unit_ms)
        made.created.put([(thing.ashby_id, (person.person, str(sent.get("name")), created_at))])
    find_strange_applications(
        Subject("candidate", thing.lever_id, thing.ashby_id), made.target.applications_of(thing.ashby_id),
        known=made.known, ours_alone=not thing.adopted, findings=made.findings,
    )  # fmt: skip
    for application in person.applications.values():
        compare_application(
            application, made.target, findings=made.findings, edits=made.edits, stage_types=made.stage_types,
            ashby=made.ashby, archived_from_ms=made.habits.archived_from_ms,
        )  # fmt: skip
    for piece in person.of(closely.FEEDBACK):
        compare_feedback(piece, made.target, why="", findings=made.findings)


def _compare_surplus(made: _Run, run_tag: str) -> None:
    know = {"known": made.known, "scratch": made.scratch, "findings": made.findings}
    find_surplus(made.target, made.links, run_tag=run_tag, **know)
    find_twins(made.created, made.target.candidates.all(), **know)
    contacts = Pairs(made.scratch)
    for row in made.store.members():
        contacts.add(row["person"], row["contact"])
    verdicts = made.store.meta("dedupe.verdicts") or []
    apart = {pair_key(*one.removesuffix("=different").split("|")) for one in verdicts if one.endswith("=different")}
    apart |= {pair_key(one["a"], one["b"]) for one in made.store.results("dedupe", "apart")}  # too unlike to be asked
    find_doubles_of_address(made.created, made.target.candidates, contacts=contacts, apart=apart, **know)
    find_orphans(made.ledger.link_rows(), made.tally.links, made.target, findings=made.findings)
    find_strange_feedback(made.target, made.feedback_markers, findings=made.findings)


def _compare_sample(made: _Run, chosen: dict[str, str], *, progress: Progress, workers: int) -> None:
    def look(person: str) -> None:
        rows = list(with_outcomes(made.ledger, made.ledger.rows(person)))
        closely.look_closely(
            person_of(person, rows, made.links), chosen[person], ashby=made.ashby, target=made.target,
            findings=made.findings, edits=made.edits,
        )  # fmt: skip

    for done, _ in enumerate(run_all(sorted(chosen), look, workers=workers), 1):
        progress(done, len(chosen), "reading the sample: notes, histories, files")


def _result(
    made: _Run, table: list[dict[str, Any]], chosen: dict[str, str], *, seed: str, customer: str
) -> ValidateResult:
    differences = made.findings.rows()
    states = Counter(made.tally.states)
    n_waiting = made.lacking.n_waiting
    states["planned"] -= n_waiting
    unsettled = {state: n for state, n in sorted(states.items()) if n and state not in ("done", "refused")}
    weights = Counter(one["severity"] for one in differences)
    n_refused = states["refused"]
    ok = not (weights["critical"] or n_refused or unsettled) and bool(made.tally.states)
    certificate = {
        "customer": customer,
        "plan_hash": made.ledger.plan_hash(),
        "ok": ok,
        "counts": table,
        "n_differences": {name: weights[name] for name in ("critical", REFUSED, "warning")},
        "n_refused": n_refused,
        "n_waiting": n_waiting,
        "rows_without_outcome": unsettled,
        "sample": {"n_people": len(chosen), "n_in_scope": len(made.people), "seed": seed},
        "made_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "differences_sha256": hashlib.sha256(dumps(differences).encode()).hexdigest(),
    }
    return ValidateResult(
        counts=DataFrame(table).astype(dict.fromkeys(("n_lever", "n_left_out", "n_unexplained", "n_moves"), "Int64")),
        differences=DataFrame(differences, columns=["id", *COLUMNS]),
        fidelity=DataFrame(made.findings.fidelity(), columns=["object", "field", "n_expected", "n_equal", "share"]),
        sample=DataFrame(made.findings.sample_rows(), columns=list(_SAMPLE)),
        ok=ok,
        certificate=certificate,
        n_refused=n_refused,
        n_waiting=n_waiting,
    )
