"""Opportunities with their stage history, and the application of each."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sandbox.company import catalog, templates, words
from sandbox.company.cast import Draft
from sandbox.company.model import NOW_MS, Company, Record
from sandbox.company.shape import times

DAY = 86_400_000
HOUR = 3_600_000
JUNE_2020_MS = 1_590_969_600_000
"""Since June 2020 Lever keeps ``updatedAt``; older records that never changed have null (observed)."""
FIRST_MS = 1_433_116_800_000
LATE_MS = 8_575
"""How long after the archiving a recorded stage change came."""


@dataclass
class Plan:
    """What one opportunity shall be, before it is written out."""

    number: int
    posting: Record | None
    created: int
    origin: str
    fresh: bool = False


def fill(company: Company, drafts: list[Draft]) -> None:
    """Give every contact its opportunities."""
    weights = catalog.posting_weights(company)
    number = 0
    taken: dict[str, set[str]] = {}
    for index, draft in enumerate(drafts):
        rng = company.rng(f"history:{index}")
        apart = taken.setdefault(draft.person.key, set()) if draft.person.review else set()
        for plan in _plans(company, draft, rng, weights, apart):
            write_opportunity(company, draft, replace(plan, number=number))
            number += 1
    _plant(company, drafts)
    company.opportunities.sort(key=lambda item: (item["createdAt"], item["id"]))


def _plans(company: Company, draft: Draft, rng: random.Random, weights: list[int], apart: set[str]) -> list[Plan]:
    """Decide how many candidacies a contact has, when, and for what.

    ``apart`` are postings another contact of the same person has: a person who is only joined by a reviewer
    must not become a repeat candidacy by chance.
    """
    usual = rng.choices((1, 2, 3, 4, 5, 6, 8), (50, 26, 12, 6, 3, 2, 1))[0] if not draft.n_opportunities else 0
    n = draft.n_opportunities or times(usual, company.shape.candidacies, least=1)
    fixed = draft.hint.get("created_at")
    created = int(str(fixed)) if fixed else _start(rng)
    pairs = zip(company.postings, weights, strict=True)
    free = [(posting, weight) for posting, weight in pairs if weight and posting["id"] not in apart]
    plans: list[Plan] = []
    for _ in range(n):
        open_then = [pair for pair in free if _open_at(pair[0], created)] or free
        posting: Record | None = None
        if open_then and (rng.random() > 0.035 * company.shape.leads or fixed):
            posting = rng.choices([pair[0] for pair in open_then], [pair[1] for pair in open_then])[0]
            free = [pair for pair in free if pair[0] is not posting]
            apart.add(posting["id"])
        origin = str(draft.hint.get("origin") or _origin(rng, posting))
        plans.append(Plan(0, posting, created, origin))
        created = min(
            created + rng.randrange(15, 400) * DAY + rng.randrange(DAY), NOW_MS - rng.randrange(2 * HOUR, 4 * DAY)
        )
    return plans


def _open_at(posting: Record, at: int) -> bool:
    """Whether a posting took applications then; closed ones did for a thousand days."""
    return bool(
        posting["createdAt"] <= at and (posting["state"] != "closed" or at <= posting["createdAt"] + 1000 * DAY)
    )


def _start(rng: random.Random) -> int:
    """The first date of a contact: from 2015 on, the recent years busier."""
    return FIRST_MS + int((NOW_MS - 3 * DAY - FIRST_MS) * rng.random() ** 0.37)


def _origin(rng: random.Random, posting: Record | None) -> str:
    if posting is None:
        return rng.choice(("sourced", "sourced", "university", "referred"))
    kinds = ("applied", "sourced", "referred", "agency", "internal", "university")
    return rng.choices(kinds, (56, 22, 10, 5, 3, 4))[0]


def write_opportunity(company: Company, draft: Draft, plan: Plan) -> Record:
    """Write out one opportunity with its application."""
    rng = company.rng(f"opportunity:{plan.number}")
    opportunity_id = company.uuid(f"opportunity:{plan.number}")
    owner = _owner(company, plan.posting, rng)
    changes = _stage_changes(company, plan, rng, owner)
    archived = None if plan.fresh else _archived(company, changes, rng, plan)
    advanced = archived["archivedAt"] if archived else changes[-1]["updatedAt"]
    opportunity: Record = {
        "id": opportunity_id,
        **_repeated(draft),
        "stage": changes[-1]["toStageId"],
        "confidentiality": plan.posting["confidentiality"] if plan.posting else "non-confidential",
        "archived": archived,
        "tags": _tags(company, plan.posting, rng),
        "sources": _sources(plan.origin, rng),
        "stageChanges": changes,
        "origin": plan.origin,
        "sourcedBy": _sourcer(company, rng) if plan.origin == "sourced" else None,
        "owner": None if rng.random() < 0.02 else owner,
        "followers": _followers(company, owner, rng),
        "applications": [],
        "createdAt": plan.created,
        "updatedAt": None,
        "lastInteractionAt": advanced,
        "lastAdvancedAt": advanced,
        "snoozedUntil": NOW_MS + rng.randrange(400, 800) * DAY if not archived and rng.random() < 0.07 else None,
        "urls": {
            "list": "https://hire.lever.co/candidates",
            "show": f"https://hire.lever.co/candidates/{opportunity_id}",
        },
    }
    if plan.posting is not None:
        opportunity["opportunityLocation"] = plan.posting["categories"]["location"] or "unspecified"
        _application(company, opportunity, plan, rng)
    company.opportunities.append(opportunity)
    return opportunity


def _repeated(draft: Draft) -> Record:
    """What Lever repeats of the contact on each of its opportunities."""
    contact = draft.contact
    return {
        "name": contact["name"],
        "contact": contact["id"],
        "headline": contact["headline"],
        "location": contact["location"]["name"],
        "phones": contact["phones"],
        "emails": contact["emails"],
        "links": draft.links,
        "isAnonymized": contact["isAnonymized"],
        "dataProtection": draft.consent,
    }


def _owner(company: Company, posting: Record | None, rng: random.Random) -> str:
    """The posting's owner mostly, else a recruiter, present or past."""
    if posting is not None and posting["owner"] and rng.random() < 0.7:
        return str(posting["owner"])
    return catalog.user_id(company, rng.choice(("Priya", "Jonas", "Ines", "Derek")))


