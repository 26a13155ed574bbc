"""Great Expectations suites as plain code, and the gates.

Each suite takes tables made of ids and facts, a part at a time (`extracted_frames`, `people_frames`, `plan_frames` make
them from the store), checks them, and gives back one row per expectation: red, green, or could not run. No value of the
data is in a result, only counts and at most five Lever ids.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from pandas import DataFrame

from lib.checks.engine import CRITICAL, WARNING, Expect, SuiteResult, check
from lib.checks.frames import extracted_frames, people_frames, plan_frames, sample_frames, values
from lib.errors import GateError

__all__ = [
    "SuiteResult",
    "extracted",
    "extracted_frames",
    "gate",
    "people",
    "people_frames",
    "plan",
    "plan_frames",
    "sample",
]
LEVER_BEGAN_MS = 1_199_145_600_000  # 2008-01-01: older than the company
DAY_MS = 86_400_000
KINDS = (
    "link", "candidate.create", "candidate.update", "candidate.addTag", "candidate.createNote", "candidate.uploadFile",
    "candidate.uploadResume", "candidateTag.create", "application.create", "application.update",
    "applicationFeedback.submit", "customField.create", "customField.setValues", "customField.updateSelectableValues",
    "job.create", "job.setStatus",
)  # fmt: skip
"""Everything a plan may hold: nothing that invites, mails or schedules."""
SHOWN = 20


def _unique(table: str, column: str, says: str) -> Expect:
    return Expect(table, says, "ExpectColumnValuesToBeUnique", {"column": column})


def _filled(table: str, column: str, says: str, severity: str = CRITICAL) -> Expect:
    return Expect(table, says, "ExpectColumnValuesToNotBeNull", {"column": column}, severity)


def _among(table: str, column: str, allowed: Iterable[Any], says: str, severity: str = CRITICAL) -> Expect:
    options = {"column": column, "value_set": list(allowed)}
    return Expect(table, says, "ExpectColumnValuesToBeInSet", options, severity)


def _true(table: str, column: str, says: str, severity: str = CRITICAL) -> Expect:
    return _among(table, column, [True], says, severity)


def _between(
    table: str, column: str, low: float | None, high: float | None, says: str, severity: str = CRITICAL
) -> Expect:
    options = {"column": column, "min_value": low, "max_value": high}
    return Expect(table, says, "ExpectColumnValuesToBeBetween", options, severity)


def _matches(table: str, column: str, regex: str, says: str) -> Expect:
    return Expect(table, says, "ExpectColumnValuesToMatchRegex", {"column": column, "regex": regex})


def _not_empty(table: str, says: str) -> Expect:
    return Expect(table, says, "ExpectTableRowCountToBeBetween", {"min_value": 1, "max_value": None})


def _not_before(table: str, later: str, earlier: str, says: str) -> Expect:
    options = {"column_A": later, "column_B": earlier, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    return Expect(table, says, "ExpectColumnPairValuesAToBeGreaterThanB", options, WARNING)


def extracted(parts: Iterable[Mapping[str, DataFrame]], *, now_ms: int | None = None) -> SuiteResult:
    """What Lever gave: complete enough to build on? `parts` as `extracted_frames(store)` makes them."""
    latest = (int(time.time() * 1000) if now_ms is None else now_ms) + DAY_MS
    first, rest = _headed(parts)
    known = first.get("known", DataFrame(columns=["lever_id", "kind"]))
    table = "opportunities"
    found = [
        _not_empty(table, "there are opportunities"),
        _filled(table, "lever_id", "every opportunity has an id"),
        _unique(table, "lever_id", "no opportunity is there twice"),
        _filled(table, "contact", "every opportunity belongs to a contact"),
        _filled(table, "created_ms", "every opportunity says when it was created"),
        _between(table, "created_ms", LEVER_BEGAN_MS, latest, "creation lies between 2008 and today"),
        _between(table, "archived_ms", LEVER_BEGAN_MS, latest, "archiving lies between 2008 and today", WARNING),
        _not_before(table, "updated_ms", "created_ms", "no opportunity was updated before it was created"),
        _not_before(table, "archived_ms", "created_ms", "no opportunity was archived before it was created"),
        _true(table, "changes_dated", "every stage change has a stage and a time"),
        _among(table, "stage", values(known, "stage"), "every stage is one that Lever lists", WARNING),
        _among(table, "archive_reason", values(known, "archive_reason"), "every archive reason is listed", WARNING),
        _among(table, "owner", values(known, "owner"), "every owner is a known user", WARNING),
        _among(table, "posting", values(known, "posting"), "every posting is a known one", WARNING),
        _unique("children", "lever_id", "no note, form or file is there twice"),
        _filled("children", "parent", "every note, form and file hangs on a known opportunity"),
        _between("children", "created_ms", LEVER_BEGAN_MS, latest, "their creation is plausible", WARNING),
        _among("files", "state", ["stored", "unavailable"], "every file is stored, or gone at the source for good"),
        _matches("files", "sha256", r"^[0-9a-f]{64}$", "every stored file has its hash"),
        _between("files", "size", 0, None, "every stored file has a size"),
        _not_empty("postings", "there are postings"),
        _unique("postings", "lever_id", "no posting is there twice"),
        _true("postings", "has_title", "every posting has a title", WARNING),
    ]
    return check("extracted", chain([first], rest), found)


def _headed(
    parts: Iterable[Mapping[str, DataFrame]],
) -> tuple[Mapping[str, DataFrame], Iterable[Mapping[str, DataFrame]]]:
    rest = iter(parts)
    return next(rest, {}), rest


def people(parts: Iterable[Mapping[str, DataFrame]]) -> SuiteResult:
    """Who is who: is everybody in one person, and nobody in two? `parts` as `people_frames(store)` makes them."""
    found = [
        _not_empty("people", "there are people"),
        _unique("people", "lever_id", "no person is there twice"),
        _unique("members", "lever_id", "every contact is in one person only"),
        _true("members", "is_there", "every contact is in a person that exists"),
        _true("contacts", "is_somebody", "every contact of Lever is in a person"),
        _between("people", "n_contacts", 1, None, "nobody is made of nothing"),
        _true("people", "has_name", "everybody has a name", WARNING),
        _true("people", "email_well_formed", "every first address has the shape of an address"),
        _true("people", "best_email_first", "no first address is a placeholder where a real one stands beside it"),
        _true("people", "email_names_somebody", "no first address is a placeholder", WARNING),
        _between("people", "n_surnames", 0, 1, "nobody was joined without asking under two surnames", WARNING),
        Expect(
            "people", "no two people have the same first address", "ExpectColumnValuesToBeUnique", {"column": "email"},
            WARNING,
        ),
        _unique("people", "ashby_id", "no candidate of Ashby is two people"),
        _among("people", "match", ["new", "exists"], "nobody's match with Ashby is still open"),
        _between("people", "created_ms", LEVER_BEGAN_MS, None, "everybody's creation is plausible", WARNING),
    ]  # fmt: skip
    return check("people", parts, found)


def plan(parts: Iterable[Mapping[str, DataFrame]]) -> SuiteResult:
    """The plan: can it be carried out as it stands, in silence? `parts` as `plan_frames(rows)` makes them."""
    iso = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"
    found = [
        _not_empty("rows", "the plan has rows"),
        _filled("rows", "lever_id", "every row has an id"),
        _unique("rows", "lever_id", "no row id is there twice"),
        _matches("rows", "body_hash", r"^[0-9a-f]{64}$", "every row has the hash of its body"),
        _among("rows", "kind", KINDS, "no row calls an endpoint that invites or mails people"),
        _true("rows", "quiet", "notifications are off wherever Ashby would send some"),
        _true("rows", "needs_met", "whatever a row needs comes before it"),
        _true("rows", "in_order", "the rows of a person are in order"),
        _true("rows", "has_owner", "every row belongs to a person, or to the set-up"),
        _matches("rows", "created_at", iso, "every date is ISO 8601 in UTC, with milliseconds"),
        _true("rows", "history_in_order", "every history is numbered from 0, later each time, not before its creation"),
        _true("rows", "marked", "every note and every feedback ends with its marker line"),
        _true("rows", "has_name", "every new candidate has a name"),
        _true("rows", "file_described", "every file has its hash, its size, a name and a type"),
        _unique("rows", "fingerprint", "no two new candidates have the same name, address and moment"),
        _between("people", "n_candidates", 1, 1, "every person becomes one candidate, or is one already"),
        _between("people", "n_markers", 1, 1, "every candidate gets its Lever id once"),
        _between("people", "n_resumes", 0, 1, "nobody gets two current résumés"),
        _between("people", "n_same_file_names", 0, 0, "no two files of a person have one name"),
    ]
    return check("plan", parts, found)


def sample(frame: DataFrame) -> SuiteResult:
    """What was read closely: is every field as it was sent? `frame` is the table `sample` of a validation."""
    frames = sample_frames(frame)
    found = [_not_empty("all", "something was read closely")]
    for name in sorted(frames.keys() - {"all"}):
        minor = name.endswith(": minor")
        says = f"every field of every {name.removesuffix(': minor')} is as it was sent"
        found.append(_between(name, "share", 1, 1, says, WARNING if minor else CRITICAL))
        found.append(_between(name, "n_expected", 1, None, "every field was really compared", WARNING))
    return check("sample", frames, found)


def gate(found: Iterable[Any], overrides: Iterable[Any] = ()) -> None:
    """GateError in words when something critical is red and nobody has accepted it.

    `found` may mix suites, tables of findings or differences, and their rows; `overrides` are ids, or rows of
    overrides.csv, which count when they say who accepted it and why.
    """
    accepted = set(_accepted(overrides))
    red = [line for one in found for row_id, line in _reds(one) if row_id not in accepted]
    if red:
        more = f"; and {len(red) - SHOWN} more" if len(red) > SHOWN else ""
        raise GateError(
            f"{len(red)} checks are red: {'; '.join(red[:SHOWN])}{more}.",
            hint="Mend what they name and run the step again, or accept one in overrides.csv (id, who, when, why).",
        )


def _accepted(overrides: Iterable[Any]) -> Iterable[str]:
    for one in overrides:
        if isinstance(one, str):
            yield one
        elif one.get("who") and one.get("why") and one.get("verdict", "yes"):
            yield str(one["id"])


def _reds(one: Any) -> Iterable[tuple[str, str]]:
    """(id, words) of each red in a suite, a table, or one row."""
    if isinstance(one, SuiteResult):
        rows: list[Mapping[str, Any]] = list(one.rows)
    elif isinstance(one, DataFrame):
        rows = one.to_dict("records")
    else:
        rows = [one]
    for row in rows:
        if row.get("severity") == CRITICAL and not row.get("ok", False):
            yield str(row.get("id", "")), _words(row)


def _words(row: Mapping[str, Any]) -> str:
    if "expectation" not in row:
        named = " ".join(str(row.get(name, "")) for name in ("object", "lever_id", "field", "kind"))
        return f"{row.get('finding') or named} [{row.get('id', '')}]"
    if not row["could_run"]:
        return f"could not run: {row['expectation']} [{row['id']}]"
    which = f": {', '.join(row['ids'])}" if row["ids"] else ""
    return f"not so: {row['expectation']} ({row['n_unexpected']} of {row['n_tested']}{which}) [{row['id']}]"
