"""Every unknown of the vendors, both ways: the whole move for each value that a switch of the sandbox can have.

What nobody knows must not decide whether a move is right. Where a behaviour truly makes something impossible, `TOLD`
says what a user is told and how many records it is about; everything else ends exactly as in the calm sandbox.
The ordinary suite sets values that do not interact together; `make prove` plays one after another.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import reconcile
from conftest import CUSTOMER, Sandbox, environment, fill, prepare, running_sandbox, write_customer
from life_world import Life
from proofs import PROVE, amount, tell
from reconcile import tally

from lib import steps, workbook
from lib.errors import FatalError, GateError
from lib.store.ledger import Ledger
from lib.workbook import Workbook
from sandbox.ashby import switches as ashby
from sandbox.lever import switches as lever

Json = dict[str, Any]
DEFAULTS = {**lever.SWITCHES, **ashby.SWITCHES}
VALUES = {**lever.VALUES, **ashby.VALUES}
RIGHTS = {"lever_key_without", "key_toggles", "key_without"}
"""Not unknowns: what an admin has ticked. The audit names each right that lacks, and stops (test_audit)."""
STOPS = {"api_version", "private_without_toggle"}
"""Not right by themselves: they stop a move, and tests of their own show it (test_steps, test_load)."""
CHOSEN: dict[str, tuple[str, ...]] = {
    "offset_seconds": ("1",),
    "oauth_seconds": ("5",),
    "refresh_unused_days": ("1",),
    "refresh_days": ("2",),
    "lever_retry_after": ("1",),
    "updated_lag_ms": ("90000",),
    "deleted_reach_days": ("30",),
    "warnings": ("*:something",),
    "concurrent_limit": ("4",),
    "api_version_status": ("deprecated",),
    "visible_after_ms": ("150",),
    "visible_spread_ms": ("40",),
    "stale_after_ms": ("150",),
    "cursor_seconds": ("1",),
    "sync_token_seconds": ("6", "1"),  # used in time, also on a busy machine; and hardly ever
    "incremental_max_pages": ("1",),
    "search_delay_ms": ("1000",),
    "application_job_states": ("Open", "Draft,Open,Closed,Archived"),
    "fields_max": ("20", "10"),
    "options_max": ("3",),
    "tags_max": ("10",),
    "file_name_max_chars": ("100",),
    "text_max_chars": ("200", "60"),
    "note_max_chars": ("1000", "10000"),
    "body_max_bytes": ("4000",),
    "file_max_bytes": ("1000000", "1000"),
    "upload_seconds": ("1",),
    "handle_seconds": ("5",),
    "merge_moves": ("contact",),
    "download_seconds": ("1",),
    "report_seconds": ("1",),
}
"""Other values of the switches that hold a number, a text or a list."""
MOST_LOADS = 5
RETRY = {"attempts": 8, "first_s": 0.02, "longest_s": 0.1}
"""The product's own number of tries: five are all struck now and then where too many calls at once are refused."""
BUDGET = "Ashby has refused 26 calls of {} with the same code (invalid_input)."


@dataclass
class Outcome:
    """How a move ends; as it stands here when nothing differs from the calm one.

    `stops`: what loads said that stopped; `loads`: how many it took, with 04_map between them; `refused` (rows by kind)
    and `waiting` stay set aside; `explained`: what 06_validate says of all records together; `losses`: what the loss
    list adds, by reason; `problems`: against the sandbox's truth; `notified`: calls that told somebody.
    """

    stops: list[str] = field(default_factory=list)
    loads: int = 1
    refused: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    critical: int = 0
    explained: set[str] = field(default_factory=set)
    losses: dict[str, int] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)
    notified: int = 0
    written_again: int = 0

    def and_also(self, other: Outcome) -> Outcome:
        """How a move ends in which two things differ that have nothing to do with each other."""
        return Outcome(
            self.stops + other.stops,
            max(self.loads, other.loads),
            self.refused | other.refused,
            self.waiting + other.waiting,
            self.critical + other.critical,
            self.explained | other.explained,
            self.losses | other.losses,
            dict(Counter(self.problems) + Counter(other.problems)),
            self.notified + other.notified,
        )


