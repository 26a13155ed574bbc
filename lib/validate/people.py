"""A candidate of the plan against the candidate in Ashby, field by field; with jobs, custom fields and tags."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lib.validate import values
from lib.validate.edits import LEFT_ALONE, Edits
from lib.validate.expected import FILES, Person, SetUp, Thing
from lib.validate.findings import Findings, Subject
from lib.validate.target import Item, Target, custom_values, files_of, ident

_STRANGE = "not sent; added in Ashby, or somebody else's?"


def compare_candidate(person: Person, target: Target, *, findings: Findings, edits: Edits) -> Item | None:
    """Compare one candidate; returns it as it stands in Ashby, or None after naming it as missing."""
    thing = person.candidate
    if thing is None:
        return None
    about = Subject("candidate", thing.lever_id, thing.ashby_id)
    found = target.candidates.get(thing.ashby_id)
    findings.check(about, "(exists)", same=found is not None, kind="missing", detail="not in candidate.list")
    if found is None:
        return None
    _members(about, thing, found, findings, edits)
    compare_custom(about, thing, found, findings=findings, edits=edits)
    _tags(about, thing, found, findings)
    _files(person, found, findings)
    if not thing.adopted:
        _surplus(about, person, found, findings)
    return found


def _members(about: Subject, thing: Thing, found: Item, findings: Findings, edits: Edits) -> None:
    mails = [str(one.get("value") or "") for one in found.get("emailAddresses") or []]
    primary = (found.get("primaryEmailAddress") or {}).get("value")
    phone = (found.get("primaryPhoneNumber") or {}).get("value")
    pairs: dict[str, tuple[Any, Any]] = {
        "name": (values.same_words, found.get("name")),
        "email": (values.same_mail, primary),
        "phoneNumber": (values.same_phone, phone),
        "createdAt": (findings.same_moment, found.get("createdAt")),
        "sourceId": (str.__eq__, ident(found.get("source"))),
        "creditedToUserId": (str.__eq__, ident(found.get("creditedToUser"))),
    }
    for name, (same, value) in pairs.items():
        if name in thing.sent:
            sent = thing.sent[name]
            told = f"sent {sent}, found {value}" if name.endswith("Id") else findings.told(sent, value)
            _check(about, thing, name, same=bool(same(sent, value)), found=value, told=told, parts=(findings, edits))
    for mail in thing.sent.get("alternates", []):
        there = any(values.same_mail(mail, one) for one in [*mails, primary])
        _check(about, thing, "alternates", same=there, found=None, told="an address lacks", parts=(findings, edits))
    _links(about, thing, found, findings, edits)
    _location(about, thing, found.get("location"), findings)


def _check(
    about: Subject, thing: Thing, name: str, *, same: bool, found: Any, told: str, parts: tuple[Findings, Edits]
) -> None:
    """One field; a value that the load left alone is a warning, not a fault."""
    findings, edits = parts
    kind, severity = ("missing" if found in (None, "", []) else "different"), "critical"
    if not same and edits.left_alone(thing.by.get(name, ""), name):
        kind, severity, told = "different", "warning", LEFT_ALONE
    findings.check(about, name, same=same, detail=told, kind=kind, severity=severity)


def _links(about: Subject, thing: Thing, found: Item, findings: Findings, edits: Edits) -> None:
    there = {(one.get("type"), values.url_key(one.get("url"))) for one in found.get("socialLinks") or []}
    for kind, url in thing.sent.get("links", {}).items():
        same = (kind, values.url_key(url)) in there
        other = [one for one in there if one[0] == kind]
        told = f"the {kind} link " + ("is another one" if other else "lacks")
        _check(about, thing, "links", same=same, found=other, told=told, parts=(findings, edits))


def _location(about: Subject, thing: Thing, found: Any, findings: Findings) -> None:
    """Ashby answers with its own wording of a place: a part that reads otherwise is a warning, none at all is not."""
    sent = thing.sent.get("location")
    if not sent:
        return
    found = found or {}
    parts = {str(one.get("type")).lower(): str(one.get("name")) for one in found.get("locationComponents") or []}
    summary = str(found.get("locationSummary") or "").casefold()
    if not parts and not summary:
        findings.check(about, "location", same=False, kind="missing", detail="no location stands there")
        return
    for name, text in sent.items():
        same = parts.get(name, "").casefold() == text.casefold() or text.casefold() in summary
        told = f"{name}: " + findings.told(text, parts.get(name))
        findings.check(about, "location", same=same, detail=told, severity="warning")


def compare_custom(about: Subject, thing: Thing, found: Item, *, findings: Findings, edits: Edits) -> None:
    """Every custom-field value of an object."""
    there = custom_values(found)
    for field_id, sent in thing.custom.items():
        value = there.get(field_id)
        same = values.same_value(sent, value)
        kind = "missing" if value is None else "different"
        told, severity = f"field {field_id}: {findings.told(sent, value)}", "critical"
        if not same and edits.left_alone(thing.by.get(field_id, ""), field_id):
            kind, told, severity = "different", f"field {field_id}: {LEFT_ALONE}", "warning"
        findings.check(about, "customFields", same=same, kind=kind, detail=told, severity=severity)
    for row_id in sorted({thing.by[field_id] for field_id in thing.custom}):
        for field_id, once in edits.once_set(row_id).items():
            if field_id not in thing.custom and there.get(field_id) and values.same_value(once, there[field_id]):
                told = f"field {field_id}: a value that Lever no longer has stands there"
                findings.differ(about, "customFields", kind="surplus", detail=told, severity="warning")


def _tags(about: Subject, thing: Thing, found: Item, findings: Findings) -> None:
    there = Counter(ident(tag) for tag in found.get("tags") or [])
    for tag_id in thing.tags:
        findings.check(about, "tags", same=there[tag_id] > 0, kind="missing", detail=f"tag {tag_id}")
        if there[tag_id] > 1:
            findings.differ(about, "tags", kind="doubled", detail=f"tag {tag_id} {there[tag_id]} times")


def _files(person: Person, found: Item, findings: Findings) -> None:
    """Names of files; their bytes are read by sample."""
    there = Counter(str(one.get("name")) for one in files_of(found))
    for piece in person.of(*FILES):
        about = Subject("file", piece.lever_id, piece.ashby_id)
        name = piece.file["filename"]
        findings.check(about, "(exists)", same=there[name] > 0, kind="missing", detail="no file of this name")
        if there[name] > 1:
            findings.differ(about, "(exists)", kind="doubled", detail=f"{there[name]} files of this name")
    resume = next(reversed(person.of("candidate.uploadResume")), None)
    if resume is not None:
        current = (found.get("resumeFileHandle") or {}).get("name")
        about = Subject("file", resume.lever_id, resume.ashby_id)
        told = "the résumé of the candidate is another file"
        findings.check(about, "résumé", same=current == resume.file["filename"], detail=told, severity="warning")


def _surplus(about: Subject, person: Person, found: Item, findings: Findings) -> None:
    """Values that nobody sent, on a candidate that this workbook made.

    A résumé explains them only where nothing of the kind was sent: Ashby reads it, and existing data wins
    (its reference, candidate.uploadResume).
    """
    assert person.candidate is not None
    sent = person.candidate.sent
    parsed = bool(person.of("candidate.uploadResume"))
    mails = [mail for mail in (sent.get("email"), *sent.get("alternates", [])) if mail]
    links = {(kind, values.url_key(url)) for kind, url in sent.get("links", {}).items()}
    ours = {
        "emailAddresses": mails, "phoneNumbers": sent.get("phoneNumber"), "socialLinks": links,
        "location": sent.get("location"),
    }  # fmt: skip
    strange: dict[str, list[Any]] = {
        "emailAddresses": [
            one for one in found.get("emailAddresses") or []
            if not any(values.same_mail(one.get("value"), mail) for mail in mails)
        ],
        "phoneNumbers": [
            one for one in found.get("phoneNumbers") or []
            if not values.same_phone(one.get("value"), sent.get("phoneNumber"))
        ],
        "socialLinks": [
            one for one in found.get("socialLinks") or []
            if (one.get("type"), values.url_key(one.get("url"))) not in links
        ],
        "location": [found["location"]] if found.get("location") and not ours["location"] else [],
    }  # fmt: skip
    for name, items in strange.items():
        if items and (ours[name] or not parsed):
            findings.differ(about, name, kind="surplus", detail=f"{len(items)}, {_STRANGE}", severity="warning")
    names = {piece.file["filename"] for piece in person.of(*FILES)}
    extra = [one for one in files_of(found) if one.get("name") not in names]
    if extra:
        findings.differ(about, "files", kind="surplus", detail=f"{len(extra)} nobody sent", severity="warning")


def compare_set_up(made: SetUp, target: Target, *, findings: Findings, edits: Edits) -> None:
    """Jobs, custom fields and tags of the plan against those that stand in Ashby."""
    for thing in made.jobs.values():
        _job(thing, target.jobs.get(thing.ashby_id), findings, edits)
    for thing in made.fields.values():
        _field(thing, target.fields.get(thing.ashby_id), findings)
    for thing in made.tags.values():
        about = Subject("tag", thing.ashby_id, thing.ashby_id)
        found = target.tags.get(thing.ashby_id)
        there = found is not None and not found.get("isArchived")
        findings.check(about, "(exists)", same=there, kind="missing", detail="not in candidateTag.list, or archived")
        if found is not None and "title" in thing.sent:
            findings.check(about, "title", same=values.same_words(thing.sent["title"], found.get("title")))


def _job(thing: Thing, found: Item | None, findings: Findings, edits: Edits) -> None:
    about = Subject("job", thing.lever_id, thing.ashby_id)
    findings.check(about, "(exists)", same=found is not None, kind="missing", detail="not in job.list")
    if found is None:
        return
    names = {
        "title": "title", "teamId": "departmentId", "locationId": "locationId", "status": "status",
        "defaultInterviewPlanId": "defaultInterviewPlanId",
    }  # fmt: skip
    for name, shown in names.items():
        if name in thing.sent:
            sent, there = thing.sent[name], found.get(shown)
            told = f"sent {sent}, found {there}" if name != "title" else "the title is another one"
            findings.check(about, name, same=values.same_words(sent, there), detail=told)
    compare_custom(about, thing, found, findings=findings, edits=edits)


def _field(thing: Thing, found: Item | None, findings: Findings) -> None:
    about = Subject("custom field", thing.lever_id, thing.ashby_id)
    there = found is not None and not found.get("isArchived")
    findings.check(about, "(exists)", same=there, kind="missing", detail="not in customField.list, or archived")
    if found is None:
        return
    for name in ("title", "objectType", "fieldType"):
        if name in thing.sent:
            told = f"sent {thing.sent[name]}, found {found.get(name)}"
            findings.check(about, name, same=values.same_words(thing.sent[name], found.get(name)), detail=told)
    options = {one.get("value"): one for one in found.get("selectableValues") or []}
    for one in thing.sent.get("selectableValues", []):
        now = options.get(one["value"], {})
        same = bool(now) and bool(now.get("isArchived")) == bool(one.get("isArchived"))
        findings.check(about, "selectableValues", same=same, kind="missing", detail="an option lacks or is archived")
