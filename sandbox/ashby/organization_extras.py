"""What a live organization has besides: postings, offers, interviews, surveys, pools, reports. A move passes it by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.ashby.jobs import make_tier
from sandbox.ashby.organization_setup import DAY, SET_UP_MS, make_id
from sandbox.ashby.records import Application, Job, Json
from sandbox.ashby.schedules import make_event
from sandbox.ashby.state import COMPANY_NOW_MS, State, iso

if TYPE_CHECKING:
    from sandbox.company import Company

YEARS = ("0-5 years", "5-10 years", "more")

APPLICATION_FIELDS: tuple[tuple[str, str, str, bool], ...] = (
    ("Name", "_systemfield_name", "String", True),
    ("Email", "_systemfield_email", "Email", True),
    ("Phone", "_systemfield_phone", "Phone", False),
    ("Resume", "_systemfield_resume", "File", False),
    ("Where do you live?", "_systemfield_location", "Location", False),
    ("Years of experience", "", "ValueSelect", False),
    ("Why Fernhill?", "", "LongText", False),
)
REFERRAL_FIELDS: tuple[tuple[str, str, str, bool], ...] = (
    ("Name", "_systemfield_name", "String", True),
    ("Email", "_systemfield_email", "Email", False),
    ("Job", "_systemfield_job", "Job", True),
    ("How do you know them?", "", "LongText", False),
)
SURVEYS: tuple[tuple[str, str, tuple[tuple[str, str, str, bool], ...]], ...] = (
    ("How was it?", "CandidateExperience", (("Rating", "", "Score", True), ("Anything else?", "", "LongText", False))),
    ("Before we meet", "Questionnaire", (("When could you start?", "", "Date", False),)),
)


def add_extras(state: State, company: Company) -> None:
    """Add everything to an organization that has its jobs and candidates."""
    _hiring_pages(state, company)
    _surveys(state, company)
    _people(state, company)
    for kind in ("applications", "candidates"):
        state.reports[make_id(company, f"report:{kind}")] = kind
    for job in state.jobs.values():
        if job.status == "Open":
            _posting(state, company, job)
    open_ones = [
        item for item in state.applications.values() if state.stages[item.events[-1].stage_id]["type"] == "Active"
    ]
    for item in open_ones[:1]:
        _offer(state, company, item)
        _schedule(state, company, item)


def _definition(company: Company, topic: str, fields: tuple[tuple[str, str, str, bool], ...]) -> Json:
    """Return a form definition; fields without a system path have an opaque one (recorded)."""
    entries: list[Json] = []
    for title, path, kind, required in fields:
        field_id = make_id(company, f"{topic}:{title}")
        field: Json = {
            "id": field_id,
            "type": kind,
            "path": path or field_id,
            "humanReadablePath": title if path else "",
            "title": title,
            "isNullable": not required,
        }
        if kind == "ValueSelect":
            field["selectableValues"] = [{"label": text, "value": text} for text in YEARS]
        entry: Json = {"isRequired": required, "field": field}
        if kind == "LongText":
            entry |= {"descriptionHtml": "<p>In a few words.</p>", "descriptionPlain": "In a few words."}
        entries.append(entry)
    return {"sections": [{"fields": entries}]}


def _form(state: State, company: Company, topic: str, title: str, definition: Json) -> Json:
    return {
        "id": make_id(company, topic),
        "organizationId": state.org_id,
        "title": title,
        "isArchived": False,
        "isDefaultForm": True,
        "formDefinition": definition,
    }


def _hiring_pages(state: State, company: Company) -> None:
    """A brand, two boards, the application form, the referral form, a tracking link."""
    brand = make_id(company, "brand")
    state.brands[brand] = {"id": brand, "name": "Fernhill Robotics", "hostedJobsPageSlug": "fernhill"}
    for title, internal in (("Careers page", False), ("Internal", True)):
        board = make_id(company, f"board:{title}")
        state.boards[board] = {"id": board, "title": title, "isInternal": internal}
    form_id = make_id(company, "form:application")
    state.application_forms[form_id] = _definition(company, "form:application", APPLICATION_FIELDS)
    definition = _definition(company, "form:referral", REFERRAL_FIELDS)
    state.referral_form = _form(state, company, "form:referral", "Referral", definition)
    for source in list(state.sources.values())[:2]:
        link = make_id(company, f"link:{source['title']}")
        code = link[:5]
        state.tracking_links[link] = {
            "id": link,
            "code": code,
            "enabled": len(state.tracking_links) == 0,
            "sourceId": source["id"],
            "link": f"https://jobs.ashbyhq.com/fernhill?utm_source={code}",
        }


def _surveys(state: State, company: Company) -> None:
    for title, kind, fields in SURVEYS:
        topic = f"survey:{title}"
        form = _form(state, company, topic, title, _definition(company, topic, fields))
        state.survey_forms[form["id"]] = {**form, "surveyType": kind}


def _people(state: State, company: Company) -> None:
    """One pool of interviewers, with two of the users in it."""
    pool = make_id(company, "pool")
    users = [user for user in state.users.values() if user["isEnabled"]][:2]
    state.pools[pool] = {
        "id": pool,
        "title": "Engineering interviewers",
        "isArchived": False,
        "trainingPath": {"id": make_id(company, "pool:path"), "enabled": False, "trainingStages": []},
        "qualifiedMembers": [{**user, "isPaused": False} for user in users],
        "trainees": [],
    }


def _posting(state: State, company: Company, job: Job) -> None:
    posting_id = make_id(company, f"posting:{job.id}")
    remote = state.locations[job.location]["isRemote"]
    state.postings[posting_id] = {
        "id": posting_id,
        "jobId": job.id,
        "title": job.title,
        "html": f"<p>We look for a <b>{job.title}</b>.</p>",
        "social": None,
        "workplaceType": "Remote" if remote else "OnSite",
        "isListed": len(state.postings) == 0,
        "published": iso(job.opened_ms or job.created_ms),
        "updatedAt": iso(job.opened_ms or job.created_ms),
        "formId": make_id(company, "form:application"),
        "boardIds": [next(iter(state.boards))],
        "suppressDescriptionOpening": False,
        "suppressDescriptionClosing": False,
    }
    job.postings = [posting_id]
    pay = {
        "compensationType": "Salary",
        "interval": "1 YEAR",
        "currencyCode": "EUR",
        "minValue": 60_000,
        "maxValue": 80_000,
    }
    counter = iter(range(100))
    job.tiers = [make_tier({"components": [pay]}, lambda: make_id(company, f"tier:{job.id}:{next(counter)}"))]


def _offer(state: State, company: Company, item: Application) -> None:
    """An offer that waits for its answer, in its second version."""
    made = item.updated_ms
    versions = [
        {
            "id": make_id(company, f"offer:{item.id}:{number}"),
            "startDate": iso(made + 90 * DAY),
            "salary": {"currencyCode": "EUR", "value": 70_000 + 2_000 * number},
            "createdAt": iso(made + number),
            "openingId": None,
            "customFields": [],
            "fileHandles": [],
            "author": state.users[state.key_user],
            "approvalStatus": "Approved",
        }
        for number in (1, 0)
    ]
    offer_id = make_id(company, f"offer:{item.id}")
    state.offers[offer_id] = {
        "id": offer_id,
        "decidedAt": None,
        "applicationId": item.id,
        "acceptanceStatus": "WaitingOnResponse",
        "offerStatus": "WaitingOnCandidateResponse",
        "latestVersion": versions[0],
        "versions": versions,
        "formDefinition": _definition(company, "form:offer", (("Salary", "_systemfield_salary", "Currency", True),)),
    }


def _schedule(state: State, company: Company, item: Application) -> None:
    """An interview that took place before the move."""
    schedule_id, at = make_id(company, f"schedule:{item.id}"), item.updated_ms
    state.schedules[schedule_id] = {
        "id": schedule_id,
        "applicationId": item.id,
        "interviewStageId": item.events[-1].stage_id,
        "userId": state.key_user,
        "key": "",
        "cancelled": False,
        "createdAt": at,
        "updatedAt": at,
    }
    user = next(user for user in state.users.values() if user["isEnabled"])
    start = min(at + DAY, COMPANY_NOW_MS - DAY)
    slot = {
        "startTime": start,
        "endTime": start + 3_600_000,
        "interviewers": [{"email": user["email"], "feedbackRequired": True}],
    }
    known = {
        "id": make_id(company, f"event:{schedule_id}"),
        "createdAt": at,
        "submitted": [],
        "extraData": None,
        "interviewId": next(iter(state.interviews)),
    }
    event = make_event(state, state.schedules[schedule_id], slot, known)
    state.interview_events[event["id"]] = {**event, "updatedAt": SET_UP_MS}