def _sourcer(company: Company, rng: random.Random) -> str:
    return catalog.user_id(company, rng.choice(("Clara", "Clara", "Priya", "Nadia")))


def _followers(company: Company, owner: str, rng: random.Random) -> list[str]:
    others = [user["id"] for user in company.users if user["id"] != owner]
    return [owner, *rng.sample(others, rng.choice((0, 0, 1, 2)))]


def _stage_changes(company: Company, plan: Plan, rng: random.Random, owner: str) -> list[Record]:
    """The path through the pipeline: sourced people start as leads, others as applicants; some go back and forth."""
    ids = [stage["id"] for stage in company.stages]
    depth = rng.choices((0, 1, 2, 3, 4, 5, 6), (30, 22, 16, 12, 9, 7, 4))[0]
    path = list(range(3, 4 + depth)) if plan.origin != "sourced" else [0, *_lead_part(rng)]
    if plan.origin == "sourced" and plan.posting is not None and rng.random() < 0.55:
        path += list(range(3, 4 + depth))
    if depth >= 3 and rng.random() < 0.08:
        path += [path[-1] - 1, path[-1]]
    at = plan.created
    changes: list[Record] = []
    for place, index in enumerate(path):
        change: Record = {"toStageId": ids[index], "toStageIndex": index, "updatedAt": at}
        if (place and rng.random() < 0.65) or plan.origin == "sourced":
            change["userId"] = owner
        changes.append(change)
        step = rng.randrange(HOUR, 12 * DAY)
        if at + step > NOW_MS - HOUR:
            break
        at += step
    return changes


def _lead_part(rng: random.Random) -> list[int]:
    return rng.choice(([], [1], [1, 2], [1, 2]))


def _archived(company: Company, changes: list[Record], rng: random.Random, plan: Plan) -> Record | None:
    """Old candidacies are closed; of those that reached an offer most are hired."""
    last = changes[-1]
    age = (NOW_MS - last["updatedAt"]) / DAY
    if rng.random() > (0.85 if age > 900 else 0.45 if age > 200 else 0.15) * company.shape.archived:
        return None
    at = min(last["updatedAt"] + rng.randrange(HOUR, 40 * DAY), NOW_MS - rng.randrange(HOUR, 2 * HOUR))
    if (last["toStageIndex"] >= 8 and rng.random() < 0.8) or (last["toStageIndex"] == 7 and rng.random() < 0.25):
        text = "Hired" if rng.random() < 0.85 else "Hired elsewhere in the group"
    else:
        losers = [reason["text"] for reason in company.archive_reasons if reason["type"] == "non-hired"]
        text = rng.choice(losers)
    return {"reason": catalog.reason_id(company, text), "archivedAt": max(at, last["updatedAt"] + 1000)}


