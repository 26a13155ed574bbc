"""Writes out an account of the sandbox as export files: asks its Lever as anybody would, and knows nothing of `lib`.

`Account` holds the answers of the API. `dump` writes them as API crawlers do, `folded` as a public export script does,
`tables` as Lever hands out tables and résumés.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]
CHILDREN = ("notes", "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals")
LISTS = {
    "users": "/users?includeDeactivated=true", "stages": "/stages", "archive_reasons": "/archive_reasons",
    "sources": "/sources", "tags": "/tags", "postings": "/postings?confidentiality=all",
    "requisitions": "/requisitions?confidentiality=all", "requisition_fields": "/requisition_fields",
    "feedback_templates": "/feedback_templates", "form_templates": "/form_templates",
    "deleted_opportunities": "/opportunities/deleted",
}  # fmt: skip


@dataclass
class Account:
    """All that the API tells: lists, opportunities, {opportunity: {child list: objects}}, {file: its bytes}."""

    lists: dict[str, list[Json]] = field(default_factory=dict)
    ranks: Json = field(default_factory=dict)
    opportunities: list[Json] = field(default_factory=list)
    children: dict[str, dict[str, list[Json]]] = field(default_factory=dict)
    bytes: dict[str, bytes] = field(default_factory=dict)


def crawled(about: Json) -> Account:
    """The account behind the addresses and the key that a sandbox tells."""
    found = Account()
    for name, path in LISTS.items():
        found.lists[name] = _pages(about, path)
    inside = _pages(about, "/postings?confidentiality=all&distributionChannel=public&distributionChannel=internal")
    known = {one["id"] for one in found.lists["postings"]}
    found.lists["postings"] += [one for one in inside if one["id"] not in known]
    found.ranks = _ask(about, "/disposition_stages")["data"]
    found.opportunities = _pages(about, "/opportunities?confidentiality=all&expand=applications&expand=contact")
    for one in found.opportunities:
        base = f"/opportunities/{one['id']}"
        found.children[one["id"]] = {name: _pages(about, f"{base}/{name}") for name in CHILDREN}
        for key, path in _downloads(base, found.children[one["id"]]):
            body = _bytes(about, path)
            if body is not None:
                found.bytes[key] = body
    lacking = {
        app["posting"] for one in found.opportunities for app in one["applications"] if app.get("posting")
    } - {one["id"] for one in found.lists["postings"]}  # fmt: skip
    for posting in sorted(lacking):
        try:
            found.lists["postings"].append(_ask(about, f"/postings/{posting}")["data"])
        except urllib.error.HTTPError:
            continue
    return found


def _downloads(base: str, lists: dict[str, list[Json]]) -> list[tuple[str, str]]:
    found = [(one["id"], f"{base}/resumes/{one['id']}/download") for one in lists["resumes"] if one.get("file")]
    found += [(one["id"], f"{base}/files/{one['id']}/download") for one in lists["files"]]
    for one in lists["offers"]:
        for state in ("signed", "sent"):
            if one.get(f"{state}Document"):
                found.append((f"{one['id']}:{state}", f"{base}/offers/{one['id']}/download?status={state}"))
    return found


def _request(about: Json, path: str) -> urllib.request.Request:
    request = urllib.request.Request(about["lever_url"] + path)
    request.add_header("Authorization", "Basic " + base64.b64encode(f"{about['lever_key']}:".encode()).decode())
    return request


def _ask(about: Json, path: str) -> Json:
    with urllib.request.urlopen(_request(about, path), timeout=30) as answer:
        return json.load(answer)


def _pages(about: Json, path: str) -> list[Json]:
    found: list[Json] = []
    token = ""
    while True:
        mark = "&" if "?" in path else "?"
        try:
            answer = _ask(about, f"{path}{mark}offset={urllib.parse.quote(token, safe='')}" if token else path)
        except urllib.error.HTTPError as error:
            if error.code == 404 and path.endswith("/resumes"):
                return []
            raise
        found += answer["data"]
        if not answer.get("hasNext"):
            return found
        token = answer["next"]


class _Elsewhere(urllib.request.HTTPRedirectHandler):
    """Leaves the key behind where a redirect leads to another host."""

    def redirect_request(self, *args: Any) -> urllib.request.Request | None:
        request = super().redirect_request(*args)
        if request is not None:
            request.headers.pop("Authorization", None)
        return request


def _bytes(about: Json, path: str) -> bytes | None:
    try:
        with urllib.request.build_opener(_Elsewhere).open(_request(about, path), timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError:
        return None


# ---- as API crawlers write it ----------------------------------------------------------------------------------
def dump(account: Account, folder: Path) -> Path:
    """A file per list (pages, arrays and lines in turn), a folder per opportunity, files by their ids."""
    folder.mkdir(parents=True)
    for number, (name, items) in enumerate(sorted(account.lists.items())):
        _write(folder / f"{name}.{'jsonl' if number % 3 == 2 else 'json'}", items, way=number % 3)
    (folder / "disposition_stages.json").write_text(json.dumps({"data": account.ranks}, indent=2))
    half = len(account.opportunities) // 2
    for number, part in enumerate((account.opportunities[:half], account.opportunities[half:])):
        page = {"data": part, "hasNext": number == 0}
        (folder / f"opportunities_page_{number}.json").write_text(json.dumps(page, indent=1))
    for lever_id, lists in account.children.items():
        own = folder / "opportunities" / lever_id
        for name, items in lists.items():
            own.mkdir(parents=True, exist_ok=True)
            (own / f"{name}.json").write_text(json.dumps({"data": items, "hasNext": False}))
        for key, stream, name in _names(lists):
            if key in account.bytes:
                place = own / stream / (key.replace(":", ".") + Path(name).suffix[:5])
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(account.bytes[key])
    return folder


def _write(path: Path, items: list[Json], *, way: int) -> None:
    texts = ["[" + ",\n".join(json.dumps(one) for one in items) + "]", json.dumps({"data": items, "hasNext": False}),
             "\n".join(json.dumps(one) for one in items)]  # fmt: skip
    path.write_text(texts[way])


def _names(lists: dict[str, list[Json]]) -> list[tuple[str, str, str]]:
    found = [(one["id"], "resumes", one["file"]["name"]) for one in lists["resumes"] if one.get("file")]
    found += [(one["id"], "files", one["name"]) for one in lists["files"]]
    for one in lists["offers"]:
        for state in ("signed", "sent"):
            if one.get(f"{state}Document"):
                found.append((f"{one['id']}:{state}", "offers", one[f"{state}Document"]["fileName"]))
    return found


# ---- as theck01/lever-export writes it ---------------------------------------------------------------------------
def folded(account: Account, folder: Path) -> Path:
    """One array of opportunities with everything folded in, expanded, and files under their own names."""
    postings = {one["id"]: one for one in account.lists["postings"]}
    users = {one["id"]: one for one in account.lists["users"]}
    stages = {one["id"]: one for one in account.lists["stages"]}
    reasons = {one["id"]: one for one in account.lists["archive_reasons"]}
    whole = []
    for one in account.opportunities:
        item = dict(one)
        for name, known in (("stage", stages), ("owner", users), ("sourcedBy", users)):
            item[name] = known.get(str(item.get(name)), item.get(name))
        item["applications"] = [
            app | {"posting": postings.get(str(app.get("posting")), app.get("posting"))} for app in item["applications"]
        ]
        if item.get("archived") and item["archived"].get("reason") in reasons:
            item["archivedReason"] = reasons[item["archived"]["reason"]]
        lists = account.children[one["id"]]
        whole.append(item | {name: lists[name] for name in CHILDREN} | {"panels": []})
        for key, stream, name in _names(lists):
            if key in account.bytes and stream != "offers" and "/" not in name:
                place = folder / "assetsByOpportunityId" / one["id"] / stream / name.replace("`", "")
                place.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(OSError):  # a name that is too long for a disk
                    if not place.exists():
                        place.write_bytes(account.bytes[key])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lever-export.json").write_text(json.dumps(whole, indent=2))
    return folder


# ---- as tables ---------------------------------------------------------------------------------------------------
PRESENCE = [
    "Candidate Name", "Candidate Email", "Phone", "Profile ID", "Contact ID", "Links", "Location", "Company", "Tags",
    "Sources",
    "Origin", "Candidate Owner Name", "Candidate Owner Email", "Current Stage", "Application ID", "Posting ID",
    "Posting Title", "Posting Team", "Posting Department", "Posting Location", "Posting Owner Name",
    "Posting Archive Status", "Profile Archive Reason", "Posting Archived At (GMT)", "Created At (GMT)",
    "Applied At (GMT)", "Last Story At (GMT)", "Last Advanced At (GMT)", "Confidential",
]  # fmt: skip


def moment(ms: Any) -> str:
    """A moment as Lever's tables write it."""
    if not isinstance(ms, int):
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def tables(account: Account, folder: Path) -> Path:
    """Tables of candidates, postings, users, notes and feedback as Lever's are, and a folder of résumés."""
    folder.mkdir(parents=True)
    users = {one["id"]: one for one in account.lists["users"]}
    stages = {one["id"]: one["text"] for one in account.lists["stages"]}
    reasons = {one["id"]: one["text"] for one in account.lists["archive_reasons"]}
    postings = {one["id"]: one for one in account.lists["postings"]}
    heads = PRESENCE + [f"Stage - {text}" for text in stages.values()]
    rows = [_presence(one, users, stages, reasons, postings) for one in account.opportunities]
    table(folder / "0000.candidates.presence.latest.csv", heads, rows)
    table(folder / "non-consideration.postings.latest.csv", list(_posting(next(iter(postings.values())), users)),
          [_posting(one, users) for one in postings.values()])  # fmt: skip
    people = [{"Name": one["name"], "Email": one["email"], "Access Role": one["accessRole"], "User ID": one["id"],
               "Deactivated At (GMT)": moment(one["deactivatedAt"])} for one in users.values()]  # fmt: skip
    table(folder / "users.csv", list(people[0]), people)
    notes = [_note(lever_id, note, users) for lever_id, lists in account.children.items() for note in lists["notes"]
             if len(note["fields"]) == 1 and not note["deletedAt"]]  # fmt: skip
    table(folder / "notes.csv", list(notes[0]), notes)
    forms = [row for lever_id, lists in account.children.items() for one in lists["feedback"]
             for row in _feedback(lever_id, one, users)]  # fmt: skip
    table(folder / "lever-support.non-consideration.feedback.latest.csv", list(forms[0]), forms)
    for lever_id, lists in account.children.items():
        for key, stream, name in _names(lists):
            if stream == "resumes" and key in account.bytes:
                place = folder / "resumes" / f"{lever_id}_{key[:8]}{Path(name).suffix[:5]}"
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(account.bytes[key])
    return folder


