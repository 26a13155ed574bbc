"""Tags, and what a move seldom asks of a candidate: e-mails, anonymization, fraud status, what is never there."""

from __future__ import annotations

from typing import Any

from sandbox.ashby import views
from sandbox.ashby.candidates import find_candidate
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.paging import Page, paginate
from sandbox.ashby.records import Call, Json
from sandbox.ashby.state import State, find, find_application, iso, new_id

ANONYMOUS = "Anonymized Candidate"
"""Name of a candidate who was anonymized (guess)."""


def add_email(state: State, body: Json, call: Call) -> Any:
    """Keep an e-mail; the provider's id must be new to this key (vendor contract; the code is a guess)."""
    candidate = find_candidate(state, body["candidateId"])
    if body.get("isPrivate") and not call.may("private"):
        raise RefusedError("missing_endpoint_permission", "private e-mails need access to non-offer private fields")
    if any(item["emailProviderEmailId"] == body["emailProviderEmailId"] for item in state.emails.values()):
        raise RefusedError("email_already_exists", "emailProviderEmailId: used before")
    user = find(state, "users", body.get("userId", call.actor), "user_not_found")
    item = {
        "id": new_id(),
        "candidateId": candidate.id,
        "emailProviderEmailId": body["emailProviderEmailId"],
        **{name: body[name] for name in ("subject", "from", "to", "body")},
        "sentAt": iso(state.past(body.get("sentAt"), "sentAt")),
        **{name: body.get(name) for name in ("cc", "messageUrl", "messageIdHeader")},
        "threadId": body.get("threadId", body["emailProviderEmailId"]),
        "isPrivate": body.get("isPrivate", False),
        "userIsSender": user.get("email", "").lower() in body["from"].lower(),
    }
    state.emails[item["id"]] = item
    state.save_candidate(candidate)
    return item


def anonymize(state: State, body: Json, call: Call) -> Any:
    """Forget who a candidate is, for good; refused while an application is open (vendor contract)."""
    candidate = find_candidate(state, body["candidateId"])
    if any(views.status(state, state.applications[key]) not in ("Archived", "Hired") for key in candidate.applications):
        raise invalid("candidateId: all applications must be archived or hired")
    state.unindex(candidate)
    candidate.name, candidate.email, candidate.phone, candidate.location = ANONYMOUS, None, None, None
    candidate.position = candidate.company = candidate.school = candidate.resume = None
    candidate.alternates, candidate.links, candidate.files = [], [], []
    candidate.notes, candidate.custom = {}, {}
    state.emails = {key: item for key, item in state.emails.items() if item["candidateId"] != candidate.id}
    state.index(candidate)
    state.save_candidate(candidate)
    return views.candidate(state, candidate, call)


def set_fraud_status(state: State, body: Json, call: Call) -> Any:
    """Say what somebody thinks of a candidate."""
    candidate = find_candidate(state, body["candidateId"])
    candidate.fraud = body["fraudStatus"]
    state.save_candidate(candidate)
    return views.candidate(state, candidate, call)


def list_nothing(state: State, body: Json, call: Call) -> Page:
    """List what nobody here ever leaves behind: client addresses, fraud checks, evaluations by a machine."""
    if "candidateId" in body:
        find_candidate(state, body["candidateId"])
    else:
        find_application(state, body["applicationId"], call)
    sync = call.endpoint == "candidate.listClientInfo"
    return paginate(state, call.endpoint, body=body, items=[], render=lambda item: item, sync=sync)


def list_tags(state: State, body: Json, call: Call) -> Page:
    """List tags, archived ones on demand."""
    return paginate(
        state,
        "candidateTag.list",
        body=body,
        items=state.tags.values(),
        render=lambda item: item,
        keep=lambda item: body.get("includeArchived", False) or not item["isArchived"],
        key=lambda item: item["id"],
    )


def create_tag(state: State, body: Json, call: Call) -> Any:
    """Return the tag with this title, made when there is none (vendor contract).

    An archived one is returned as it is, or a new one is made (switch ``archived_tag`` = ``return``, ``new``). Whether
    capitals count says ``tag_titles`` = ``exact``, ``folded``; the very title goes before another spelling of it.
    """
    title = body["title"].strip()
    for tag in sorted(state.tags.values(), key=lambda tag: tag["title"] != title):
        other = tag["title"] != title
        if other and (tag["title"].casefold() != title.casefold() or state.decides("tag_titles") == "exact"):
            continue
        if not (tag["isArchived"] and state.decides("archived_tag") == "new"):
            return tag
    most = state.number("tags_max")
    if most and len(state.tags) >= most:
        state.decides("tags_max")
        raise invalid("title: the organization has as many tags as it may")
    tag = {"id": new_id(), "title": title, "isArchived": False}
    state.tags[tag["id"]] = tag
    state.touch(tag["id"])
    return tag


def archive_tag(state: State, body: Json, call: Call) -> Any:
    """Archive a tag."""
    tag = find(state, "tags", body["tagId"], "tag_not_found")
    tag["isArchived"] = True
    state.touch(tag["id"])
    return tag


HANDLERS = {
    "candidateTag.list": list_tags,
    "candidateTag.create": create_tag,
    "candidateTag.archive": archive_tag,
    "candidate.addEmailMessage": add_email,
    "candidate.anonymize": anonymize,
    "candidate.setFraudStatus": set_fraud_status,
    "candidate.listClientInfo": list_nothing,
    "candidate.listFraudChecks": list_nothing,
    "application.listCriteriaEvaluations": list_nothing,
}
