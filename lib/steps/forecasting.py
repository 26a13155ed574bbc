"""The forecast: what is left to extract, to load and to validate, from counts and from child lists that were read.

Whole people are probed, in an order that their ids decide: the same again each time, and as good as chance. What was
probed is kept; the extraction does not ask for it again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from lib import extract as extraction
from lib.audit.estimate import ALL, Guess, Unit, expand, predict
from lib.audit.forecast import NOTHING, Cost, Pace, Row, endpoint_rows, step_row, stratum
from lib.errors import ConfigError, GateError
from lib.extract.files import without_bytes
from lib.extract.lists import MONTH
from lib.load.cost import before_the_first
from lib.steps.rehearsing import Rehearsal, Role, sizes
from lib.steps.rehearsing_people import Account, account
from lib.steps.rehearsing_sample import looked_at
from lib.store import dumps, now_ms
from lib.store.heads import bodies, states
from lib.store.ids import ids_on_disk
from lib.store.ledger import Ledger, Planned
from lib.store.reading import Reading
from lib.store.size import database_bytes
from lib.validate.cost import list_calls, pages
from lib.workbook import Workbook

FIRST = 60  # opportunities of the first round of the probe; each round doubles what has been read
MOST, MOST_SHARE = 960, 1 / 3  # so many are probed at most, and no more than this share of the account
GOOD = 0.01  # the standard error, as a share of all requests, at which the probe ends
FILES, RAW, WRITES = "(files)", "(raw)", "(writes)"  # bytes, and calls of a load, among the counts of an opportunity
CALL_BYTES, CALL_SPREAD = 2_500, 0.1  # of a call that is sent, in the store; measured: 2,478 to 2,568 (docs/limits.md)
LEAST_WRITES = 5  # calls of a load for an opportunity without any child: its application and what goes with it
MAY = tuple(f"opportunities/:id/{name}/:id/download" for name in ("files", "offers", "resumes"))
CHILD = tuple(f"opportunities/:id/{name}" for name in extraction.CHILDREN)
PER_PERSON = ("candidate.create", "customField.setValues", "candidate.addTag")  # what each person costs at least
LOADED = ("jobs", "custom_fields", "tags")
HOUR = 3_600_000


@dataclass
class Probe:
    """What has been probed so far: {opportunity: {endpoint: requests, and bytes}}, and how fast that went."""

    rows: dict[str, dict[str, float]]
    rounds: list[tuple[int, float]]  # requests within the allowance, seconds
    growth: float  # bytes of the database for each byte of an answer


@dataclass
class Forecast:
    """Rows of the steps, and of their endpoints; `why_not` says what could not be forecast, and why."""

    steps: list[Row]
    endpoints: list[Row]
    n_probed: int
    why_not: str = ""

    def findings(self) -> list[Row]:
        """A finding where something could not be forecast."""
        text, do = f"the forecast is not whole: {self.why_not}", "mend what is named, and run 01_audit again"
        row = {"id": "forecast", "severity": "warning", "finding": text, "n_records": None, "do": do}
        return [row] if self.why_not else []


def as_of(book: Workbook) -> int:
    """Lever's clock at the last reading."""
    return int(book.store.meta("extract.since") or 0)


def make(book: Workbook, walk: extraction.Extract, *, probe: bool) -> Forecast:
    """Probe until the forecast is good enough, and make it; without `probe` from what was probed before."""
    seen = probed(book)
    known = account(book, seen.rows, now_ms=as_of(book))
    n_all, limit = known.sums.total(), FIRST
    most = max(min(FIRST, n_all), min(MOST, int(n_all * MOST_SHARE)))
    while probe:
        _round(book, walk, known, seen, n_opportunities=min(limit, most))
        if limit >= most or error(known, seen) <= GOOD:
            break
        limit *= 2
    return _forecast(book, known, seen)


def probed(book: Workbook) -> Probe:
    """What earlier audits have probed."""
    about = book.store.meta("audit.probe") or {"rounds": [], "growth": 0.0}
    rows = {row["lever_id"]: row["counts"] for row in book.store.results("audit", "probe")}
    return Probe(rows, [(int(n), float(seconds)) for n, seconds in about["rounds"]], about["growth"])


