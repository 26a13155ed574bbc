"""Job boards and postings, applications sent through them, and referrals."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from sandbox.ashby import views, webhooks
from sandbox.ashby.candidates import read_place
from sandbox.ashby.checks import RefusedError, invalid
from sandbox.ashby.feedback import read_answers
from sandbox.ashby.files import attach, keep_upload
from sandbox.ashby.forms import Part
from sandbox.ashby.histories import start_stage
from sandbox.ashby.paging import Page
from sandbox.ashby.records import Application, Call, Candidate, Event, Job, Json
from sandbox.ashby.state import State, find, find_job, iso, new_id

REFUSED_ADDRESS = "testing-fail-validation@example.com"
"""Address with which ``applicationForm.submit`` always fails, for tests (vendor guide)."""

_EMPLOYMENT = {
    "FullTime": "FULL_TIME",
    "PartTime": "PART_TIME",
    "Intern": "INTERN",
    "Contract": "CONTRACTOR",
    "Temporary": "TEMPORARY",
}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _plain(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)


def _sees(state: State, posting: Json, call: Call) -> bool:
    return call.may("confidential") or not state.jobs[posting["jobId"]].confidential


def find_posting(state: State, posting_id: str, call: Call) -> Json:
    """Return a posting this key may see."""
    posting: Json = find(state, "postings", posting_id, "job_posting_not_found")
    if not _sees(state, posting, call):
        raise RefusedError("job_posting_not_found", "job posting not found or not visible to this key")
    return posting


def _names(state: State, job: Job) -> Json:
    """Return department, team and location of a job by name."""
    team = state.departments.get(job.department, {"name": "", "parentId": None})
    place = state.locations[job.location]
    above = state.departments.get(team["parentId"] or "", team)
    return {
        "departmentName": above["name"],
        "teamName": team["name"],
        "locationName": place["name"],
        "locationIds": {"primaryLocationId": job.location, "secondaryLocationIds": []},
    }


def _brief(state: State, posting: Json) -> Json:
    """Show a posting as ``jobPosting.list`` does."""
    job = state.jobs[posting["jobId"]]
    return {
        "id": posting["id"],
        "title": posting["title"],
        "jobId": job.id,
        **_names(state, job),
        "locationExternalName": state.locations[job.location]["externalName"],
        "workplaceType": posting["workplaceType"],
        "employmentType": job.employment,
        "isListed": posting["isListed"],
        "publishedDate": (posting["published"] or posting["updatedAt"])[:10],
        "applicationDeadline": None,
        "externalLink": f"https://jobs.ashbyhq.com/fernhill/{posting['id']}",
        "applyLink": f"https://jobs.ashbyhq.com/fernhill/{posting['id']}/application",
        "compensationTierSummary": _pay(job),
        "shouldDisplayCompensationOnJobBoard": bool(job.tiers),
        "updatedAt": posting["updatedAt"],
    }


def _linked_data(posting: Json, job: Job, shown: Json, address: Json | None) -> Json:
    return {
        "@context": "https://schema.org/",
        "@type": "JobPosting",
        "title": posting["title"],
        "description": posting["html"],
        "identifier": {"@type": "PropertyValue", "name": posting["title"], "value": posting["id"]},
        "datePosted": shown["publishedDate"],
        "hiringOrganization": {
            "@type": "Organization",
            "name": "Fernhill Robotics",
            "sameAs": "https://fernhill.example/",
        },
        "jobLocation": {"@type": "Place", "address": {"@type": "PostalAddress", **(address or {})}},
        "employmentType": _EMPLOYMENT[job.employment],
        "directApply": False,
    }


def _pay(job: Job) -> str | None:
    return " • ".join(tier["tierSummary"] for tier in job.tiers) or None


def _compensation(job: Job) -> Json:
    """Show what a job pays; one flag is named otherwise in the contract than in a recorded answer: both are there."""
    components = [component for tier in job.tiers for component in tier["components"]]
    return {
        "compensationTierSummary": _pay(job),
        "summaryComponents": [{name: one[name] for name in one if name != "id"} for one in components],
        "compensationTiers": job.tiers,
        "shouldDisplayCompensation": bool(job.tiers),
        "shouldDisplayCompensationOnJobBoard": bool(job.tiers),
    }


def _full(state: State, posting: Json) -> Json:
    """Show a posting as ``jobPosting.info`` does."""
    job, shown = state.jobs[posting["jobId"]], _brief(state, posting)
    place = state.locations[job.location]
    body = {"html": posting["html"], "plain": _plain(posting["html"])}
    del shown["compensationTierSummary"], shown["shouldDisplayCompensationOnJobBoard"], shown["locationExternalName"]
    return {
        **shown,
        "descriptionPlain": body["plain"],
        "descriptionHtml": body["html"],
        "descriptionSocial": posting["social"],
        "descriptionParts": {"descriptionOpening": None, "descriptionBody": body, "descriptionClosing": None},
        "teamNameHierarchy": list(dict.fromkeys((shown["departmentName"], shown["teamName"]))),
        "linkedData": _linked_data(posting, job, shown, (place["address"] or {}).get("postalAddress")),
        "address": place["address"],
        "isRemote": posting["workplaceType"] == "Remote",
        "applicationFormDefinition": state.application_forms[posting["formId"]],
        "surveyFormDefinitions": [],
        "suppressDescriptionOpening": posting["suppressDescriptionOpening"],
        "suppressDescriptionClosing": posting["suppressDescriptionClosing"],
        "compensation": _compensation(job),
        "applicationLimitCalloutHtml": None,
    }


def list_boards(state: State, body: Json, call: Call) -> Page:
    """List job boards on one page."""
    return Page(list(state.boards.values()), None)


def list_postings(state: State, body: Json, call: Call) -> Any:
    """List published postings, listed or not; by the names of location and department when given (guess: equal)."""
    board = body.get("jobBoardId")
    if board is not None:
        find(state, "boards", board, "job_board_not_found")
    shown = []
    for posting in state.postings.values():
        if not views.is_published(state, posting) or not _sees(state, posting, call):
            continue
        item = _brief(state, posting)
        if body.get("listedOnly", False) and not item["isListed"]:
            continue
        if board is not None and board not in posting["boardIds"]:
            continue
        if "location" in body and body["location"] != item["locationName"]:
            continue
        if "department" in body and body["department"] != item["departmentName"]:
            continue
        shown.append(item)
    return shown


def info(state: State, body: Json, call: Call) -> Any:
    """Return one posting, published or not (guess)."""
    posting = find_posting(state, body["jobPostingId"], call)
    if "jobBoardId" in body and body["jobBoardId"] not in posting["boardIds"]:
        raise RefusedError("job_posting_not_found", "the job posting is not on this board")
    shown = _full(state, posting)
    if "job" in body.get("expand", []):
        shown["job"] = views.job(state, state.jobs[posting["jobId"]], call)
    return shown


def update(state: State, body: Json, call: Call) -> Any:
    """Change a posting; of the description only its own part can be changed (vendor contract)."""
    posting = find_posting(state, body["jobPostingId"], call)
    for name in ("title", "workplaceType", "suppressDescriptionOpening", "suppressDescriptionClosing"):
        posting[name] = body.get(name, posting[name])
    if "description" in body:
        posting["html"] = body["description"]["content"]
    posting["updatedAt"] = iso(state.now())
    state.touch(posting["id"])
    webhooks.publish(state, "jobPostingUpdate", lambda: {"jobPosting": _brief(state, posting)})
    return _full(state, posting)


def read_form(state: State, endpoint: str, parts: list[Part]) -> Json:
    """Turn a multipart application into the JSON one: a file's part is named by the answer that refers to it."""
    body: Json = {}
    handles: dict[str, str] = {}
    for part in parts:
        if part.filename is not None:
            handles[part.name] = keep_upload(state, "ApplicationForm", part)
            continue
        text = part.data.decode("utf-8", "replace")
        try:
            body[part.name] = json.loads(text) if part.name in ("applicationForm", "utmData", "tagIds") else text
        except ValueError:
            raise invalid(f"{part.name}: not JSON") from None
    form = body.get("applicationForm")
    for answer in form.get("fieldSubmissions", []) if isinstance(form, dict) else []:
        if isinstance(answer, dict) and isinstance(answer.get("value"), str):
            answer["value"] = handles.get(answer["value"], answer["value"])
    return body


