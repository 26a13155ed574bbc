"""Proposals for postings and stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lib.mapping import target
from lib.mapping.model import Plan
from lib.mapping.scan import Scan
from lib.mapping.source import Item, Source, clean
from lib.mapping.suggest import Rows, row, suggest
from lib.mapping.target import Option
from lib.normalize import best_matches, name_key

Guess = tuple[str, str, str]
"""(proposal, reason, confidence)"""
_SURENESS = ("low", "medium", "high")
_TYPES = {
    "lead": ("Lead",),
    "applicant": ("PreInterviewScreen",),
    "screen": ("Active", "PreInterviewScreen"),
    "onsite": ("Active",),
    "offer": ("Offer",),
}
"""Which types of Ashby stages fit a pipeline group of Lever (`/disposition_stages`, recorded 2026)."""


def postings(source: Source, found: Scan, *, tables: Mapping[str, Any]) -> tuple[Rows, dict[str, str]]:
    """(rows of postings.csv, {posting: interview plan id} as far as it can be told already)."""
    reader = source.reader
    plans = target.plans(reader)
    jobs = reader.ashby("jobs")
    teams = target.options(reader.ashby("departments"), label="name")
    places = target.options(reader.ashby("locations"), label="name")
    names = {one.ashby_id: name_key(one.label) for one in [*teams, *places]}
    standard = _standard_plan(plans, jobs)
    verdicts = {one["id"]: one for one in tables["postings"].rows} if "postings" in tables else {}
    living = [job for job in jobs if job.get("status") != "Archived"]
    made, used = [], {}
    for posting_id in sorted(set(source.postings) | {one for one in found.postings if one}):
        posting = source.postings.get(posting_id, {})
        categories = posting.get("categories") or {}
        team = clean(categories.get("team")) or clean(categories.get("department"))
        place = clean(categories.get("location"))
        same = _same_job(posting, jobs, names, team=team, place=place)
        guess, plan = _guess(posting, same, living, standard)
        if guess[0] == "new" and posting_id in found.confidential and not source.settings.confidential_as_new:
            guess = _guess_confidential(source)
        cells = {"team": _department(categories, teams), "location": suggest(place, places, fallback="")}
        if guess[0] == "new":
            guess = _as_sure_as_its_cells(guess, {**cells, "plan": _sure_of(plan, plans)})
        given = verdicts.get(posting_id, {})
        said = {"verdict": given.get("verdict") or guess[0], "plan_verdict": given.get("plan_verdict", "")}
        used[posting_id] = _plan_of(said, plans, living) or (plan.ashby_id if plan else "")
        n_records = found.postings[posting_id] + (1 if posting and not source.settings.by_posting else 0)
        state = clean(posting.get("state")) or "missing"
        more = {
            "state": state, "team": team, "location": place,
            "plan": plan.title if plan else "",
            "team_proposal": cells["team"][0],
            "location_proposal": cells["location"][0],
            "team_verdict": "", "location_verdict": "", "plan_verdict": "",
        }  # fmt: skip
        made.append(row(posting_id, source.title(posting_id), *guess, n_records, **more))
    return made, used


def _department(categories: Item, teams: list[Option]) -> Guess:
    found = [suggest(clean(categories.get(name)), teams, fallback="") for name in ("team", "department")]
    return next((one for one in found if one[0]), found[0])


def _sure_of(plan: Plan | None, plans: Mapping[str, Plan]) -> Guess:
    """The plan of a new job, as sure as that there is no other."""
    if plan is None:
        return "", "Ashby has no interview plan", "low"
    living = sum(not one.archived for one in plans.values())
    return (
        (plan.title, "the only one", "high") if living == 1 else (plan.title, "the plan that most jobs use", "medium")
    )


def _as_sure_as_its_cells(guess: Guess, cells: Mapping[str, Guess]) -> Guess:
    """The guess of a new job, which takes its team, its location and its plan with it: as sure as the least of them."""
    word, reason, sure = guess
    weak = {name: one for name, one in cells.items() if one[2] != "high"}
    told = [reason, *(f"{name}: {why}" for name, (_, why, _) in weak.items())]
    return word, "; ".join(told), min((sure, *(one[2] for one in weak.values())), key=_SURENESS.index)


def _guess(
    posting: Item, same: list[Item], jobs: list[Item], standard: Plan | None
) -> tuple[tuple[str, str, str], Plan | None]:
    """(guess, plan of a new job); `jobs` are those that are not archived."""
    if not posting:
        reason = "candidacies name it, but Lever does not list it: deleted, or hidden from the key"
        return ("skip", reason, "low"), None
    if posting.get("state") == "deleted":
        reason = "deleted in Lever; its candidacies follow the policy; `new` would make a closed job"
        return ("skip", reason, "medium"), standard
    archived = [job for job in same if job not in jobs]
    same = [job for job in same if job in jobs]
    if archived and not same:
        return ("new", "the job of the same title, team and location is archived in Ashby", "low"), standard
    if len(same) == 1:
        title = clean(same[0].get("title"))
        unique = sum(clean(job.get("title")).casefold() == title.casefold() for job in jobs) == 1
        reason = "a job of the same title, team and location"
        return (title if unique else same[0]["id"], reason, "high"), None
    reason = "no job of the same title, team and location" if not same else f"{len(same)} jobs are alike"
    return ("new", reason, "high" if not same else "low"), standard


def _guess_confidential(source: Source) -> tuple[str, str, str]:
    """A confidential posting without a job in Ashby: a person has to make one."""
    if not source.settings.include_confidential:
        return "skip", "confidential in Lever, and out of scope", "high"
    return "", "confidential in Lever: make the job in Ashby, tick confidential, and name it here", "high"


def _same_job(posting: Item, jobs: list[Item], names: Mapping[str, str], *, team: str, place: str) -> list[Item]:
    wanted = (name_key(clean(posting.get("text"))), name_key(team), name_key(place))
    return [
        job for job in jobs
        if wanted == (
            name_key(clean(job.get("title"))),
            names.get(str(job.get("departmentId")), ""),
            names.get(str(job.get("locationId")), ""),
        )
    ]  # fmt: skip


def _standard_plan(plans: Mapping[str, Plan], jobs: list[Item]) -> Plan | None:
    """The living plan that most jobs use; the first by title when none is used."""
    living = [plan for plan in plans.values() if not plan.archived]
    uses = [str(job.get("defaultInterviewPlanId")) for job in jobs]
    return min(living, key=lambda plan: (-uses.count(plan.ashby_id), plan.title), default=None)


def _plan_of(verdict: Mapping[str, str], plans: Mapping[str, Plan], jobs: list[Item]) -> str:
    """The plan that a posting's verdicts name: its own column first, else the plan of the job they name."""
    wanted = verdict.get("plan_verdict", "").casefold()
    for plan in plans.values():
        if wanted and wanted in (plan.ashby_id, plan.title.casefold()):
            return plan.ashby_id
    named = verdict["verdict"].casefold()
    for job in jobs:
        if named and named in (job["id"], clean(job.get("title")).casefold()):
            return str(job.get("defaultInterviewPlanId") or "")
    return ""