TOLD: dict[tuple[str, str], Outcome] = {
    # Ashby keeps something else than was sent: all records alike, told once
    ("time_precision", "s"): Outcome(
        explained={"this Ashby keeps times to the second: of all times that were compared the milliseconds are lost"}
    ),
    ("archived_at", "now"): Outcome(
        explained={
            "this Ashby shows as archivedAt when an application was written; when it was archived stands in its history"
        }
    ),
    # Ashby refuses what can be said in another way: the next plan does so, and everybody arrives
    ("phone_format", "checked"): Outcome(loads=2, losses={"this Ashby refuses numbers that are written like this": 3}),
    ("duplicate_email", "refuse"): Outcome(  # the address stands in a custom field: see `_stands_in_details`
        loads=2,
        losses={"this Ashby takes an address once; another candidate has it": 6},
        problems={"candidates": 6},
    ),
    ("note_max_chars", "1000"): Outcome(loads=2),
    ("note_max_chars", "10000"): Outcome(loads=2),  # one of two parts was taken before the other was refused
    ("body_max_bytes", "4000"): Outcome(loads=2),
    ("application_job_states", "Open"): Outcome(
        stops=[BUDGET.format("application.create")],
        loads=2,
        losses={"this Ashby takes applications on open jobs only: close these jobs in Ashby after the load": 13},
    ),
    # a file that Ashby does not take is lost to it; the loss list names each
    ("file_max_bytes", "1000000"): Outcome(
        loads=2,
        losses={"the bytes are more than this Ashby takes: from 2,999,983 on they are refused": 1},
        problems={"files": 1},
    ),
    ("file_max_bytes", "1000"): Outcome(
        stops=[BUDGET.format("candidate.uploadFile")],
        loads=3,
        losses={"the bytes are more than this Ashby takes: from 1,028 on they are refused": 102},
        problems={"files": 102},
    ),
    # not mended: set aside by name, and nothing is certified
    ("text_max_chars", "60"): Outcome(  # the call that holds the long value holds the mark, too
        refused={"customField.setValues": 8}
    ),
    ("fields_max", "10"): Outcome(  # the calls that set the lacking fields hold the marks, too
        refused={"customField.create": 4}, waiting=37
    ),
    ("options_max", "3"): Outcome(refused={"customField.updateSelectableValues": 1}),
    ("tags_max", "10"): Outcome(refused={"candidateTag.create": 8}),
    ("file_name_max_chars", "100"): Outcome(refused={"candidate.uploadFile": 1}, problems={"files": 1}),
    # Ashby tells people, and no call can ask it beforehand: the audit says so
    ("automations", "on"): Outcome(notified=107),
    # Lever does not give it: nothing here can know
    ("secret_children", "hidden"): Outcome(problems={"notes": 14, "note texts": 84, "answers": 6}),
    ("expanded_applications", "without_questions"): Outcome(problems={"answers": 166}),
}
CHANCE = {("tags_max", "10")}  # which tags come first, and so whose rows wait for those that are refused
UNMARKED = {("text_max_chars", "60"), ("fields_max", "10")}
"""People without their mark cannot be told apart by the truth: only what was set aside is compared."""
ORDINARY = [
    [("phone_format", "checked"), ("file_max_bytes", "1000000"), ("archived_at", "now"), ("automations", "on")],
    [("duplicate_email", "refuse"), ("note_max_chars", "1000"), ("time_precision", "s")],
    [("application_job_states", "Open")],
]
"""Values that end otherwise, as the ordinary suite plays them: together where one has nothing to do with another."""


# ---- which values there are ------------------------------------------------------------------------------------------
def others() -> dict[str, tuple[str, ...]]:
    """{switch: its values but the default}: named by the sandbox, or chosen here."""
    named = {name: rule.split("|") for name, rule in VALUES.items() if "|" in rule}
    listed = {name: tuple(one for one in values if one != DEFAULTS[name]) for name, values in named.items()}
    return {name: CHOSEN.get(name) or listed.get(name, ()) for name in DEFAULTS if name not in RIGHTS | STOPS}


def alone() -> list[tuple[str, str]]:
    return [(name, value) for name, values in others().items() for value in values]


def together() -> list[dict[str, str]]:
    """Values that change nothing, set together: each value of each switch in one of these."""
    quiet = {name: [one for one in values if (name, one) not in TOLD] for name, values in others().items()}
    rounds = max(map(len, quiet.values()))
    return [{name: values[i] for name, values in quiet.items() if i < len(values)} for i in range(rounds)]


def test_every_switch_of_the_sandbox_has_a_case() -> None:
    assert {name for name, values in others().items() if not values} == set()
    assert set(CHOSEN) <= set(DEFAULTS)
    assert RIGHTS | STOPS <= set(DEFAULTS)
    assert set(TOLD) <= set(alone())
    played = {(name, value) for values in together() for name, value in values.items()}
    assert played | set(TOLD) == set(alone())
    assert {one for group in ORDINARY for one in group} <= set(TOLD)