def _presence(one: Json, users: Json, stages: Json, reasons: Json, postings: Json) -> Json:
    app = (one["applications"] or [{}])[0]
    posting = postings.get(str(app.get("posting")), {})
    where = posting.get("categories") or {}
    owner, archived = users.get(str(one["owner"]), {}), one["archived"] or {}
    row = {
        "Candidate Name": one["name"], "Candidate Email": ", ".join(one["emails"]),
        "Phone": "; ".join(phone["value"] for phone in one["phones"]), "Profile ID": one["id"],
        "Contact ID": one["contact"]["id"], "Links": ", ".join(one["links"]), "Location": one["location"],
        "Company": one["headline"], "Tags": ", ".join(one["tags"]), "Sources": ", ".join(one["sources"]),
        "Origin": one["origin"], "Candidate Owner Name": owner.get("name", ""),
        "Candidate Owner Email": owner.get("email", ""), "Current Stage": stages.get(str(one["stage"]), ""),
        "Application ID": app.get("id", ""), "Posting ID": app.get("posting") or "",
        "Posting Title": posting.get("text", ""), "Posting Team": where.get("team") or "",
        "Posting Department": where.get("department") or "", "Posting Location": where.get("location") or "",
        "Posting Owner Name": users.get(str(posting.get("owner")), {}).get("name", ""),
        "Posting Archive Status": "true" if archived else "false",
        "Profile Archive Reason": reasons.get(str(archived.get("reason")), ""),
        "Posting Archived At (GMT)": moment(archived.get("archivedAt")), "Created At (GMT)": moment(one["createdAt"]),
        "Applied At (GMT)": moment(app.get("createdAt")), "Last Story At (GMT)": moment(one["lastInteractionAt"]),
        "Last Advanced At (GMT)": moment(one["lastAdvancedAt"]),
        "Confidential": "true" if one["confidentiality"] == "confidential" else "false",
    }  # fmt: skip
    for change in one["stageChanges"]:
        row[f"Stage - {stages.get(change['toStageId'], '?')}"] = moment(change["updatedAt"])
    return row


