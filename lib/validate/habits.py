"""What this Ashby does to every record alike, measured before anything is compared.

Two things are not known of the vendor (facts: "createdAt round trip", "resulting archivedAt value"): whether a
back-dated time keeps its milliseconds, and which time an application shows as archived. One record that differs is a
difference. All of them differing in the same way is how this Ashby is: that is told once, and what it hides is compared
as far as it can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from lib.validate.expected import Row, is_done
from lib.validate.findings import Findings, Subject
from lib.validate.target import Target
from lib.validate.values import moment

LOOKED_AT = 20_000  # rows of the plan
ENOUGH = 3  # fewer records than this prove no habit
HOUR = 3_600_000
SECOND = 1000


@dataclass(frozen=True)
class Habits:
    """`unit_ms`: times are kept in whole units of this; `archived_from_ms`: archivedAt is the moment of writing.

    0: it is the time of the last event.
    """

    unit_ms: int = 1
    archived_from_ms: int = 0


@dataclass
class _Seen:
    times: list[tuple[int, int]] = field(default_factory=list)
    archived: list[tuple[int, int]] = field(default_factory=list)
    first_ms: int = 0


def measure(rows: Iterable[Row], links: Mapping[str, str], target: Target) -> Habits:
    """The habits of this Ashby, by the candidates and applications among the first rows of the plan."""
    seen = _Seen()
    for planned, entry in islice(rows, LOOKED_AT):
        if entry is not None and is_done(planned, entry) and planned.link in links:
            homes = {"candidate.create": target.candidates, "application.create": target.applications}
            home = homes.get(planned.kind)
            found = home.get(links[planned.link]) if home is not None else None
            if found is not None:
                seen.first_ms = min(seen.first_ms or entry.first_ms, entry.first_ms)
                _look(seen, planned.body, found)
    return Habits(_unit(seen.times), _archived_from(seen))


def _look(seen: _Seen, sent: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    last = (sent.get("applicationHistory") or [{}])[-1]
    pairs = [(seen.times, sent.get("createdAt"), found.get("createdAt"))]
    if "archiveReasonId" in last:
        pairs.append((seen.archived, last["enteredStageAt"], found.get("archivedAt")))
    for home, ours, theirs in pairs:
        one, other = moment(ours), moment(theirs)
        if one is not None and other is not None:
            home.append((one, other))


def _unit(times: list[tuple[int, int]]) -> int:
    """A second when no time came back with the milliseconds it had, and each is the second it was in."""
    telling = [(sent, found) for sent, found in times if sent % SECOND]
    cut = [found == sent - sent % SECOND for sent, found in telling]
    return SECOND if len(cut) >= ENOUGH and all(cut) else 1


def _archived_from(seen: _Seen) -> int:
    """The beginning of the load when no application shows the time that was sent, and each a time since then."""
    since = seen.first_ms - HOUR  # the two clocks may differ
    as_written = [found >= since and found - sent > SECOND for sent, found in seen.archived]
    return since if len(as_written) >= ENOUGH and all(as_written) else 0


def tell(habits: Habits, findings: Findings) -> None:
    """One line for each habit that differs from what was sent."""
    if habits.unit_ms > 1:
        told = "this Ashby keeps times to the second: of all times that were compared the milliseconds are lost"
        findings.differ(Subject("application", ""), "(times)", kind="different", detail=told, severity="warning")
    if habits.archived_from_ms:
        told = (
            "this Ashby shows as archivedAt when an application was written; when it was archived stands in its history"
        )
        findings.differ(Subject("application", ""), "archivedAt", kind="different", detail=told, severity="warning")
