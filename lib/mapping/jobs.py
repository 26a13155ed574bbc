"""The set-up rows: custom fields, tags, jobs. They come before all people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from lib.mapping.context import Context
from lib.mapping.model import MARKERS, CustomField, Job
from lib.mapping.plan import Chain, link
from lib.mapping.source import clean

STATUS = {
    "published": ("Open",),
    "internal": ("Open",),
    "closed": ("Open", "Closed"),
    "deleted": ("Open", "Closed"),
    "draft": (),
    "pending": (),
    "rejected": (),
}
"""Steps from Draft that a posting's state asks for (job.create always makes a Draft; its reference)."""

POOL = "talent_pool"


def set_up(context: Context, *, stands: Callable[[str], bool] = lambda row_id: False) -> Chain:
    """All rows without a person; `stands` tells what earlier loads have carried out."""
    chain = Chain("", known=context.known, stands=stands)
    for field in context.decisions.custom_fields.values():
        _custom_field(chain, field)
    _tags(chain, context)
    for posting in sorted(context.decisions.jobs):
        job = context.decisions.jobs[posting]
        if job is None:
            context.losses.add(
                "posting", "(posting)", lever_id=posting, treatment="never", where="raw archive",
                reason="verdict skip; its candidacies follow the policy for candidacies without posting",
            )  # fmt: skip
        elif job.ashby_id:
            _adopt(chain, context, job)
        else:
            _create(chain, context, job)
    if context.decisions.talent_pool:
        pool = context.decisions.talent_pool
        chain.add("link", "policy", POOL, body={"ashbyType": "job", "ashbyId": pool.ashby_id}, gives=f"job:{POOL}")
    _markers(chain, context)
    return chain


def _custom_field(chain: Chain, field: CustomField) -> None:
    gives = f"custom_field:{field.key}"
    if not field.ashby_id:
        body = {"fieldType": field.ashby_type, "objectType": field.object_type, "title": field.title}
        if field.create:
            body["selectableValues"] = [dict(one) for one in field.create]
        chain.add("customField.create", "custom_field", field.key, body=body, gives=gives)
        return
    body = {"ashbyType": "custom_field", "ashbyId": field.ashby_id}
    row = chain.add("link", "custom_field", field.key, body=body, gives=gives)
    if field.update:
        body = {"customFieldId": link(gives), "selectableValues": [dict(one) for one in field.update]}
        update = chain.add("customField.updateSelectableValues", "custom_field", field.key, body=body)
        chain.known[gives] = (row.row_id, update.row_id)


def _tags(chain: Chain, context: Context) -> None:
    titles = {tag.title for tag in context.decisions.tags.values() if tag.title}
    if context.settings.run_tag:
        titles.add(context.settings.run_tag)
    existing = {clean(tag.get("title")): tag for tag in context.reader.ashby("tags") if not tag.get("isArchived")}
    for title in sorted(titles):
        found = existing.get(title)
        if found:
            chain.add("link", "tag", title, body={"ashbyType": "tag", "ashbyId": found["id"]}, gives=f"tag:{title}")
        else:
            chain.add("candidateTag.create", "tag", title, body={"title": title}, gives=f"tag:{title}")


def _adopt(chain: Chain, context: Context, job: Job) -> None:
    body = {"ashbyType": "job", "ashbyId": job.ashby_id}
    chain.add("link", "posting", job.posting, body=body, gives=f"job:{job.posting}")
    _account(context, job.posting)


def _account(context: Context, posting: str) -> None:
    """What does not move of a posting; `categories` member by member, because team and location do."""
    found = context.source.postings.get(posting, {})
    context.account("posting", found, lever_id=posting)
    categories = found.get("categories") or {}
    left = {name: clean(categories.get(name)) for name in ("commitment", "level")}
    left["department"] = clean(categories.get("department")) if clean(categories.get("team")) else ""
    left["allLocations"] = "; ".join(
        {*map(clean, categories.get("allLocations") or [])} - {clean(categories.get("location"))}
    )
    for name, text in left.items():
        if text:
            context.lose(
                "posting", f"categories.{name}", lever_id=posting, treatment="archived only", where="raw archive",
                reason=_NO_PLACE[name],
            )  # fmt: skip