def _posting(one: Json, users: Json) -> Json:
    owner, where = users.get(str(one["owner"]), {}), one["categories"]
    return {
        "Posting ID": one["id"], "Posting Title": one["text"], "Applications": "7",
        "Date Created (GMT)": moment(one["createdAt"]),
        "Last Updated (GMT)": moment(one["updatedAt"]), "Status": one["state"], "Posting Team": where.get("team") or "",
        "Posting Owner": owner.get("name", ""), "Posting Owner Email": owner.get("email", ""),
        "Posting Department": where.get("department") or "", "Posting Location": where.get("location") or "",
        "Confidential": "true" if one["confidentiality"] == "confidential" else "false",
    }  # fmt: skip


def _note(lever_id: str, note: Json, users: Json) -> Json:
    author = users.get(str(note["user"]), {})
    return {
        "Profile ID": lever_id, "Note ID": note["id"], "Note": note["fields"][0]["value"],
        "Author": author.get("name", ""), "Author Email": author.get("email", ""),
        "Created At (GMT)": moment(note["createdAt"]), "IsSecretNote": "yes" if note["secret"] else "no",
    }  # fmt: skip


def _feedback(lever_id: str, one: Json, users: Json) -> list[Json]:
    author = users.get(str(one["user"]), {})
    base = {
        "Profile ID": lever_id, "Feedback ID": one["id"], "Form": one["text"], "Interviewer": author.get("name", ""),
        "Interviewer Email": author.get("email", ""), "Completed At (GMT)": moment(one["completedAt"]),
    }  # fmt: skip
    if not one["completedAt"] or one["deletedAt"]:
        return []
    return [base | {"Question": each["text"], "Answer": str(each.get("value") or "")} for each in one["fields"]]


def table(path: Path, heads: list[str], rows: list[Json], *, delimiter: str = ",", encoding: str = "utf-8") -> None:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, heads, delimiter=delimiter, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)