def _person(state: State, values: Json, now: int) -> Candidate:
    """Add the candidate of a form: a new one every time (guess)."""
    person = Candidate(new_id(), values["_systemfield_name"], now, now, now, email=values.get("_systemfield_email"))
    person.phone = values.get("_systemfield_phone")
    person.location = read_place(values.get("_systemfield_location", {}))
    state.candidates[person.id] = person
    state.index(person)
    state.touch(person.id)
    return person


def _apply(state: State, person: Candidate, job: Job, call: Call, *, created: int) -> Application:
    """Add an application in the first stage after the leads, as someone who applied has."""
    if job.plan is None:
        raise RefusedError("interview_plan_not_found", "the job has no interview plan")
    now = state.now()
    item = Application(new_id(), person.id, job.id, job.plan, created, now, now)
    stage = start_stage(state, job.plan, "FirstPreInterviewScreen")
    item.events = [Event(new_id(), stage["id"], created, None, call.actor)]
    state.applications[item.id] = item
    person.applications.append(item.id)
    state.touch(item.id)
    webhooks.application(state, "applicationSubmit", item)
    return item


def _source(state: State, title: str) -> str | None:
    return next((key for key, item in state.sources.items() if item["title"] == title), None)


def submit(state: State, body: Json, call: Call) -> Any:
    """Take an application as from the careers page: always now, and it may mail the candidate."""
    posting = find_posting(state, body["jobPostingId"], call)
    if not views.is_published(state, posting) and not body.get("allowSubmissionForUnpublishedJobPosting", True):
        raise RefusedError("job_posting_not_published", "the job posting is not published")
    for tag_id in body.get("tagIds", []):
        find(state, "tags", tag_id, "tag_not_found")
    form = state.application_forms[posting["formId"]]
    values = read_answers(form, body["applicationForm"]["fieldSubmissions"], where="applicationForm")
    if values.get("_systemfield_email") == REFUSED_ADDRESS:
        raise invalid("applicationForm: _systemfield_email failed validation")
    person = _person(state, values, state.now())
    person.tags = list(dict.fromkeys(body.get("tagIds", [])))
    item = _apply(state, person, state.jobs[posting["jobId"]], call, created=state.now())
    item.posting, item.source = posting["id"], _source(state, "Applied")
    if "_systemfield_resume" in values:
        attach(state, person, values["_systemfield_resume"], context="ApplicationForm", is_resume=True)
    instance = {"id": new_id(), "formDefinition": form, "submittedValues": values}
    state.submissions[instance["id"]] = {"applicationId": item.id, "instance": instance}
    call.notified = True
    return {"submittedFormInstance": instance, "formMessages": {"blocked": False, "blockMessageForCandidateHtml": None}}


