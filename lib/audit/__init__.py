"""Step 1: what is there, what will not fit, how long it will take. Reads both sides, writes nothing to either.

What it has to list in order to count (the short lists and the opportunities) is kept in the store, so that the
extraction need not ask for it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lib.audit.behaviour import ashby_behaviour, lever_behaviour
from lib.audit.forecast import route
from lib.audit.probes import (
    ashby_permissions,
    closed_lists,
    confidential_access,
    is_odd,
    lever_permissions,
    may,
    may_call,
)
from lib.errors import GateError

Row = dict[str, Any]
__all__ = [
    "ashby_behaviour", "ashby_permissions", "closed_lists", "confidential_access", "findings", "gate", "inventory",
    "is_odd", "lever_behaviour", "lever_permissions", "losses", "may", "may_call", "route",
]  # fmt: skip

LOSSES = (
    ("posting", "content", "archived only", "Ashby has no call that writes a job description; kept in the raw store"),
    ("opportunity", "followers", "archived only", "Ashby has no counterpart of followers"),
    ("opportunity", "stageChanges.userId", "note", "who moved a candidate cannot be written; named in a history note"),
    ("opportunity", "snoozedUntil", "archived only", "Ashby has no snooze"),
    ("application", "ipAddress, userAgent", "never", "personal data without a use"),
    ("feedback", "completedAt", "moved changed", "Ashby stamps feedback with the time of loading; the date is in text"),
    ("note", "user", "moved changed", "the note's author is the importer; the true author stands in its first line"),
    ("resume", "parsedData", "moved changed", "Ashby parses the résumé again"),
    ("interview", "all", "moved changed", "no call writes past interviews; summarised in one dated note"),
    ("offer", "all", "moved changed", "starting offer processes for history would run approvals; note and signed file"),
    ("e-mail", "all", "archived only", "Lever's API does not give e-mails"),
    ("EEO and surveys", "all", "never", "special-category data is not read unless ordered in writing"),
)


def inventory(reader: Any) -> list[Row]:
    """What Lever holds, as counts: {object, group, n_objects}."""
    opportunities: Counter[str] = Counter()
    hired = {one["id"] for one in reader.all("archive_reasons") if one.get("type") == "hired"}
    for item in reader.all("opportunities"):
        opportunities.update(_groups(item, hired))
    rows = [{"object": "contacts", "group": "all", "n_objects": reader.count_parents("opportunities")}]
    rows += [{"object": "opportunities", "group": name, "n_objects": n} for name, n in sorted(opportunities.items())]
    states = Counter(str(one.get("state")) for one in reader.all("postings"))
    rows += [{"object": "postings", "group": name, "n_objects": n} for name, n in sorted(states.items())]
    active = Counter("deactivated" if one.get("deactivatedAt") else "active" for one in reader.all("users"))
    rows += [{"object": "users", "group": name, "n_objects": n} for name, n in sorted(active.items())]
    for stream in (
        "stages",
        "archive_reasons",
        "sources",
        "tags",
        "requisitions",
        "feedback_templates",
        "form_templates",
    ):
        rows.append({"object": stream.replace("_", " "), "group": "all", "n_objects": reader.count(stream)})
    return rows


def _groups(item: Row, hired: set[str]) -> Iterable[str]:
    yield "all"
    archived = item.get("archived")
    yield "active" if not archived else ("hired" if archived.get("reason") in hired else "archived")
    if item.get("confidentiality") == "confidential":
        yield "confidential"
    if not item.get("applications"):
        yield "without posting"
    if item.get("isAnonymized"):
        yield "anonymised"
    if item.get("updatedAt") is None:
        yield "never changed (updatedAt empty)"


def losses(reader: Any) -> list[Row]:
    """What cannot arrive as it is, by Ashby's nature: {lever_type, field, treatment, reason, n_records}."""
    counts = Counter({("posting", "content"): reader.count("postings")})
    for item in reader.all("opportunities"):
        counts["opportunity", "followers"] += bool(item.get("followers"))
        counts["opportunity", "snoozedUntil"] += item.get("snoozedUntil") is not None
        counts["opportunity", "stageChanges.userId"] += any(one.get("userId") for one in item.get("stageChanges") or [])
        counts["application", "ipAddress, userAgent"] += bool(item.get("applications"))
    return [
        {"lever_type": kind, "field": field, "treatment": how, "reason": why, "n_records": counts.get((kind, field))}
        for kind, field, how, why in LOSSES
    ]


