"""What an admin set up in Ashby before the move: plans, reasons, sources, forms, fields, tags, places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.ashby.records import Field, Json
from sandbox.ashby.state import COMPANY_NOW_MS, State, iso

if TYPE_CHECKING:
    from sandbox.company import Company

DAY = 86_400_000
SET_UP_MS = COMPANY_NOW_MS - 120 * DAY

# Plan title, archived, stages in order. Titles resemble those of Lever without being equal to them.
PLANS: tuple[tuple[str, bool, tuple[tuple[str, str], ...]], ...] = (
    (
        "Standard hiring",
        False,
        (
            ("New Lead", "Lead"),
            ("Reached Out", "Lead"),
            ("Replied", "Lead"),
            ("Application Review", "PreInterviewScreen"),
            ("Hiring Manager Review", "PreInterviewScreen"),
            ("Recruiter Screen", "Active"),
            ("Phone Interview", "Active"),
            ("Onsite", "Active"),
            ("Offer", "Offer"),
            ("Background Check", "Offer"),
            ("Hired", "Hired"),
            ("Archived", "Archived"),
        ),
    ),
    (
        "Leadership",
        False,
        (
            ("Prospect", "Lead"),
            ("In Touch", "Lead"),
            ("Profile Review", "PreInterviewScreen"),
            ("First Conversation", "Active"),
            ("Board Interviews", "Active"),
            ("Offer", "Offer"),
            ("Hired", "Hired"),
            ("Archived", "Archived"),
        ),
    ),
    ("Pipeline 2019", True, (("Lead", "Lead"), ("Screen", "Active"), ("Hired", "Hired"), ("Archived", "Archived"))),
)

REASONS: tuple[tuple[str, str, bool], ...] = (
    ("Lacks Skills/Qualifications", "RejectedByOrg", False),
    ("Better Fit for Another Role", "RejectedByOrg", False),
    ("Position Filled", "Other", False),
    ("Position Closed", "Other", False),
    ("Compensation Expectations", "RejectedByCandidate", False),
    ("Candidate Withdrew", "RejectedByCandidate", False),
    ("Offer Declined", "RejectedByCandidate", False),
    ("Unresponsive", "RejectedByCandidate", False),
    ("Timing", "RejectedByCandidate", False),
    ("Duplicate", "Other", False),
    ("Culture Fit", "RejectedByOrg", True),
)

SOURCES: tuple[tuple[str, str, bool], ...] = (
    ("Applied", "Inbound", False),
    ("LinkedIn", "Inbound", False),
    ("Indeed Listings", "Inbound", False),
    ("LinkedIn Recruiter", "Sourced", False),
    ("GitHub", "Sourced", False),
    ("Sourced Manually", "Sourced", False),
    ("Recruiting Event", "Sourced", False),
    ("Referral", "Referral", False),
    ("Referral Link", "Referral", False),
    ("Agency", "Agency", False),
    ("Internal Transfer", "Internal", False),
    ("University", "Sourced", False),
    ("Career Fair 2019", "Sourced", True),
)

MIGRATED_FORM: tuple[tuple[str, str, bool], ...] = (
    ("Lever feedback ID", "String", False),
    ("Original author", "String", False),
    ("Original date", "String", False),
    ("Form", "String", False),
    ("Overall rating", "Score", False),
    ("Feedback", "LongText", True),
)

# Title, object, type, archived, private, options (label, archived).
FIELDS: tuple[tuple[str, str, str, bool, bool, tuple[tuple[str, bool], ...]], ...] = (
    ("Preferred pronouns", "Candidate", "String", False, False, ()),
    ("Visa status", "Application", "ValueSelect", False, False,
     (("Citizen", False), ("EU", False), ("Needs sponsorship", False), ("Not asked", True))),
    ("Old ATS ID", "Candidate", "String", True, False, ()),
    ("Salary at hire", "Application", "Currency", False, True, ()),
)  # fmt: skip

TAGS: tuple[tuple[str, bool], ...] = (("Alumni", False), ("Silver medalist", False), ("Do not contact", True))

FORM_TYPES = {
    "score-system": "Score",
    "score": "Score",
    "text": "String",
    "textarea": "LongText",
    "dropdown": "ValueSelect",
    "multiple-choice": "ValueSelect",
    "multiple-select": "MultiValueSelect",
    "yes-no": "Boolean",
    "date": "Date",
}


def set_up(state: State, company: Company) -> None:
    """Fill the organization with everything but users, jobs and candidates."""
    _plans(state, company)
    _reasons_and_sources(state, company)
    _forms(state, company)
    _fields_and_tags(state, company)
    _departments(state, company)
    _locations(state, company)
    _small_things(state, company)


def make_id(company: Company, topic: str) -> str:
    """Return the id of a planted object."""
    return company.uuid(f"ashby:{topic}")


def _put(collection: dict[str, Json], item: Json) -> None:
    collection[item["id"]] = item


def _plans(state: State, company: Company) -> None:
    kinds = ("Lead", "PreInterviewScreen", "Active", "Offer", "Hired", "Archived")
    for order, kind in enumerate(kinds):
        title = {"PreInterviewScreen": "Review", "Active": "Interviews"}.get(kind, kind)
        _put(
            state.stage_groups,
            {"id": make_id(company, f"group:{kind}"), "title": title, "order": order, "stageType": kind},
        )
    for title, archived, stages in PLANS:
        plan_id = make_id(company, f"plan:{title}")
        made = iso(SET_UP_MS)
        _put(
            state.plans,
            {"id": plan_id, "title": title, "isArchived": archived, "createdAt": made, "updatedAt": made},
        )
        for order, (stage, kind) in enumerate(stages):
            _put(
                state.stages,
                {
                    "id": make_id(company, f"stage:{title}:{stage}"),
                    "title": stage,
                    "type": kind,
                    "interviewPlanId": plan_id,
                    "orderInInterviewPlan": order,
                    "interviewStageGroupId": make_id(company, f"group:{kind}"),
                },
            )


def _reasons_and_sources(state: State, company: Company) -> None:
    for text, kind, archived in REASONS:
        _put(
            state.archive_reasons,
            {"id": make_id(company, f"reason:{text}"), "text": text, "reasonType": kind, "isArchived": archived},
        )
    for text in ("Filled", "Budget withdrawn"):
        _put(
            state.close_reasons,
            {"id": make_id(company, f"close:{text}"), "reasonText": text, "isArchived": False},
        )
    for title, kind, archived in SOURCES:
        source_type = {"id": make_id(company, f"sourcetype:{kind}"), "title": kind, "isArchived": False}
        _put(
            state.sources,
            {
                "id": make_id(company, f"source:{title}"),
                "title": title,
                "isArchived": archived,
                "sourceType": source_type,
            },
        )


def _form_field(company: Company, form: str, title: str, *, kind: str, required: bool, options: list[str]) -> Json:
    """Make a field of a form; its path is opaque, system fields have a telling one (vendor guide)."""
    field_id = make_id(company, f"form:{form}:{title}")
    field: Json = {
        "id": field_id,
        "type": kind,
        "path": "_systemfield_overall_recommendation" if kind == "Score" and "verall" in title else field_id,
        "humanReadablePath": title,
        "title": title,
        "isNullable": not required,
    }
    if options:
        field["selectableValues"] = [{"label": text, "value": text.lower().replace(" ", "-")} for text in options]
    return {"isRequired": required, "descriptionHtml": None, "descriptionPlain": None, "field": field}


def _form(state: State, company: Company, title: str, *, fields: list[Json], archived: bool, default: bool) -> None:
    section = {"title": title, "descriptionHtml": None, "descriptionPlain": None, "fields": fields}
    _put(
        state.forms,
        {
            "id": make_id(company, f"form:{title}"),
            "organizationId": state.org_id,
            "title": title,
            "isArchived": archived,
            "isDefaultForm": default,
            "formDefinition": {"sections": [section]},
            "interviewId": None,
        },
    )


def _forms(state: State, company: Company) -> None:
    """The form made for the move, one that mirrors a Lever template, and an archived one."""
    migrated = [
        _form_field(company, "Migrated feedback", title, kind=kind, required=required, options=[])
        for title, kind, required in MIGRATED_FORM
    ]
    _form(state, company, "Migrated feedback", fields=migrated, archived=False, default=False)
    for template in company.feedback_templates[:1]:
        fields = [
            _form_field(
                company,
                "Structured interview",
                field["text"],
                kind=FORM_TYPES[field["type"]],
                required=bool(field["required"]),
                options=[option["text"] for option in field.get("options", [])]
                if FORM_TYPES[field["type"]].endswith("Select")
                else [],
            )
            for field in template["fields"]
            if field["type"] in FORM_TYPES
        ]
        _form(state, company, "Structured interview", fields=fields, archived=False, default=True)
    old = [_form_field(company, "Scorecard 2019", "Notes", kind="LongText", required=True, options=[])]
    _form(state, company, "Scorecard 2019", fields=old, archived=True, default=False)


def _fields_and_tags(state: State, company: Company) -> None:
    for title, owner, kind, archived, private, options in FIELDS:
        item = Field(make_id(company, f"field:{title}"), title, owner, kind, archived, False, private)
        item.options = [
            {"label": label, "value": label.lower().replace(" ", "-"), "isArchived": gone} for label, gone in options
        ]
        state.fields[item.id] = item
    for title, archived in TAGS:
        _put(state.tags, {"id": make_id(company, f"tag:{title}"), "title": title, "isArchived": archived})


def department_id(company: Company, name: str) -> str:
    """Return the id of a department or team by its name."""
    return make_id(company, f"department:{name}")


def location_id(company: Company, name: str) -> str:
    """Return the id of a location by its name."""
    return make_id(company, f"location:{name}")


def _department(company: Company, name: str, *, parent: str | None, archived: bool = False) -> Json:
    made = iso(SET_UP_MS)
    return {
        "id": department_id(company, name),
        "name": name,
        "externalName": None,
        "isArchived": archived,
        "parentId": None if parent is None else department_id(company, parent),
        "createdAt": made,
        "updatedAt": made,
        "extraData": None,
    }


def _departments(state: State, company: Company) -> None:
    """The company's departments, its teams below them, and an archived one."""
    parents: dict[str, str | None] = {}
    for posting in company.postings:
        categories = posting["categories"]
        department, team = categories.get("department"), categories.get("team")
        if department:
            parents.setdefault(department, None)
        if team and team != department and not parents.get(team):
            parents[team] = department
    for name, parent in parents.items():
        _put(state.departments, _department(company, name, parent=parent))
    _put(state.departments, _department(company, "Prototypes", parent=None, archived=True))


