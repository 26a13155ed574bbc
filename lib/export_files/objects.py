"""Objects of Lever's API as a dump holds them: of which list they are, on what they hang, what is folded into them.

Dumps differ in layout: a file per list; a folder per opportunity; opportunities with their notes, feedback and so on
folded in (theck01/lever-export); records of Singer taps and of Airbyte with a wrapper. The objects themselves are
kept as they are; only what was folded in is taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lib import contract
from lib.export_files import eeo
from lib.export_files.pages import page_of
from lib.export_files.tree import UUID
from lib.export_files.values import uuids
from lib.extract.drift import broken

Item = dict[str, Any]
CHILDREN = ("notes", "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals")
LISTS = (
    "users", "stages", "archive_reasons", "sources", "tags", "postings", "requisitions", "requisition_fields",
    "feedback_templates", "form_templates", "disposition_stages", "opportunities_deleted", "applications_deleted",
    "postings_deleted",
)  # fmt: skip
ELSEWHERE = ("contacts", "applications")
"""Objects that the API gives only inside of opportunities; where a dump has them apart, they are put back in."""
HANGING = frozenset({*CHILDREN, "applications", "panels"})
"""Streams whose lists in the API are each of one opportunity."""
NAMES = {
    **{name: name for name in (*LISTS, *CHILDREN, *ELSEWHERE, "opportunities", "panels")},
    "candidates": "opportunities", "opportunity": "opportunities", "lever_export": "opportunities",
    "archivereasons": "archive_reasons", "archive_reason": "archive_reasons", "resume": "resumes", "note": "notes",
    "file": "files", "form": "forms", "offer": "offers", "interview": "interviews", "referral": "referrals",
    "user": "users", "stage": "stages", "posting": "postings", "jobs": "postings", "tag": "tags", "source": "sources",
    "feedbacks": "feedback", "feedback_forms": "feedback", "profile_forms": "forms", "contact": "contacts",
    "application": "applications", "feedbacktemplates": "feedback_templates", "formtemplates": "form_templates",
    "requisition": "requisitions", "dispositionstages": "disposition_stages", "requisitionfields": "requisition_fields",
    "opportunity_notes": "notes", "opportunity_feedback": "feedback", "opportunity_resumes": "resumes",
    "opportunity_files": "files", "opportunity_forms": "forms", "opportunity_offers": "offers",
    "opportunity_interviews": "interviews", "opportunity_referrals": "referrals", "candidate_notes": "notes",
    "candidate_feedback": "feedback", "candidate_resumes": "resumes", "candidate_files": "files",
    "candidate_forms": "forms", "candidate_offers": "offers", "candidate_interviews": "interviews",
    "candidate_referrals": "referrals", "opportunity_applications": "applications",
    "candidate_applications": "applications",
    "deleted_opportunities": "opportunities_deleted", "deleted_applications": "applications_deleted",
    "deleted_postings": "postings_deleted", "eeo_responses": "never", "eeo": "never", "diversity_surveys": "never",
    "eeo_responses_pii": "never",
}  # fmt: skip
PARENTS = (
    "opportunityId", "opportunity_id", "opportunity", "candidateId", "candidate_id", "_opportunityId",
    "_opportunity_id", "_sdc_parent_id", "_parent_id", "parent_id",
)  # fmt: skip
ADDED = ("_sdc_", "_airbyte_", "_ab_", "_fivetran_", "_dlt_")
"""Beginnings of what loading tools add to an object: no attributes of Lever."""
PAGE = frozenset({"data", "hasNext", "next", "count", "total"})
"""Attributes of a page of the API: an object of nothing else is an envelope."""
TYPES: dict[str, dict[str, tuple[type, ...]]] = {
    "opportunities": {
        "createdAt": (int,), "contact": (str, dict), "emails": (list,), "links": (list,), "tags": (list,),
        "sources": (list,), "phones": (list,), "applications": (list,), "stageChanges": (list,), "followers": (list,),
        "archived": (dict,), "dataProtection": (dict,), "stage": (str, dict), "owner": (str, dict),
        "sourcedBy": (str, dict), "name": (str,), "updatedAt": (int,),
    },
    "postings": {"categories": (dict,)},
    **{stream: {"fields": (list,)} for stream in ("notes", "feedback", "forms", "offers", "referrals")},
    "resumes": {"file": (dict,)},
}  # fmt: skip
"""What later steps rely on; an object that has something else there is refused and named."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One object: of which stream, with which id, hanging on which parent ("" when it says none)."""

    stream: str
    key: str
    parent: str
    body: Item


