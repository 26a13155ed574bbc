"""The other direction: what stands in Ashby with our marks, or looks like ours, and the ledger does not know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Mapping
from typing import Any

from lib.validate.findings import Findings, Subject
from lib.validate.shelf import Pairs, Scratch, Shelf
from lib.validate.target import Item, Target, fingerprint, ident, marked
from lib.validate.values import moment

CONTACT, OPPORTUNITY, POSTING = "Lever contact ID", "Lever opportunity ID", "Lever posting ID"
_FIELDS = {"Candidate": CONTACT, "Application": OPPORTUNITY, "Job": POSTING}


def find_surplus(
    target: Target, links: Shelf, *, known: Container[str], scratch: Scratch, run_tag: str, findings: Findings
) -> None:
    """Marked objects that no link holds (`known` are the Ashby ids that one holds), and the same mark on two."""
    for name, kind, title in (
        ("candidate", "Candidate", CONTACT), ("application", "Application", OPPORTUNITY), ("job", "Job", POSTING),
    ):  # fmt: skip
        field_id = links.get(f"custom_field:{kind}:{title}", "")
        things = {"candidate": target.candidates.all, "application": target.applications.all, "job": target.jobs.values}
        holders = Pairs(scratch)
        _marked(name, title, field_id, things[name](), holders=holders, known=known, findings=findings)
    _tagged(target, known, run_tag, findings)
    _set_up_twice(target, links, findings)


def _marked(
    name: str,
    title: str,
    field_id: str,
    things: Iterable[Item],
    *,
    holders: Pairs,
    known: Container[str],
    findings: Findings,
) -> None:
    for one in things:
        lever_ids = marked(one, title, field_id)
        for lever_id in lever_ids:
            holders.add(lever_id, str(one["id"]))
        if lever_ids and one["id"] not in known:
            about = Subject(name, lever_ids[0], str(one["id"]))
            findings.differ(about, "(exists)", kind="surplus", detail=f"carries {title!r}; the ledger does not know it")
    for lever_id, ids in holders.shared():
        about = Subject(name, lever_id, ids[0])
        findings.differ(about, "(exists)", kind="doubled", detail=f"{title!r} stands on {len(ids)}: {ids}")


def _tagged(target: Target, known: Container[str], run_tag: str, findings: Findings) -> None:
    for one in target.candidates.all():
        titles = {tag.get("title") for tag in one.get("tags") or []}
        if run_tag and run_tag in titles and one["id"] not in known:
            about = Subject("candidate", "", str(one["id"]))
            told = "carries the tag of the run; the ledger does not know it"
            findings.differ(about, "tags", kind="surplus", detail=told)


def _set_up_twice(target: Target, links: Shelf, findings: Findings) -> None:
    """A tag or a custom field of ours that stands there a second time under the same name."""
    ours = {ashby_id for start in ("custom_field:", "tag:") for _, ashby_id in links.by_key(start)}
    for name, things in (("custom field", target.fields), ("tag", target.tags)):
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for one in things.values():
            if not one.get("isArchived"):
                groups[str(one.get("objectType", "")), str(one.get("title")).casefold()].append(str(one["id"]))
        for ids in groups.values():
            if len(ids) > 1 and ours & set(ids):
                about = Subject(name, "", sorted(ids)[0])
                findings.differ(about, "title", kind="doubled", detail=f"{len(ids)} of the same title: {sorted(ids)}")


def find_twins(
    created: Shelf, candidates: Iterable[Item], *, known: Container[str], scratch: Scratch, findings: Findings
) -> None:
    """Candidates that no link holds but that have the name and the exact moment of one we made: made twice.

    `created` is {Ashby id: (person, name, createdAt)} of the candidates the plan made.
    """
    twins = Pairs(scratch)
    for one in candidates:
        if one["id"] not in known and (key := fingerprint(one.get("name"), one.get("createdAt"))):
            twins.add(key, one["id"])
    for ashby_id, (person, name, created_at) in created.pairs() if twins else ():
        key = fingerprint(name, created_at)
        for other in twins.of(key) if key else []:
            if other != ashby_id:
                about = Subject("candidate", person, other)
                findings.differ(about, "(exists)", kind="doubled", detail=f"same name and moment as {ashby_id}")


def pair_key(one: str, other: str) -> str:
    """A pair of ids, in whichever order they are written."""
    return "|".join(sorted((one, other)))


def find_doubles_of_address(
    created: Shelf,
    candidates: Shelf,
    *,
    known: Container[str],
    apart: Collection[str],
    contacts: Pairs,
    scratch: Scratch,
    findings: Findings,
) -> None:
    """Candidates that no link holds and that have an address of one we made: added in Ashby after the load?

    People who are loaded are not compared with Ashby again, so this is where it is told. `apart` are the `pair_key`s of
    contacts and candidates that a verdict, or the model, calls different; `contacts` are those of each person.
    """
    strangers = Pairs(scratch)
    for one in candidates.all():
        for mail in _mails(one) if one["id"] not in known else ():
            strangers.add(mail, one["id"])
    for ashby_id, (person, _, _) in created.pairs() if strangers else ():
        others = {other for mail in _mails(candidates.get(ashby_id) or {}) for other in strangers.of(mail)}
        own = {person, *contacts.of(person)} if others else set()
        for other in sorted(others):
            if not any(pair_key(contact, other) in apart for contact in own):
                told = f"has an address of {ashby_id}: the same person twice? Merge them in Ashby"
                about = Subject("candidate", person, other)
                findings.differ(about, "emailAddresses", kind="doubled", detail=told, severity="warning")


def _mails(candidate: Mapping[str, Any]) -> set[str]:
    return {str(one.get("value") or "").strip().casefold() for one in candidate.get("emailAddresses") or []} - {""}


def find_strange_applications(
    candidate: Subject, own: Iterable[Item], *, known: Container[str], ours_alone: bool, findings: Findings
) -> None:
    """Applications of a candidate which no link holds: doubled when job and moment agree with one of ours.

    Others are only told of a candidate that this workbook made (`ours_alone`).
    """
    own = list(own)
    ours = {(ident(one.get("job")), moment(one.get("createdAt"))) for one in own if one["id"] in known}
    for one in own:
        if one["id"] in known:
            continue
        about = Subject("application", candidate.lever_id, str(one["id"]))
        if (ident(one.get("job")), moment(one.get("createdAt"))) in ours:
            findings.differ(about, "(exists)", kind="doubled", detail="same candidate, job and moment as another one")
        elif ours_alone:
            told = "an application that the plan does not hold; added in Ashby?"
            findings.differ(about, "(exists)", kind="surplus", detail=told, severity="warning")


def find_orphans(
    links: Iterable[Mapping[str, str]], planned: Container[str], target: Target, *, findings: Findings
) -> None:
    """What an earlier plan made and the plan in force does not hold, and still stands in Ashby.

    A custom field or a tag that nothing uses any more is told as a warning.
    """
    homes: dict[str, Container[str]] = {
        "candidate": target.candidates, "application": target.applications, "job": target.jobs,
    }  # fmt: skip
    minor = {"custom_field": target.fields, "tag": target.tags}
    homes |= {
        name: {key: one for key, one in found.items() if not one.get("isArchived")} for name, found in minor.items()
    }
    for row in links:
        stands = row["ashby_id"] in homes.get(row["ashby_type"], {})
        if stands and row["origin"] == "created" and row["link"] not in planned:
            about = Subject(row["ashby_type"].replace("_", " "), row["link"].partition(":")[2], row["ashby_id"])
            told = "made by an earlier plan; the plan in force does not hold it"
            severity = "warning" if row["ashby_type"] in minor else "critical"
            findings.differ(about, "(exists)", kind="surplus", detail=told, severity=severity)


def find_strange_notes(
    found: Mapping[str, str], planned: Container[str], *, findings: Findings, lever_id: str = ""
) -> None:
    """Notes by {Ashby id: marker line}: markers nobody planned, and markers that stand there twice."""
    times = Counter(found.values())
    for ashby_id, marker in sorted(found.items()):
        _strange("note", ashby_id, marker, times[marker], planned=planned, findings=findings, lever_id=lever_id)


def find_strange_feedback(target: Target, planned: Container[str], *, findings: Findings) -> None:
    """The same for all submitted feedback."""
    times = {marker: len(ids) for marker, ids in target.marks.shared()}
    for one in target.feedback.all():
        if marker := one["marker"]:
            n_times = times.get(marker, 1)
            _strange("feedback", one["id"], marker, n_times, planned=planned, findings=findings)


def _strange(
    name: str,
    ashby_id: str,
    marker: str,
    n_times: int,
    *,
    planned: Container[str],
    findings: Findings,
    lever_id: str = "",
) -> None:
    about = Subject(name, _id_in(marker) or lever_id, ashby_id)
    if marker not in planned:
        findings.differ(about, "(exists)", kind="surplus", detail=f"{marker}: the plan does not hold it")
    elif n_times > 1:
        findings.differ(about, "(exists)", kind="doubled", detail=f"{marker} stands there {n_times} times")


def _id_in(marker: str) -> str:
    words = marker.strip("[]").split()
    return words[2] if len(words) > 2 else ""