def _round(book: Workbook, walk: extraction.Extract, known: Account, seen: Probe, *, n_opportunities: int) -> None:
    """Read the child lists of the next people in order, until so many opportunities have been probed."""
    chosen: list[str] = []
    for person in known.order:
        if len(chosen) >= n_opportunities:
            break
        chosen += known.ids[person]
    before, began = database_bytes(book.store), time.monotonic()
    with book.lever.tally.apart() as asked:
        extraction.children(walk, only=chosen)
    seconds = time.monotonic() - began
    new = {lever_id: counts for lever_id, counts in asked.items() if lever_id in known.strata}
    rows = {lever_id: _counts(book, lever_id, counts) for lever_id, counts in new.items()}
    raw = sum(row[RAW] for row in rows.values())
    if raw:
        seen.growth = max(1.0, (database_bytes(book.store) - before) / raw)
        n_paced = sum(n for counts in new.values() for name, n in counts.items() if not name.startswith("("))
        seen.rounds.append((n_paced, seconds))
    seen.rows |= rows
    book.store.put_results("audit", "probe", [{"lever_id": one, "counts": n} for one, n in sorted(seen.rows.items())])
    book.store.put_meta("audit.probe", {"rounds": seen.rounds, "growth": seen.growth})


def _counts(book: Workbook, lever_id: str, asked: Counter[str]) -> dict[str, float]:
    """Requests beyond the one that each child list takes, and bytes: of the files, and of the answers."""
    found: dict[str, float] = dict(asked - Counter(CHILD))
    bodies = {name: book.store.of(name, lever_id) for name in extraction.CHILDREN}
    files = [book.store.file(row[0]) for row in extraction.wanted_files(lever_id, bodies)]
    found[FILES] = float(sum(row.size or 0 for row in files if row is not None and row.state == "stored"))
    found[RAW] = float(sum(len(dumps(one)) for items in bodies.values() for one in items))
    found[WRITES] = 3.0 * len(files) + sum(len(bodies[name]) for name in ("notes", "feedback", "forms"))
    return found


# ---- the three steps -------------------------------------------------------------------------------------------
def error(known: Account, seen: Probe) -> float:
    """The larger one of the standard errors of extract and load, as shares of all their requests.

    For the load this goes by what surely becomes calls: files, notes, feedback and forms.
    """
    here = {one: counts for one, counts in seen.rows.items() if one in known.strata}
    left = known.sums - Counter(known.strata[one] for one in here)
    shares = []
    for pick, least in ((_requests, len(CHILD)), (_writes, LEAST_WRITES)):
        found = predict([Unit(known.strata[one], pick(counts)) for one, counts in here.items()], left)
        whole = found[ALL].value + least * known.sums.total() + sum(sum(pick(one).values()) for one in here.values())
        shares.append(found[ALL].error / max(whole, 1))
    return max(shares)


def _writes(counts: dict[str, float]) -> dict[str, float]:
    return {WRITES: counts[WRITES]}


def _forecast(book: Workbook, known: Account, seen: Probe) -> Forecast:
    """The forecast by what was probed so far."""
    rows, endpoints = extract_left(book, seen)
    try:
        others, more = _load_and_validate(book, known)
    except (GateError, ConfigError) as problem:
        why = f"load and validate cannot be forecast yet: {problem}"
        return Forecast(rows, endpoints, len(seen.rows), why)
    return Forecast(rows + others, endpoints + more, len(seen.rows))