def _location(company: Company, name: str, *, kind: str, parent: str | None, archived: bool = False) -> Json:
    remote = name.lower() == "remote"
    return {
        "id": location_id(company, name),
        "name": name,
        "externalName": None,
        "isArchived": archived,
        "address": None,
        "isRemote": remote,
        "workplaceType": "Remote" if remote else None,
        "parentLocationId": None if parent is None else location_id(company, parent),
        "type": kind,
        "extraData": None,
    }


def _locations(state: State, company: Company) -> None:
    """The company's locations below one level of hierarchy, and an archived one."""
    _put(state.locations, _location(company, "All offices", kind="LocationHierarchy", parent=None))
    names = dict.fromkeys(posting["categories"].get("location") for posting in company.postings)
    for name in names:
        if name:
            _put(state.locations, _location(company, name, kind="Location", parent="All offices"))
    _put(state.locations, _location(company, "Old harbour", kind="Location", parent=None, archived=True))


def _small_things(state: State, company: Company) -> None:
    """Roles, an e-mail template, a project and two interviews."""
    for title in ("Recruiter", "Hiring Manager", "Sourcer", "Coordinator"):
        _put(state.roles, {"id": make_id(company, f"role:{title}"), "title": title})
    _put(state.templates, _template(company))
    _put(
        state.projects,
        {
            "id": make_id(company, "project:pool"),
            "title": "Talent pool",
            "description": None,
            "isArchived": False,
            "confidential": False,
            "authorId": state.key_user,
            "createdAt": iso(SET_UP_MS),
            "customFieldEntries": [],
        },
    )
    for title, archived in (("Interview", False), ("Case study", False), ("Debrief 2019", True)):
        _put(state.interviews, _interview(company, title, archived=archived))


def _template(company: Company) -> Json:
    made = iso(SET_UP_MS)
    return {
        "id": make_id(company, "template:rejection"),
        "title": "Rejection",
        "description": None,
        "subject": "Your application",
        "messageHtml": "Thank you for your time.",
        "isArchived": False,
        "intendedTypes": ["email"],
        "createdAt": made,
        "updatedAt": made,
    }


def _interview(company: Company, title: str, *, archived: bool) -> dict[str, Any]:
    return {
        "id": make_id(company, f"interview:{title}"),
        "title": title,
        "externalTitle": title,
        "isArchived": archived,
        "isDebrief": False,
        "isFeedbackRequired": True,
        "isFeedbackRequested": True,
        "instructionsHtml": None,
        "instructionsPlain": None,
        "feedbackFormDefinitionId": make_id(company, "form:Migrated feedback"),
    }
