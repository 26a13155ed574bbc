"""The organization as the move finds it: users, jobs and a handful of candidates besides the set-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.ashby.organization_extras import add_extras
from sandbox.ashby.organization_setup import DAY, department_id, location_id, make_id, set_up
from sandbox.ashby.records import Application, Candidate, Event, Job, Json, Note
from sandbox.ashby.state import COMPANY_NOW_MS, State, iso

if TYPE_CHECKING:
    from sandbox.company import Company, Person

N_CANDIDATES = 12

STRANGERS: tuple[tuple[str, str], ...] = (
    ("Oda Winterfeldt", "oda.winterfeldt@inbox.example"),
    ("Bram Castellanos", "bram@castellanos.example"),
    ("Yuki Aldana", "yuki.aldana@inbox.example"),
    ("Perla Nystrand", "perla.nystrand@postfach.example"),
    ("Colm Varga", "colm.varga@inbox.example"),
    ("Ritva Obuya", ""),
    ("Anders Quill", "a.quill@inbox.example"),
    ("Mina Tesfaye", "mina.tesfaye@inbox.example"),
    ("Jory Blackwood", "jory@blackwood.example"),
    ("Eleni Marchetti", "eleni.marchetti@inbox.example"),
    ("Sorin Dahlgren", "sorin.dahlgren@inbox.example"),
    ("Wren Oyelaran", "wren.oyelaran@inbox.example"),
)


def build_state(company: Company, *, switches: dict[str, str], storage_url: Callable[[], str]) -> State:
    """Return the state before the move; the same company gives the same ids and content."""
    state = State(switches=switches, storage_url=storage_url, org_id=make_id(company, "organization"))
    state.key_user = make_id(company, "user:integration")
    _users(state, company)
    set_up(state, company)
    _jobs(state, company)
    _candidates(state, company)
    add_extras(state, company)
    everything = (
        state.users, state.plans, state.interviews, state.forms, state.departments, state.locations,
        state.close_reasons, state.projects, state.tags, state.fields, state.jobs, state.candidates,
        state.applications, state.brands, state.postings, state.offers, state.schedules, state.interview_events,
        state.survey_forms, state.pools,
    )  # fmt: skip
    for collection in everything:
        state.touch(*collection)
    for candidate in state.candidates.values():
        state.touch(*candidate.notes)
    state.born.clear()
    state.preexisting = {
        "candidates": list(state.candidates),
        "applications": list(state.applications),
        "jobs": list(state.jobs),
        "tags": list(state.tags),
        "custom_fields": list(state.fields),
        "departments": list(state.departments),
        "locations": list(state.locations),
    }
    return state


def _user(user_id: str, first: str, last: str, *, email: str, role: str, enabled: bool) -> Json:
    return {
        "id": user_id,
        "firstName": first,
        "lastName": last,
        "email": email,
        "globalRole": role,
        "isEnabled": enabled,
        "updatedAt": iso(COMPANY_NOW_MS - 30 * DAY),
    }


def _users(state: State, company: Company) -> None:
    """Lever's active users by the same address, but one has another address and one another name.

    Of the deactivated ones the first exists, deactivated; the others are absent. The key has a user of its own, and an
    administrator has invited one that stands for people without an account.
    """
    active = [user for user in company.users if user["deactivatedAt"] is None]
    gone = [user for user in company.users if user["deactivatedAt"] is not None]
    for number, user in enumerate([*active, *gone[:1]]):
        first, _, last = user["name"].partition(" ")
        email = user["email"]
        if user in active and number == len(active) - 2:
            email = f"{first}.{last}@{email.partition('@')[2]}".lower()
        if user in active and number == len(active) - 1:
            last = f"{last.partition('-')[0]} Lund" if "-" not in last else last.partition("-")[0]
        user_id = make_id(company, f"user:{user['id']}")
        role = "Organization Admin" if "admin" in user["accessRole"] else "Limited Access"
        state.users[user_id] = _user(
            user_id, first, last, email=email, role=role, enabled=user["deactivatedAt"] is None
        )
    state.users[state.key_user] = _user(
        state.key_user,
        "Integration",
        "Migration",
        email="integration@ashby.example",
        role="Organization Admin",
        enabled=True,
    )
    stand_in = make_id(company, "user:former colleague")
    state.users[stand_in] = _user(
        stand_in, "Former", "Colleague", email="former.colleague@ashby.example", role="Limited Access", enabled=True
    )


def _job(state: State, company: Company, title: str, *, team: str, location: str, plan: str, status: str) -> Job:
    opened = COMPANY_NOW_MS - 100 * DAY
    job = Job(
        make_id(company, f"job:{title}:{team}"),
        title,
        department_id(company, team),
        location_id(company, location),
        opened - DAY,
        opened,
        status=status,
        plan=make_id(company, f"plan:{plan}"),
        author=state.key_user,
        opened_ms=opened,
        closed_ms=opened + 60 * DAY if status == "Closed" else None,
    )
    job.updated_ms = job.closed_ms or opened
    job.team = [_lead(state, company)]
    state.jobs[job.id] = job
    return job


def _lead(state: State, company: Company) -> Json:
    """Return the first user as hiring manager, as a hiring team shows its members."""
    user = next(iter(state.users.values()))
    member = {"userId": user["id"], **{name: user[name] for name in ("firstName", "lastName", "email")}}
    return {**member, "role": state.roles[make_id(company, "role:Hiring Manager")]["title"]}


def _jobs(state: State, company: Company) -> None:
    """A job that is a Lever posting (title, team, location), with two plans; one of another team; one confidential."""
    located = [item for item in company.postings if item["categories"].get("team") and item["categories"]["location"]]
    if not located:
        return
    same = located[0]["categories"]
    first = _job(
        state, company, located[0]["text"], team=same["team"], location=same["location"], plan="Standard hiring",
        status="Open",
    )  # fmt: skip
    first.more_plans = [make_id(company, "plan:Leadership")]
    other = next((item for item in located if item["categories"]["team"] != same["team"]), None)
    if other is not None:
        _job(
            state, company, other["text"], team=same["team"], location=other["categories"]["location"],
            plan="Standard hiring", status="Open",
        )  # fmt: skip
    secret = _job(
        state, company, "Chief of Staff", team=same["team"], location=same["location"], plan="Leadership",
        status="Closed",
    )  # fmt: skip
    secret.confidential = True
    state.interviews[make_id(company, "interview:Case study")]["jobId"] = next(iter(state.jobs))


def _candidates(state: State, company: Company) -> None:
    """People who are in both systems (as each person says), then strangers, some with applications."""
    for number, person in enumerate(person for person in company.people if person.ashby):
        _known(state, company, person, number)
    for number, (name, email) in enumerate(STRANGERS):
        if len(state.candidates) >= N_CANDIDATES:
            break
        candidate = _candidate(state, company, f"stranger:{number}", name=name, email=email or None)
        if number == 0:
            candidate.alternates = ["oda@winterfeldt.example"]
            candidate.tags = [make_id(company, "tag:Silver medalist")]
            candidate.custom[make_id(company, "field:Preferred pronouns")] = "she/her"
            candidate.links = [{"type": "LinkedIn", "url": "https://linkedin.com/in/oda-winterfeldt"}]
            candidate.phone = "+47 400 00 001"
    for number, candidate in enumerate(state.candidates.values()):
        state.index(candidate)
        if number % 2 == 0:
            _application(state, company, candidate, number)


def _known(state: State, company: Company, person: Person, number: int) -> None:
    """Plant an existing candidate of a person: same address, same address under another name, or a namesake."""
    name, email = person.name, person.emails[0] if person.emails else None
    if person.ashby == "email-other-name":
        name = "Kaja Aasgard"
    elif person.ashby == "namesake":
        email = f"other.{number}@elsewhere.example"
    elif number == 1 and email:
        email = email.title()
    _candidate(state, company, f"person:{person.key}", name=name, email=email)


def _candidate(state: State, company: Company, topic: str, *, name: str, email: str | None) -> Candidate:
    created = COMPANY_NOW_MS - company.rng(f"ashby:{topic}").randrange(5, 90) * DAY
    candidate = Candidate(make_id(company, topic), name, created, created, created, email=email)
    candidate.source = make_id(company, "source:Applied")
    state.candidates[candidate.id] = candidate
    return candidate


def _application(state: State, company: Company, candidate: Candidate, number: int) -> None:
    """Give a candidate an application on one of the jobs, with a note on every second one."""
    jobs = list(state.jobs.values())
    if not jobs:
        return
    job = jobs[number // 2 % len(jobs)]
    stages = [stage for stage in state.stages.values() if stage["interviewPlanId"] == job.plan]
    reached = ["Lead", "Active", "Archived"][number // 2 % 3]
    stage = next(stage for stage in stages if stage["type"] == reached)
    made = candidate.created_ms
    item = Application(
        make_id(company, f"application:{candidate.id}"), candidate.id, job.id, job.plan or "", made, made, made
    )
    item.events = [Event(make_id(company, f"event:{candidate.id}:0"), stages[0]["id"], made)]
    if stage is not stages[0]:
        reason = make_id(company, "reason:Timing") if reached == "Archived" else None
        item.events.append(Event(make_id(company, f"event:{candidate.id}:1"), stage["id"], made + DAY, reason))
        item.updated_ms = made + DAY
    item.source = candidate.source
    state.applications[item.id] = item
    candidate.applications.append(item.id)
    if number % 4 == 0:
        note_id = make_id(company, f"note:{candidate.id}")
        text = "Met at the open day, keep in touch."
        candidate.notes[note_id] = Note(note_id, made, made, False, text, "text/plain", state.key_user)