def extract_left(book: Workbook, seen: Probe) -> tuple[list[Row], list[Row]]:
    """What an extraction that begins now will ask: lists again, changes, the deleted; child lists not read yet.

    Of all opportunities only the ids are walked over: the bodies of those that are left, or were probed, are read.
    """
    store = book.store
    lacking = without_bytes(store, int(book.params.lever.file_hours * HOUR))
    known, sums, n_all = dict[str, tuple[str, ...]](), Counter[tuple[str, ...]](), 0
    with ids_on_disk(store.folder, lacking) as again:

        def looked_for() -> Iterator[tuple[str, bool]]:
            nonlocal n_all
            for lever_id, sha, basis in states(store, "opportunities", "children"):
                n_all += 1
                is_left = basis != sha or lever_id in again
                if is_left or lever_id in seen.rows:
                    yield lever_id, is_left

        for opportunity, is_left in bodies(store, "opportunities", looked_for()):
            if is_left:
                sums[stratum(opportunity)] += 1
            if opportunity["id"] in seen.rows:
                known[opportunity["id"]] = stratum(opportunity)
    n_left = sums.total()
    exact = Counter(store.meta("audit.lists") or {})
    exact["opportunities"] += 2  # what has changed, what is new: one pass, when nobody works in Lever
    exact["postings/:id"] += int(store.meta("extract.postings_asked") or 0)
    exact["opportunities/deleted"] += pages(int(store.meta("audit.deleted") or 0))
    for name in ("applications/deleted", "postings/deleted"):
        exact[name] += 1 + max(0, now_ms() - int(store.meta("audit.first_ms") or now_ms())) // MONTH
    exact.update(dict.fromkeys(CHILD, n_left))
    units = [Unit(known[one], _requests(n)) for one, n in seen.rows.items() if one in known]
    cost = Cost({name: n for name, n in exact.items() if n}, predict(units, sums, names=MAY))
    weights = [Unit(known[one], _bytes(n, seen.growth)) for one, n in seen.rows.items() if one in known]
    size = predict(weights, sums).get(ALL, Guess(0.0))
    basis = f"what is left: {n_left:,} of {n_all:,} opportunities, and the lists once more"
    pace = Pace(book.params.lever.per_second, measured=seen.rounds)
    row = step_row("extract", cost, seconds=pace.seconds(cost.paced), size=size, basis=basis)
    return [row], endpoint_rows("extract", cost)


def _requests(counts: dict[str, float]) -> dict[str, float]:
    return {name: n for name, n in counts.items() if name not in (FILES, RAW, WRITES)}


def _bytes(counts: dict[str, float], growth: float) -> dict[str, float]:
    return {FILES: counts[FILES], RAW: counts[RAW] * growth}


def _load_and_validate(book: Workbook, known: Account) -> tuple[list[Row], list[Row]]:
    read = (one for one, sha, basis in states(book.store, "opportunities", "children") if basis == sha)
    with ids_on_disk(book.store.folder, read) as here:
        play = Rehearsal(book, known.who, shown=here, now_ms=as_of(book))
        whole = [one for one, ids in known.ids.items() if ids and all(lever_id in here for lever_id in ids)]
        bare = play.roles(known.order, shown=())
        full = play.roles(sorted(whole), shown=here)
    about = sizes(known.strata, known.ids)
    fixed = play.set_up_calls() + before_the_first(user_pages=pages(len(book.store.ashby("users", own=True))))
    load = _in_doubt(_load_cost(known, fixed, bare, full, about), known.who.doubt)
    n_people = len(known.fair & bare.keys()) * known.factor
    told = f"{'about ' if known.factor > 1 else ''}{n_people:,.0f} people"
    basis = f"a first load of all: {told} by the lists, {len(full):,} of them read closely"
    own_s = own_seconds(book)
    pace = ashby_pace(book, own_s=own_s)
    rows = [step_row("load", load, seconds=pace.seconds(load.paced), size=load_bytes(load), basis=basis)]
    made = {name: load.of(name).value for name in load.endpoints}
    lists = list_calls(n_objects(book, made))
    look = looked_at(bare, full, about, fair=known.fair, factor=known.factor)
    check = Cost(lists, look)
    seconds = ashby_pace(book).seconds(check.paced) + Guess(book.params.ashby.settle_s)
    basis = "all of Ashby as it will be, and the sample; begun as soon as the load has ended"
    rows.append(step_row("validate", check, seconds=seconds, size=None, basis=basis))
    return rows, endpoint_rows("load", load) + endpoint_rows("validate", check)


def load_bytes(load: Cost) -> Guess:
    """The room that requests, answers and outcomes take in the store: nothing else grows by a load."""
    found = load.paced.times(CALL_BYTES)
    return Guess(found.value, found.variance + (found.value * CALL_SPREAD) ** 2, found.df)