# ---- one move --------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def customer(home: Path, sandbox: Sandbox, switches: Mapping[str, str]) -> Iterator[Workbook]:
    sandbox.switch(**switches)
    write_customer(home, sandbox, lever={"retry": RETRY}, ashby={"retry": RETRY})
    with environment(home, sandbox):
        book = workbook.open_customer(CUSTOMER)
        try:
            yield book
        finally:
            book.close()
            sandbox.reset()


def play(book: Workbook, sandbox: Sandbox, switches: Mapping[str, str]) -> Outcome:
    """Audit, extract, dedupe, map, load, validate; map and load again while that brings more home."""
    found = Outcome(loads=0)
    prepare(book, sandbox)
    load(book, found)
    result = steps.validate(book)
    found.waiting = result.n_waiting
    found.critical = int((result.differences["severity"] == "critical").sum())
    known = result.differences[result.differences["severity"] == "warning"]
    found.explained = set(known["detail"])
    found.refused = dict(Counter(row.kind for row, _ in Ledger(book.store).entries("refused")))
    found.losses = losses(book)
    found.written_again = steps.load(book, execute=True).n_writes
    state = sandbox.state
    truth = to_the_second(sandbox.truth) if switches.get("time_precision") == "s" else sandbox.truth
    wrong = {kind: texts for kind, texts in reconcile.problems(truth, state).items() if texts and kind != "notified"}
    found.problems = {kind: len(texts) for kind, texts in wrong.items()}
    found.notified = state["notified"]
    _stands_in_details(wrong.get("candidates", []), state)
    return found


def load(book: Workbook, found: Outcome) -> None:
    """Load until nothing is refused, or until 04_map knows no other way."""
    before = ""
    while found.loads < MOST_LOADS and (plan := mapped(book)) != before:
        before = plan
        found.loads += 1
        try:
            steps.load(book, execute=True)
        except FatalError as error:
            found.stops.append(error.message)
        else:
            if "refused" not in states(book):
                break


def mapped(book: Workbook) -> str:
    """The plan; what the last load was refused is decided as proposed: nothing of it is obeyed without a verdict."""
    try:
        return steps.map(book).plan_hash
    except GateError as error:
        told = error.message
    assert "refusals.csv:2" in told
    fill(book.table("refusals")).write()
    return steps.map(book).plan_hash


def states(book: Workbook) -> set[str]:
    return {state for _, state, _ in Ledger(book.store).counts()}


def losses(book: Workbook) -> dict[str, int]:
    """Records by reason: what this Ashby does not take."""
    counts: Counter[str] = Counter()
    for row in book.store.results("map", "losses"):
        if row["reason"].startswith(("this Ashby", "the bytes are more")):
            counts[row["reason"]] += row["n_records"]
    return dict(counts)


def to_the_second(value: Any) -> Any:
    """The truth as an Ashby that keeps whole seconds can show it."""
    if isinstance(value, dict):
        return {name: to_the_second(child) for name, child in value.items()}
    if isinstance(value, list):
        return [to_the_second(child) for child in value]
    is_time = isinstance(value, int) and not isinstance(value, bool) and value > 10**11
    return value - value % 1000 if is_time else value


def _stands_in_details(lost: list[str], state: Json) -> None:
    """An address that a candidate cannot have stands in a custom field of theirs."""
    fields = {one["id"]: str(one["customFields"]) for one in state["candidates"]}
    for text in lost:
        match = re.fullmatch(r"candidate (\S+) \(\S+\): address (\S+) is lost", text)
        assert match, text
        assert match[2] in fields[match[1]], text


def check(values: Mapping[str, str], book: Workbook, sandbox: Sandbox) -> None:
    """Play a move and compare how it ends."""
    wanted = Outcome()
    for one in values.items():
        wanted = wanted.and_also(TOLD.get(one, Outcome()))
    found = play(book, sandbox, values)
    compared = not set(values.items()) & UNMARKED
    if not compared:
        found.problems = {}
    if CHANCE & set(values.items()):
        assert set(found.problems) <= {"tags"}
        assert found.waiting > 0
        found.problems, found.waiting = wanted.problems, wanted.waiting
    assert [one for one in found.stops if not any(one.startswith(text) for text in wanted.stops)] == []
    found.stops = wanted.stops if len(found.stops) == len(wanted.stops) else found.stops
    assert found == wanted
    told = {row["id"]: row for row in book.store.results("audit", "findings")}
    assert "cannot be read by its API" in told["target:automations"]["finding"]
    decided = set(sandbox.ask("GET", "/switches?decided=1")) & set(values)
    tell(
        "P30", "values of a switch, the whole move", values=[f"{name} {value}" for name, value in values.items()],
        which_made_another_answer=[f"{name} {values[name]}" for name in decided],
        not_compared_with_the_truth=int(not compared), lost_or_wrong=sum(found.problems.values()),
        refused=sum(found.refused.values()), unexplained=found.critical,
    )  # fmt: skip