def _tags(company: Company, posting: Record | None, rng: random.Random) -> list[str]:
    """Tags people chose, then the ones Lever adds by itself: title, department, team, location, commitment."""
    tags = rng.sample(words.REAL_TAGS, rng.choice((0, 0, 0, 1, 1, 2)))
    return tags + [tag for tag in own_tags(posting) if tag not in tags]


def own_tags(posting: Record | None) -> list[str]:
    """The tags Lever adds by itself: title, department, team, location, commitment (observed)."""
    if posting is None:
        return []
    categories = posting["categories"]
    names = ("department", "team", "location", "commitment")
    return [tag for tag in (posting["text"], *(categories.get(name) for name in names)) if tag]


def _sources(origin: str, rng: random.Random) -> list[str]:
    choices = catalog.SOURCES[origin]
    first = rng.choice(choices)
    if rng.random() < 0.08:
        return [first, rng.choice([source for source in ("LinkedIn", "Job site", "Referral") if source != first])]
    return [first]


def _application(company: Company, opportunity: Record, plan: Plan, rng: random.Random) -> None:
    """The single application of an opportunity; what the candidate typed is null when somebody else added it."""
    posting = plan.posting or {}
    kind = {"applied": "posting", "agency": "posting", "referred": "referral"}.get(plan.origin, "user")
    application_id = company.uuid(f"application:{plan.number}")
    typed = kind == "posting" and not opportunity["isAnonymized"]
    archived: Record | None = opportunity["archived"]
    if archived and rng.random() < 0.1:
        archived = {"reason": archived["reason"], "archivedAt": archived["archivedAt"] - 7_152}
    user = None if kind == "posting" else catalog.user_id(company, rng.choice(("Clara", "Oliver", "Mateo", "Priya")))
    phones = opportunity["phones"]
    application: Record = {
        "id": application_id,
        "type": kind,
        "candidateId": opportunity["id"],
        "opportunityId": opportunity["id"],
        "posting": posting["id"],
        "postingHiringManager": posting["hiringManager"],
        "postingOwner": posting["owner"],
        "name": opportunity["name"] if typed else None,
        "company": rng.choice(words.FIRMS) if typed and rng.random() < 0.6 else None,
        "phone": {"type": None, "value": phones[0]["value"]} if typed and phones else None,
        "email": opportunity["emails"][0] if typed and opportunity["emails"] else None,
        "links": opportunity["links"][:1] if typed else [],
        "comments": rng.choice((None, None, "I saw your talk and <b>loved</b> it.", "=1+1")) if typed else None,
        "user": user,
        "customQuestions": _questions(company, opportunity, kind, rng),
        "createdAt": plan.created + rng.choice((0, 1, 45)),
        "archived": archived,
        "requisitionForHire": requisition_for(company, posting, opportunity["archived"]),
    }
    application |= {"ipAddress": "203.0.113.7" if typed else None, "referer": None, "userAgent": None}
    application |= {"acceptLanguage": None, "timezone": None}
    company.applications[application_id] = application
    opportunity["applications"] = [application_id]


def requisition_for(company: Company, posting: Record, archived: Record | None) -> Record | None:
    """The requisition somebody was hired on: for hires on a posting that has one."""
    hired = {reason["id"] for reason in company.archive_reasons if reason["type"] == "hired"}
    if archived is None or archived["reason"] not in hired:
        return None
    row = next((one for one in company.requisitions if posting.get("id") in one["postings"]), None)
    return row and {
        "id": row["id"],
        "requisitionCode": row["requisitionCode"],
        "hiringManagerOnHire": row["hiringManager"],
    }


def _questions(company: Company, opportunity: Record, kind: str, rng: random.Random) -> list[Record]:
    """Answers to the posting's questions, or the referral form of a referral application."""
    if opportunity["isAnonymized"] or kind == "user" or (kind == "posting" and rng.random() < 0.5):
        return []
    at = opportunity["createdAt"]
    rows = templates.REFERRAL if kind == "referral" else templates.QUESTIONS
    form: dict[str, Any] = {
        "type": "referral" if kind == "referral" else "posting",
        "text": "Referral form" if kind == "referral" else "About your work",
        "description": "",
        "user": None if kind == "posting" else catalog.user_id(company, "Oliver"),
        "fields": templates.answered(company, f"questions:{opportunity['id']}", rows, rng, at=at),
        "baseTemplateId": templates.template_id(company, f"questions:{kind}"),
        "stage": None,
        "createdAt": at,
        "completedAt": at,
    }
    return [form]