def _load_cost(
    known: Account, fixed: Counter[str], bare: dict[str, Role], full: dict[str, Role], about: dict[str, Any]
) -> Cost:
    """What the lists tell of everybody, and what child lists add: known of those read, predicted of the others."""
    drawn, units, left = list[Unit](), list[Unit](), Counter[Any]()
    for name in known.order:
        keys, n = about.get(name, ((), 0))
        role, by_lists = full.get(name) or bare.get(name), bare.get(name)
        if name in known.fair:
            drawn.append(Unit(keys, role.calls if role else {}, float(n)))
        if by_lists is None:
            continue
        if name in full:
            more = Counter(full[name].calls)
            more.subtract(by_lists.calls)
            units.append(Unit(keys, dict(more), float(n)))
        elif name in known.fair:
            left[keys] += n
    whole = expand(drawn, n_drawn=known.n_drawn, n_all=known.n_all, size_all=known.sums.total())
    exact = fixed + Counter({name: round(one.value) for name, one in whole.items() if name != ALL})
    n_seen = sum(one.size for one in drawn)
    each = known.sums.total() / n_seen if known.factor > 1 and n_seen else 1.0
    missing = {keys: n * each for keys, n in left.items()}
    found = predict(units, missing)
    unsure = {name: Guess(0.0, one.variance, one.df) for name, one in whole.items() if one.variance}
    return Cost(exact, {name: found.get(name, NOTHING) + unsure.get(name, NOTHING) for name in found | unsure})


def _in_doubt(cost: Cost, doubt: float) -> Cost:
    """The same cost, less sure: each pair that turns out to be one person saves what only a person costs."""
    more = {name: Guess(0.0, doubt) for name in PER_PERSON} | {ALL: Guess(0.0, doubt * len(PER_PERSON) ** 2)}
    none = Guess(0.0)
    return Cost(cost.exact, {name: cost.sampled.get(name, none) + more.get(name, none) for name in cost.sampled | more})


def n_objects(book: Workbook, made: Mapping[str, float]) -> dict[str, int]:
    """How many objects each list of Ashby holds after so many calls of each kind were `made`.

    Counted are those that stood there before us, and those that are made: after a load, too.
    """
    store = book.store
    n_there = n_candidacies = 0
    for one in Reading(store).standing("candidates"):
        n_there, n_candidacies = n_there + 1, n_candidacies + len(one.get("applicationIds") or [])
    known = {kind: len(store.ashby(kind)) for kind in LOADED}
    found = {
        "candidate.list": n_there + made.get("candidate.create", 0),
        "application.list": n_candidacies + made.get("application.create", 0),
        "job.list": known["jobs"] + made.get("job.create", 0),
        "customField.list": known["custom_fields"] + made.get("customField.create", 0),
        "candidateTag.list": known["tags"] + made.get("candidateTag.create", 0),
        "applicationFeedback.list": int(store.meta("audit.feedback") or 0) + made.get("applicationFeedback.submit", 0),
    }
    return {name: round(n) for name, n in found.items()}


def settling(book: Workbook, ledger: Ledger) -> float:
    """Seconds that a validation begun now waits until Ashby shows what was written last."""
    wait = book.params.ashby.settle_s
    return max(0.0, min(wait, wait - (now_ms() - ledger.last_ms()) / 1000))


def chains(ledger: Ledger) -> Iterator[tuple[str, list[Planned]]]:
    """(person, rows of the plan) in plan order; the set-up rows come as person ""."""
    for person, rows in groupby(ledger.rows(), key=lambda row: row.person):
        yield person, list(rows)


def ashby_pace(book: Workbook, *, own_s: float = 0.0) -> Pace:
    settings = book.params.ashby
    latency = book.ashby.transport.flights.latency or 0.0
    return Pace(settings.per_minute / 60, latency_s=latency, workers=settings.workers, own_s=own_s)


def own_seconds(book: Workbook) -> float:
    """What the ledger takes for one write: the intention and the outcome, each on disk before the next thing."""
    spent = []
    for _ in range(9):
        began = time.monotonic()
        book.store.put_meta("audit.commit", began)
        spent.append(time.monotonic() - began)
    return 2 * min(spent)