def referral_form(state: State, body: Json, call: Call) -> Any:
    """Return the referral form."""
    return state.referral_form


def refer(state: State, body: Json, call: Call) -> Any:
    """Take a referral: a candidate and an application on an open job (vendor contract)."""
    form = state.referral_form
    if body["id"] != form["id"]:
        raise RefusedError("referral_form_not_found", "id: no such referral form")
    user = find(state, "users", body["creditedToUserId"], "user_not_found")
    values = read_answers(form["formDefinition"], body["fieldSubmissions"], where="fieldSubmissions")
    chosen = values["_systemfield_job"]
    job = find_job(state, str(chosen.get("value")) if isinstance(chosen, dict) else "", call)
    if job.status != "Open":
        raise invalid("fieldSubmissions: the job must be open")
    created = state.past(body.get("createdAt"), "createdAt")
    person = _person(state, values, state.now())
    item = _apply(state, person, job, call, created=created)
    person.source = item.source = _source(state, "Referral")
    person.credited = item.credited = user["id"]
    made = {"applicationId": item.id, "userId": user["id"], "referredAt": iso(created)}
    state.referrals[item.id] = made
    return views.application(state, item, call)


HANDLERS = {
    "jobBoard.list": list_boards,
    "jobPosting.list": list_postings,
    "jobPosting.info": info,
    "jobPosting.update": update,
    "applicationForm.submit": submit,
    "referralForm.info": referral_form,
    "referral.create": refer,
}