_NO_PLACE = {
    "commitment": "a job made by API has no employment type",
    "level": "a job has no level",
    "department": "a job has one department or team: that of the team",
    "allLocations": "a job made by API has one location",
}


def _create(chain: Chain, context: Context, job: Job) -> None:
    posting = context.source.postings.get(job.posting, {})
    if posting.get("confidentiality") == "confidential":
        context.lose(
            "posting", "confidentiality", lever_id=job.posting, treatment="moved changed",
            where="a job that everybody sees", reason="no endpoint makes it so (policy confidential_as_new)",
        )  # fmt: skip
    body = {
        "title": clean(posting.get("text")) or f"Lever posting {job.posting}",
        "teamId": job.team_id,
        "locationId": job.location_id,
        "defaultInterviewPlanId": job.plan_id,
    }
    gives = f"job:{job.posting}"
    rows = [chain.add("job.create", "posting", job.posting, body=body, gives=gives).row_id]
    steps = _kept_open(chain, context, job.posting, _steps(context, job.posting, clean(posting.get("state"))))
    for number, status in enumerate(steps):
        after = tuple(rows[-1:])
        again = " again" if status in steps[:number] else ""
        row = chain.add(
            "job.setStatus",
            "posting",
            job.posting,
            body={"jobId": link(gives), "status": status},
            part=f"{status}{again}",
            after=after,
        )
        rows.append(row.row_id)
    chain.known[gives] = tuple(dict.fromkeys([rows[0], rows[-1]]))
    _account(context, job.posting)


def _steps(context: Context, posting: str, state: str) -> tuple[str, ...]:
    """States to go through. A draft with candidacies is closed: Ashby's answer to applications on drafts is unknown."""
    steps = STATUS.get(state, ("Open", "Closed"))
    if not steps and posting in context.decisions.used_postings:
        context.losses.add(
            "posting", "state", lever_id=posting, treatment="moved changed", where="job status Closed",
            reason=f"{state} in Lever, but it has candidacies, and a draft job may refuse applications",
        )  # fmt: skip
        return ("Open", "Closed")
    return steps


def _kept_open(chain: Chain, context: Context, posting: str, steps: tuple[str, ...]) -> tuple[str, ...]:
    """The steps without the last one, where Ashby was found to take applications on open jobs only.

    What an earlier load has closed is opened again: from Closed to Draft to Open (job.setStatus, its reference).
    """
    if not context.lessons.open_jobs or "Closed" not in steps or posting not in context.decisions.used_postings:
        return steps
    context.losses.add(
        "posting", "state", lever_id=posting, treatment="moved changed", where="job status Open",
        reason="this Ashby takes applications on open jobs only: close these jobs in Ashby after the load",
    )  # fmt: skip
    was_closed = chain.stands(f"job.setStatus/posting/{posting}/Closed")
    return (*steps, "Draft", "Open") if was_closed else tuple(one for one in steps if one != "Closed")


def _markers(chain: Chain, context: Context) -> None:
    """One call per job; an existing job that takes several postings carries all their ids."""
    groups: dict[str, list[str]] = defaultdict(list)
    for posting, job in sorted(context.decisions.jobs.items()):
        if job:
            groups[job.key].append(posting)
    field = f"custom_field:Job:{MARKERS['Job']}"
    for postings in groups.values():
        body = {
            "objectId": link(f"job:{postings[0]}"),
            "objectType": "Job",
            "values": [{"fieldId": link(field), "fieldValue": ",".join(postings)}],
        }
        chain.add("customField.setValues", "posting", postings[0], body=body)