@pytest.mark.proof
@pytest.mark.skipif(PROVE, reason="make prove plays them one after another")
@pytest.mark.parametrize("number", range(len(together())))
def test_unknowns_that_change_nothing_change_nothing_together(number: int, tmp_path: Path, sandbox: Sandbox) -> None:
    values = together()[number]
    with customer(tmp_path / "home", sandbox, values) as book:
        check(values, book, sandbox)


@pytest.mark.proof
@pytest.mark.skipif(PROVE, reason="make prove plays them one after another")
@pytest.mark.parametrize("group", ORDINARY, ids=lambda group: "+".join(name for name, _ in group))
def test_what_a_vendor_makes_impossible_is_told_by_name(
    group: list[tuple[str, str]], tmp_path: Path, sandbox: Sandbox
) -> None:
    with customer(tmp_path / "home", sandbox, dict(group)) as book:
        check(dict(group), book, sandbox)


@pytest.mark.proof
@pytest.mark.skipif(not PROVE, reason="the whole of the proof: make prove")
@pytest.mark.parametrize(("name", "value"), alone(), ids=lambda text: text)
def test_each_unknown_of_the_vendors_is_right_by_itself(
    name: str, value: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    with customer(tmp_path / "home", sandbox, {name: value}) as book:
        check({name: value}, book, sandbox)


# ---- and in bad weather ----------------------------------------------------------------------------------------------
SHORT = [
    {"api": "ashby", "endpoint": name, "every": 2, "effect": "short_page", "limit": 5}
    for name in ("candidate.list", "application.list", "applicationFeedback.list", "job.list", "user.list")
]
LOADING = [
    *SHORT,
    {"api": "ashby", "writes": True, "every": 3, "effect": "reset_after"},
    {"api": "ashby", "every": 41, "effect": "throttle", "retry_after": "0.01"},
    {"api": "ashby", "every": 17, "effect": "status", "status": 503},
]
READING = [
    {"api": "lever", "every": 2, "effect": "short_page", "limit": 5},
    {"api": "lever", "every": 13, "effect": "status", "status": 503},
    {"api": "lever", "every": 29, "effect": "throttle", "retry_after": "0.01"},
]
NEVER_DECIDED = {
    "oauth_seconds": "these customers have a key (test_oauth)",
    "oauth_old_refresh": "these customers have a key (test_oauth)",
    "oauth_redirects": "these customers have a key (test_redirects)",
    "refresh_unused_days": "these customers have a key (test_oauth)",
    "refresh_days": "these customers have a key (test_oauth)",
    "audit_addon": "audit events are not asked for",
    "lever_hook_answers": "no webhook is made",
    "report_seconds": "no report is asked for",
    "on_behalf_of": "nothing is written on behalf of somebody",
    "webhook_ping": "no webhook is made",
    "field_titles": "no field is made under a title that is there",
    "future_times": "no time of Lever lies ahead",
    "history_before_creation": "the plan moves createdAt to the first event (test_mapping)",
    "history_order": "the plan sorts the events (test_mapping)",
    "equal_history_times": "the plan makes times increase (test_mapping)",
    "duplicate_applications": "a second one on a job becomes a note (test_mapping)",
    "null_field_values": "no value is cleared",
    "archived_references": "archived reasons are no verdict (test_mapping)",
    "feedback_author": "only enabled users are credited (test_mapping)",
    "repeat_stage": "application.changeStage is not used",
    "repeat_status": "a status that stands is not set again (test_load)",
    "repeat_tag": "a tag that stands is not set again (test_load)",
    "search_name": "each of so few people without an address is found by the walk",
    "partial_values": "no value is refused here (text_max_chars is played by itself)",
    "failure_form": "nothing is refused here (test_envelopes)",
    "invalid_status": "nothing is refused here (test_envelopes)",
    "not_found_codes": "nothing is refused here (test_moved)",
    "expand_unknown": "no unknown name is sent",
    "deleted_page": "a limit is always sent",
    "orphan_contacts": "contacts are not asked for by id",
    "download_url_key": "files are asked for by the API's own path",
    "download_types": "all downloads are redirected to the storage host here",
    "lever_retry_after": "this pace stays below Lever's limit (test_transport)",
    "retry_after": "this pace stays below Ashby's limit (test_transport)",
    "limit_scope": "one key",
    "application_created_after": "applications are not asked for by time",
    "application_job_states": "no job is a draft or archived when it is applied to",
    "archived_tag": "no tag is archived",
    "behalf_author": "nothing is written on behalf of somebody",
    "confidential_refusal": "the key may see what is confidential (test_confidential)",
    "cursor_seconds": "the next page is asked for at once (expired-tokens)",
    "offset_seconds": "the next page is asked for at once (expired-tokens)",
    "deleted_confidential": "nothing confidential is deleted",
    "download_seconds": "what may be downloaded is downloaded at once (storage-hiccups)",
    "upload_seconds": "an address is used at once (handles-expire)",
    "handle_seconds": "a handle is used at once",
    "upload_again": "no upload is lost here (test_faults)",
    "email_format": "all addresses look like addresses",
    "fields_max": "there are fewer fields (10 is played by itself)",
    "text_max_chars": "no text is so long (60 is played by itself)",
    "history_deletes": "no event is left out",
    "incremental_max_pages": "what has changed fits on a page (test_faults)",
    "search_email": "nobody is searched by another address than the first",
    "tag_titles": "tags are asked for as they stand",
    "webhook_submit": "no webhook is made",
    "lever_buckets": "one key",
    "html_newlines": "notes are sent as plain text",
    "behalf_users": "nothing is written on behalf of somebody",
    "stage_and_history": "a stage is never sent beside a history",
    "merge_custom_fields": "nobody merges here (test_faults)",
    "merge_moves": "nobody merges here (test_faults)",
    "merged_ids": "nobody merges here (test_moved)",
    "handle_reuse": "a handle that was attached is not used again (test_load)",
}
"""Switches that make no answer of these moves another one than the default makes, and why."""


@pytest.fixture(scope="module")
def pair() -> Iterator[Sandbox]:
    """A small company behind the vendors' limits, thirty times faster."""
    with running_sandbox(people=10, seed=3, limits="x30") as one:
        yield one


def live(home: Path, company: Sandbox, switches: Mapping[str, str], seed: int) -> tuple[set[str], list[str]]:
    """Read, load, die, go on, edit on both sides, read and load again, all under faults.

    Returns which switches decided, and what is wrong in Ashby in the end without being told.
    """
    company.reset()
    company.switch(**switches)
    write_customer(home, company, lever={"retry": RETRY}, ashby={"retry": RETRY})
    with environment(home, company):
        company.faults(*READING)
        book = workbook.open_customer(CUSTOMER)
        prepare(book, company)
        book.close()
        life = Life(company)
        life.read(False)
        life.plan()
        assert not life.load(faults=LOADING, dies=100 + 40 * seed)
        assert life.load(faults=LOADING)
        life.judge(wrote=True)
        life.edit_lever(seed, 12)
        for kind in ("file_new", "feedback_delete", "opportunity_new", "person_new"):
            life.edit_lever(seed, 1, [kind])
        life.edit_lever_so({"kind": "contact_edit", "attribute": "email"})
        life.edit_ashby(seed)
        company.faults(*READING)
        life.read(True)
        life.plan()
        assert life.load(faults=LOADING)
        life.judge(wrote=True)
        life.finish()
        decided = set(company.ask("GET", "/switches?decided=1"))
        silent = life.silent
        life.close()
    company.reset()
    return decided, silent


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(amount(1, 8)))
@pytest.mark.parametrize("number", range(amount(1, len(together()))))
def test_unknowns_change_nothing_in_bad_weather_either(number: int, seed: int, tmp_path: Path, pair: Sandbox) -> None:
    """Answers get lost, pages are short, the process dies, people work on both sides: `Life.finish` is satisfied."""
    values = together()[number]
    decided, silent = live(tmp_path / "home", pair, values, seed)
    if number == 0:
        timed = {name for name in values if name.endswith(("_ms", "_seconds"))} | {"concurrent_limit"}
        assert " ".join(sorted(set(values) - decided - set(NEVER_DECIDED) - timed)) == ""  # a slow machine comes late
    tell(
        "P30", "values of switches together, a move in bad weather", seed=seed, switches=sorted(values),
        which_made_another_answer=sorted(decided & set(values)), **tally({"": silent}),
    )  # fmt: skip