def stream_of(relative: str) -> str:
    """The stream that a path names: by its file, else by a folder above it; empty when it names none."""
    parts = UUID.sub("", relative).rpartition(".")[0].split("/")
    for part in reversed(parts):
        word = re.sub(r"[^a-z]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", part).lower()).strip("_")
        bare = re.sub(
            r"^(?:lever|raw|api|all|v)_|_(?:page|part|all|export|dump|data|list|latest|chunk|batch|p)$", "", word
        )
        found = NAMES.get(word) or NAMES.get(bare) or NAMES.get(bare.removeprefix("lever_"))
        if found:
            return found
    return ""


def stream_by_shape(item: Item) -> str:
    """The only stream whose objects look like this one; empty when there are none or several."""
    known = set(item)
    fits = {
        stream: len(known & set(about["attributes"]))
        for stream, about in contract.lever_objects().items()
        if not stream.endswith("_deleted") and set(about["required"]) <= known
        and len(known & set(about["attributes"])) >= max(3, 0.7 * len(known))
    }  # fmt: skip
    best = max(fits.values(), default=0)
    found = [stream for stream, n in fits.items() if n == best]
    return found[0] if len(found) == 1 else ""


def unwrapped(value: Any, stream: str) -> Iterator[tuple[str, Any]]:
    """(stream, object) of each object in a value: pages, records of Singer and Airbyte, or the object itself.

    Behind the objects of a page stands its Page.
    """
    if isinstance(value, list):
        for one in value:
            yield from unwrapped(one, stream)
    elif not isinstance(value, dict):
        yield stream, value
    elif isinstance(value.get("data"), list | dict) and "id" not in value:
        yield from unwrapped(value["data"], stream)
        if isinstance(value["data"], list) or "hasNext" in value:
            yield stream, page_of(value)
    elif value.get("type") in ("SCHEMA", "STATE", "ACTIVATE_VERSION", "LOG", "TRACE", "SPEC", "CATALOG"):
        return
    elif value.get("type") == "RECORD" and isinstance(value.get("record"), dict):
        record, named = value["record"], value.get("stream")
        if isinstance(record.get("data"), dict) and "stream" in record:  # Airbyte's messages
            record, named = record["data"], record["stream"]
        yield stream_named(str(named or "")) or stream, record
    elif isinstance(value.get("_airbyte_data"), dict):
        yield stream, value["_airbyte_data"]
    else:
        yield stream, value


def parent_told(item: Item) -> str:
    """The opportunity that a child says itself it hangs on; empty where it says none."""
    for name in PARENTS:
        value = item.get(name)
        found = (
            uuids(value.get("id", "") if isinstance(value, dict) else value) if isinstance(value, str | dict) else []
        )
        if len(found) == 1:
            return found[0]
    return ""


def parent_of(item: Item, relative: str) -> str:
    """The opportunity that a child hangs on: as it says itself, else the first id in its path; empty for neither."""
    if told := parent_told(item):
        return told
    own = item.get("id")
    return next((one for one in uuids(relative) if one != own), "")


def pieces(stream: str, item: Item, relative: str) -> Iterator[Piece | str]:
    """An object, and all that is folded into it; a reason where it cannot be used."""
    item = {name: value for name, value in item.items() if not name.startswith(ADDED)}
    if stream == "opportunities":
        yield from _opportunity(item)
    elif stream in CHILDREN:
        parent = parent_of(item, relative)
        yield _checked(stream, _without_parent(stream, item), parent)
    elif stream == "applications":
        yield _checked(stream, item, parent_of(item, relative))
    else:
        yield _checked(stream, item, "")