def stages(source: Source, found: Scan, *, used: Mapping[str, str], tables: Mapping[str, Any]) -> Rows:
    """Rows of stages.csv: each stage of Lever in each interview plan that a posting uses, in Lever's order.

    And those that somebody has added for one posting (`<posting>/<stage>`): its records count there and not at the
    plan. `share` is that of all stage records in the plan: what a `history note` leaves out of Ashby's history.
    """
    plans, pool = target.plans(source.reader), _pool_plan(source)
    plan_of = {posting: used.get(posting) or ("" if posting else pool) for posting in [*used, ""]}
    ids = list(source.stages) + sorted({stage for _, stage in found.stages} - set(source.stages))
    own = {one for one in _places(tables) if one[0] and plan_of.get(one[0], "") in plans and one[1] in ids}
    counts, totals = Counter[tuple[str, str]](), Counter[str]()
    for (posting, stage), count in found.stages.items():
        plan_id = plan_of.get(posting, "")
        counts[posting if (posting, stage) in own else plan_id, stage] += count
        totals[plan_id] += count
    made = []
    for plan_id in sorted(plan_id for plan_id in totals if plan_id in plans):
        places = [(plan_id, stage) for stage in ids]
        places += sorted(place for place in own if plan_of[place[0]] == plan_id)
        for where, stage in places:
            guess = _stage(source, stage, plans[plan_id], share=ids.index(stage) / max(len(ids) - 1, 1))
            about = {"plan": plans[plan_id].title, "pipeline": source.pipelines.get(stage, "")}
            about["plan"] += f", posting {source.title(where)}" if where != plan_id else ""
            kinds, n_records = {one.title: one.type for one in plans[plan_id].stages}, counts[where, stage]
            about |= {"ashby_type": kinds.get(guess[0], ""), "share": f"{n_records / (totals[plan_id] or 1):.1%}"}
            label = source.stages.get(stage) or "(no longer in Lever)"
            made.append(row(f"{where}/{stage}", label, *guess, n_records, **about))
    return made


def _places(tables: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(plan or posting, stage) of the rows of stages.csv as they stand: somebody may have added some by hand."""
    rows = tables["stages"].rows if "stages" in tables else []
    return {(one["id"].partition("/")[0], one["id"].partition("/")[2]) for one in rows}


def _pool_plan(source: Source) -> str:
    wanted = source.settings.talent_pool_job.casefold()
    if source.settings.without_posting != "talent_pool" or not wanted:
        return ""
    jobs = source.reader.ashby("jobs")
    found = [job for job in jobs if wanted in (job["id"], clean(job.get("title")).casefold())]
    return str(found[0].get("defaultInterviewPlanId") or "") if len(found) == 1 else ""


def _stage(source: Source, stage: str, plan: Plan, *, share: float) -> tuple[str, str, str]:
    """A stage of the type that fits Lever's pipeline group, by name, else by its place in the order."""
    if stage not in source.stages:
        return "history note", "Lever no longer has this stage", "high"
    types = _TYPES.get(source.pipelines.get(stage, ""), ())
    fitting = [one for one in plan.stages if one.type in types]
    fitting = fitting or [one for one in plan.stages if one.type not in ("Archived", "Hired")]
    if not fitting:
        return "history note", "the plan has no stage for it", "low"
    if len(fitting) == 1:
        return fitting[0].title, f"the only stage of type {fitting[0].type}", "high"
    labels = {one.ashby_id: _core(one.title) for one in fitting}
    picked, _, score, margin = best_matches(_core(source.stages[stage]), labels, n=1)[0]
    title = next(one.title for one in fitting if one.ashby_id == picked)
    if score >= 0.6 and margin >= 0.03:
        return title, f"likely by name and type ({score:.2f})", "high" if score > 0.9 else "medium"
    nearest = fitting[min(round(share * (len(fitting) - 1)), len(fitting) - 1)]
    return nearest.title, "by its type and its place in the order; no name is like it", "low"


def _core(label: str) -> str:
    """A stage title without the words that every stage has: `On-site interview` and `Onsite` are one."""
    words = label.casefold().replace("on-site", "onsite").replace("on site", "onsite").split()
    return " ".join(word for word in words if word not in ("interview", "interviews", "stage", "round")) or label