def _plant(company: Company, drafts: list[Draft]) -> None:
    """Add the rare cases that chance does not give: repeats, confidential ones, equal times, lost stages."""
    ordinary = [draft for draft in drafts if not draft.person.traps]
    number = len(company.opportunities)
    rng = company.rng("planted")
    for place, draft in enumerate(ordinary[: max(2, len(ordinary) // 12)]):
        posting = company.postings[15 + place % 2]
        plan = Plan(
            number, posting, posting["createdAt"] + rng.randrange(10, 300) * DAY, "sourced" if place % 2 else "applied"
        )
        write_opportunity(company, draft, plan)
        number += 1
    by_contact = {item["contact"]: item for item in company.opportunities if item["applications"]}
    repeats = [by_contact[draft.contact["id"]] for draft in ordinary[-40:] if draft.contact["id"] in by_contact][:3]
    owners = {draft.contact["id"]: draft for draft in drafts}
    for item in repeats:
        posting = next(
            p for p in company.postings if p["id"] == company.applications[item["applications"][0]]["posting"]
        )
        created = min(item["lastAdvancedAt"] + 30 * DAY, NOW_MS - 3 * HOUR + number)
        write_opportunity(company, owners[item["contact"]], Plan(number, posting, created, "applied"))
        number += 1
    _odd_histories(company)
    _plant_deleted(company, number)


def _odd_histories(company: Company) -> None:
    """Equal times twice, a stage that no longer exists twice, one application to a deleted posting."""
    long = [item for item in company.opportunities if len(item["stageChanges"]) >= 3 and not item["isAnonymized"]]
    for item in long[:2]:
        item["stageChanges"][1]["updatedAt"] = item["stageChanges"][0]["updatedAt"]
    for item in long[2:4]:
        item["stageChanges"][1] |= {"toStageId": company.uuid("stage:take-home-old"), "toStageIndex": 5}
    for item in [item for item in long[4:] if item["applications"]][:1]:
        company.applications[item["applications"][0]]["posting"] = company.deleted_postings[0]["id"]


def _plant_deleted(company: Company, number: int) -> None:
    """Opportunities and applications that were deleted: only the deleted lists know them."""
    spare = Draft(company.people[-1], {"id": company.uuid("contact:gone"), "name": "Removed Person", "headline": "",
                  "isAnonymized": False, "location": {"name": ""}, "emails": [], "phones": []})  # fmt: skip
    for offset in range(4):
        plan = Plan(number + offset, company.postings[offset], NOW_MS - (300 - offset) * DAY, "applied")
        item = write_opportunity(company, spare, plan)
        company.opportunities.remove(item)
        application = company.applications.pop(item["applications"][0])
        deleted = NOW_MS - (20 - offset) * DAY
        company.deleted_opportunities.append(
            item | {"deletedAt": deleted, "deletedBy": catalog.user_id(company, "Tomasz")}
        )
        company.deleted_applications.append(
            {
                "id": application["id"],
                "deletedAt": deleted,
                "opportunityId": item["id"],
                "postingId": application["posting"],
            }
        )


def move_after_closing(company: Company) -> None:
    """Two closed candidacies are moved afterwards, and stay closed (recorded; 2 of 1,004 in a listing were so).

    They are chosen from the finished records without a draw: the latest of ordinary people, none of them a repeat.
    They go back to the stage before, so that the same opportunities name each stage as without it.
    """
    ids = [stage["id"] for stage in company.stages]
    far = (item for item in reversed(company.opportunities) if item["archived"] and len(item["stageChanges"]) > 1)
    for item in islice((item for item in far if _may_move(company, item)), 2):
        before, at = item["stageChanges"][-2]["toStageId"], item["archived"]["archivedAt"] + LATE_MS
        change = {"toStageId": before, "toStageIndex": ids.index(before), "updatedAt": at}
        item["stageChanges"].append(change | {"userId": catalog.user_id(company, "Ines")})
        item |= {"stage": before, "lastAdvancedAt": at, "lastInteractionAt": at}


def _may_move(company: Company, item: Record) -> bool:
    """Whether a closed candidacy is an ordinary one: nobody's trap, no hire, the only one of a contact on a posting."""
    person = next(one for one in company.people if item["contact"] in one.contacts)
    lost = {reason["id"] for reason in company.archive_reasons if reason["type"] == "non-hired"}
    wanted = [
        [company.applications[name]["posting"] for name in other["applications"]]
        for other in company.opportunities
        if other["contact"] == item["contact"]
    ]
    mine = [company.applications[name]["posting"] for name in item["applications"]]
    return (
        not person.traps
        and mine != []
        and wanted.count(mine) == 1
        and item["stageChanges"][-2]["toStageId"] in {stage["id"] for stage in company.stages} - {item["stage"]}
        and item["archived"]["reason"] in lost
        and item["archived"]["archivedAt"] + LATE_MS < NOW_MS
    )