def _without_parent(stream: str, item: Item) -> Item:
    """A child as the API gives it: the name of its parent is ours, where the API has no such attribute."""
    known = contract.lever_objects()[stream]["attributes"]
    return {name: value for name, value in item.items() if name not in PARENTS or name in known}


def stream_named(word: str) -> str:
    """The stream that a list is called by, in a dump or by a loading tool; empty for none."""
    return NAMES.get(word.lower(), "") or ("never" if eeo.speaks(word) else "")


def _unfold(item: Item) -> Iterator[str]:
    """Take what is folded in out of its envelopes; a reason for each list that is not whole, or none."""
    for name, value in list(item.items()):
        if isinstance(value, dict) and "data" in value and (name in CHILDREN or set(value) <= PAGE):
            item[name] = value["data"]
            if page_of(value).more:
                yield f"{name}: the folded-in page says that more follow, and they are not here"
        if name in CHILDREN and item[name] and not isinstance(item[name], list):
            yield f"{name}: folded in, and no list"


def _opportunity(item: Item) -> Iterator[Piece | str]:
    lever_id = item.get("id")
    yield from _unfold(item)
    for name in [one for one in item if one in CHILDREN and isinstance(item[one], list)]:
        for child in item.pop(name):
            yield (
                _checked(name, child, str(lever_id)) if isinstance(child, dict) else "a folded-in list holds no objects"
            )
    yield from _expanded(item)
    contact = item.get("contact")
    yield _checked("opportunities", item, str(contact["id"]) if isinstance(contact, dict) and contact.get("id") else "")


def _expanded(item: Item) -> Iterator[Piece | str]:
    """Objects of other lists that a dump has put in the place of their ids: those lists may be absent."""
    reason = item.pop("archivedReason", None) or item.pop("archiveReason", None)
    if isinstance(reason, dict):
        yield _seen("archive_reasons", reason)
    if isinstance(item.get("application"), dict) and not isinstance(item.get("applications"), list):
        item["applications"] = [item.pop("application")]
    for name, stream in (("stage", "stages"), ("owner", "users"), ("sourcedBy", "users")):
        if isinstance(item.get(name), dict) and item[name].get("id"):
            yield _seen(stream, item[name])
    for one in item.get("applications") if isinstance(item.get("applications"), list) else []:
        if isinstance(one, dict) and isinstance(one.get("posting"), dict):
            yield _seen("postings", one["posting"])
            one["posting"] = one["posting"].get("id")
    for one in item.get("followers") if isinstance(item.get("followers"), list) else []:
        if isinstance(one, dict):
            yield _seen("users", one)


def _seen(stream: str, item: Item) -> Piece | str:
    """An object that stands inside of another one: it counts only where its own list does not have it."""
    made = _checked(stream, item, "")
    return made if isinstance(made, str) else Piece(f"seen:{stream}", made.key, "", made.body)


def _checked(stream: str, item: Item, parent: str) -> Piece | str:
    """The piece, or why this object cannot be used; never with a value of it."""
    if stream == "panels":
        return Piece("panels", str(item.get("id")), parent, item)
    if stream in ELSEWHERE:
        key = item.get("id")
        return Piece(stream, key, parent, item) if isinstance(key, str) and key else f"{stream}: no id"
    missing = broken(stream, item)
    if missing:
        return f"{stream}: no usable {', '.join(missing)}"
    key = item.get("id") or item.get("text") or stream
    if not isinstance(key, str):
        return f"{stream}: its id is no text"
    for name, types in TYPES.get(stream, {}).items():
        value = item.get(name)
        if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
            return f"{stream}: {name} is not what the API has there"
    if stream == "disposition_stages":
        key = stream
    return Piece(stream, key, parent, item)