def findings(reader: Any, *, permissions: list[Row], confidential: Row, dangling: list[Row]) -> list[Row]:
    """What a person must know before going on: {id, severity, finding, n_records, do}."""
    found = [_confidential(confidential)]
    for row in permissions:
        if row["ok"] and row["detail"]:
            text = f"{row['side']}, {row['permission']}: {row['detail']}"
            name = f"absent:{row['permission']}"
            found.append({"id": name, "severity": "info", "finding": text, "n_records": None, "do": "nothing"})
        if not row["ok"]:
            name = f"permission:{row['side'].lower()}:{row['permission']}"
            text, do = f"{row['side']} key lacks: {row['permission']}", row["detail"]
            if is_odd(row):
                text = f"{row['side']} neither gives nor refuses: {row['permission']}"
                do = f"{do}. Whether the key may read it cannot be told: run 01_audit again, then ask Lever's support"
            found.append({"id": name, "severity": "critical", "finding": text, "n_records": None, "do": do})
    for row in dangling:
        text = f"posting {row['lever_id']} is named by applications and is in no list (deleted, or hidden)"
        do = "those applications are treated as without posting"
        if row["why"] not in ("403", "404", "not in the export"):
            text = f"posting {row['lever_id']} is named by applications and in no list, and Lever answered {row['why']}"
            do = f"02_extract asks again; if it stays so, {do}"
        entry = {"id": f"dangling:{row['lever_id']}", "severity": "warning", "finding": text, "do": do}
        found.append(entry | {"n_records": row["n_records"]})
    return found + list(_target_findings(reader))


SIGNED = ("granted", "gap accepted")  # verdicts that rest on somebody's word in the params file


def _confidential(row: Row) -> Row:
    """Proven is well; on somebody's word it is well once it stands in overrides.csv whose; all else stops."""
    text, do = f"access to confidential records: {row['verdict']}", row["detail"]
    severity = "info" if row["verdict"] == "proven" else "critical"
    if row["verdict"] in SIGNED and row.get("signed"):
        text, severity = f"{text}, signed in overrides.csv ({row['signed']})", "info"
    elif row["verdict"] in SIGNED:
        do += (
            "; who has looked, and why, is not recorded: add a line to overrides.csv (id confidential, who, when, why)"
        )
    return {"id": "confidential", "severity": severity, "finding": text, "n_records": None, "do": do}


def _target_findings(reader: Any) -> Iterable[Row]:
    """What the Ashby organization lacks for this move; only an admin can make these things there."""
    plans = [one for one in reader.ashby("interview_plans") if not one.get("isArchived")]
    for plan in plans:
        lacking = {"Archived", "Hired"} - {str(stage.get("type")) for stage in plan.get("stages") or []}
        if lacking:
            text = f"interview plan {plan['title']} has no stage of type {', '.join(sorted(lacking))}"
            do = "choose another plan for postings with such candidates, or add the stage"
            yield {"id": f"plan:{plan['id']}", "severity": "warning", "finding": text, "n_records": None, "do": do}
    yield _automations(reader)
    if not plans:
        yield _lack("interview plan", "applications have no stages to land in")
    if not [one for one in reader.ashby("feedback_forms") if not one.get("isArchived")]:
        yield _lack(
            "feedback form", "feedback would move as notes; build a form 'Migrated feedback' to keep it as feedback"
        )
    reasons = {str(one.get("reasonType")) for one in reader.ashby("archive_reasons") if not one.get("isArchived")}
    if not reasons:
        yield _lack("archive reason", "archived applications cannot be written")
    for kind in ("sources", "departments", "locations"):
        if not reader.ashby(kind):
            yield _lack(kind[:-1], "set it up in Ashby's admin pages before the load")


def _automations(reader: Any) -> Row:
    """Ashby's API neither shows automations nor lists webhooks (its reference): nobody can tell from here."""
    n_applications, n_jobs = reader.count("opportunities"), reader.count("postings")
    text = (
        "whether automations and webhooks are on in Ashby cannot be read by its API; each of about "
        f"{n_applications:,} applications and {n_jobs:,} opened jobs could tell or mail somebody"
    )
    do = "have an admin of Ashby switch them off before 05_load, and look (docs/cutover.md)"
    entry = {"id": "target:automations", "severity": "warning", "finding": text, "do": do}
    return entry | {"n_records": n_applications + n_jobs}


def _lack(what: str, consequence: str) -> Row:
    text = f"Ashby has no {what}"
    return {"id": f"target:{what}", "severity": "critical", "finding": text, "n_records": None, "do": consequence}


def gate(found: list[Row], *, accepted: set[str]) -> None:
    """GateError that names every critical finding which nobody has accepted."""
    red = [row for row in found if row["severity"] == "critical" and row["id"] not in accepted]
    if red:
        lines = "; ".join(f"{row['finding']}: {row['do']} [{row['id']}]" for row in red)
        raise GateError(
            f"{len(red)} critical findings: {lines}.",
            hint="Mend them, or accept one by a line in overrides.csv (id, who, when, why).",
        )


def frame(rows: list[Row], columns: list[str]) -> pd.DataFrame:
    """Rows as a table that has its columns even when it is empty."""
    return pd.DataFrame(rows, columns=columns)
