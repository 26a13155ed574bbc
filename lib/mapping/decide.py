"""From verdicts to ids: every decision of the tables, checked against the target."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from lib.errors import GateError
from lib.mapping import decide_feedback, decide_fields, lessons, target
from lib.mapping.book import NEW, Book
from lib.mapping.model import HIRED, Decisions, Job, Plan, Tag
from lib.mapping.scan import Scan, scan
from lib.mapping.settings import Settings, settings
from lib.mapping.shown import by_row_id, row_id
from lib.mapping.source import Reader, Source, clean
from lib.mapping.target import Option

SKIP = "skip"
NONE = "none"
HISTORY_NOTE = "history note"


def decide(
    tables: Mapping[str, Any], reader: Reader, *, policy: Any, now_ms: int | None = None, found: Scan | None = None,
    people: tuple[Sequence[str], str] = ((), ""),
) -> Decisions:  # fmt: skip
    """Resolve all verdicts. GateError lists every problem at once: file and line, value, nearest valid values.

    `tables` is {name: DecisionTable}; `now_ms` is the moment against which consent expires (default: the clock);
    `found` is what `scanned` has found, where that is known already; `people` is what is open in people.csv, and what
    to do about it: it stops the plan as well, and is told with the rest.
    """
    given = settings(policy)
    source = Source(reader, given, now_ms if now_ms is not None else time.time_ns() // 1_000_000)
    found, book, plans = found or scan(source), Book(tables), target.plans(reader)
    hidden = frozenset() if given.confidential_as_new else frozenset(found.confidential)
    jobs = _jobs(book, reader, plans, hidden=hidden)
    talent_pool = _talent_pool(book, reader, given, plans)
    known = source.stages | {stage: stage for _, stage in found.stages if stage not in source.stages}
    stages = _stages(book, plans, jobs, known=known)
    reasons = _reasons(book, reader)
    users = reader.ashby("users")
    questions, custom_fields = decide_fields.decide(book, reader, found.questions)
    forms = decide_feedback.forms(book, reader)
    made = Decisions(
        plans=plans,
        stages=stages,
        archive_reasons=reasons,
        sources=_sources(book, reader, by_row_id(found.sources)),
        users=_plain(book, "users", [Option(user["id"], user["id"]) for user in users], what="user id"),
        enabled_users=frozenset(user["id"] for user in users if user.get("isEnabled")),
        jobs=jobs,
        tags=_tags(book, reader, by_row_id(found.tags)),
        questions=questions,
        custom_fields=custom_fields,
        feedback_forms=forms,
        feedback_fields=decide_feedback.places(book, forms, found.feedback),
        used_postings=frozenset(found.postings),
        placeholder_user=_placeholder(book, users, given),
        talent_pool=talent_pool,
        confirmed=_confirmed(book),
        lessons=lessons.decided(book),
    )
    _coverage(book, made, found, source)
    book.problems[:0] = people[0]
    if book.problems:
        count = len(book.problems)
        raise GateError(
            f"{count} decision{'s are' if count > 1 else ' is'} open or cannot be used:\n" + "\n".join(book.shown()),
            hint=f"\nFill in the column `verdict` and run this step again. {people[1]}".rstrip(),
        )
    return made


def _plain(book: Book, name: str, options: Sequence[Option], *, what: str) -> dict[str, str]:
    """{id: Ashby id, or "" for the verdict "none"} of a table whose verdicts are ids or labels."""
    return {
        row["id"]: "" if verdict.casefold() == NONE else book.pick(
            name, line, verdict, options=options, what=what
        )
        for line, row, verdict in book.decided(name)
    }  # fmt: skip


def _sources(book: Book, reader: Reader, texts: Mapping[str, str]) -> dict[str, str]:
    """{text of a source: Ashby id or ""}."""
    options = target.options(reader.ashby("sources"), label="title")
    return {texts.get(key, key): value for key, value in _plain(book, "sources", options, what="source").items()}


def _stages(
    book: Book, plans: Mapping[str, Plan], jobs: Mapping[str, Job | None], *, known: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    """{(interview plan or posting, stage of Lever): stage of Ashby, or ""}; `known` is {stage of Lever: text}."""
    made = {}
    for line, row, verdict in book.decided("stages"):
        plan_id, _, stage_id = row["id"].partition("/")
        job = jobs.get(plan_id)
        plan = plans.get(job.plan_id if job else plan_id)
        if plan_id in jobs and stage_id not in known:
            options = [Option(one, text) for one, text in known.items()]
            near = book.nearest(stage_id, options)
            book.problem(
                "stages", line, f"{stage_id!r} after the posting is no stage of Lever (its id); nearest: {near}."
            )
        elif plan is None and plan_id in jobs:
            continue  # a posting that becomes no job, or whose plan is a problem of postings.csv
        elif plan is None:
            book.problem("stages", line, f"{plan_id!r} is no interview plan in Ashby, and no posting in Lever.")
        elif verdict.casefold() == HISTORY_NOTE:
            made[plan_id, stage_id] = ""
        else:
            options = target.stage_options(plan)
            picked = book.pick("stages", line, verdict, options=options, what=f"stage of the plan {plan.title!r}")
            if any(stage.ashby_id == picked and stage.type == "Archived" for stage in plan.stages):
                book.problem("stages", line, f"{verdict!r} is of type Archived: only archiving leads there.")
            made[plan_id, stage_id] = picked
    return made


def _reasons(book: Book, reader: Reader) -> dict[str, str]:
    options = target.options(reader.ashby("archive_reasons"), label="text")
    return {
        row["id"]: HIRED if verdict.casefold() == HIRED else book.pick(
            "archive_reasons", line, verdict, options=options, what="archive reason"
        )
        for line, row, verdict in book.decided("archive_reasons")
    }  # fmt: skip


def _confirmed(book: Book) -> frozenset[str]:
    rows = [row for _, row in book.rows("people") if row.get("verdict", "").strip().casefold() == "same"]
    return frozenset(part for row in rows for part in row["id"].split("|"))


def _tags(book: Book, reader: Reader, texts: Mapping[str, str]) -> dict[str, Tag]:
    """{text of a tag: what becomes of it}."""
    special = {"keep": False, "keep manual": True}
    names = {clean(tag.get("title")) for tag in reader.ashby("tags")} | set(texts.values())
    folded = {name.casefold() for name in names}
    living = {clean(tag.get("title")) for tag in reader.ashby("tags") if not tag.get("isArchived")}
    written = {name.casefold(): name for name in sorted(living)}
    made = {}
    for line, row, verdict in book.decided("tags"):
        word = verdict.casefold()
        text = texts.get(row["id"], row["id"])
        title = "" if word == "drop" else text if word in special else verdict
        if word.startswith(NEW):
            title = verdict[len(NEW) :].strip()
        elif title == verdict and word in written:
            title = verdict if verdict in living else written[word]
        elif title == verdict and word not in folded and verdict != row.get("proposal"):
            book.is_meant("tags", line, verdict, known=names | {"drop", *special}, what="tag")
        made[text] = Tag(title, special.get(word, False))
    titles: dict[str, str] = {}
    for tag_id, tag in sorted(made.items()):
        first = titles.setdefault(tag.title.casefold(), tag.title)
        made[tag_id] = Tag(first, tag.manual_only)
    return made


def _jobs(book: Book, reader: Reader, plans: Mapping[str, Plan], *, hidden: frozenset[str]) -> dict[str, Job | None]:
    """The job of each posting; `hidden` are the postings whose job must be confidential in Ashby."""
    existing = {item["id"]: item for item in reader.ashby("jobs")}
    options = [
        Option(item["id"], str(item.get("title")), item.get("status") == "Archived") for item in existing.values()
    ]
    teams = target.options(reader.ashby("departments"), label="name")
    places = target.options(reader.ashby("locations"), label="name")
    made: dict[str, Job | None] = {}
    for line, row, verdict in book.decided("postings"):
        word = verdict.casefold()
        if word == SKIP:
            made[row["id"]] = None
        elif word == "new" and row["id"] in hidden and (what := _still_open(reader, row["id"])):
            book.problem("postings", line, what)
        elif word == "new":
            cells = [
                _cell(book, line, row, "team_verdict", options=teams, what="department or team"),
                _cell(book, line, row, "location_verdict", options=places, what="location"),
                _cell(book, line, row, "plan_verdict", options=target.plan_options(dict(plans)), what="interview plan"),
            ]
            made[row["id"]] = Job(row["id"], cells[2], "", cells[0], cells[1])
        else:
            job_id = book.pick("postings", line, verdict, options=options, what="job")
            if row["id"] in hidden and existing.get(job_id, {}).get("confidential") is False:
                book.problem("postings", line, _TICK_IT)
            plan_id = _existing_plan(book, line, row, existing.get(job_id, {}), plans) if job_id else ""
            made[row["id"]] = Job(row["id"], plan_id, job_id)
    return made


def _still_open(reader: Reader, posting: str) -> str:
    """What is to be done about the new job of a confidential posting; "" when its job is there and confidential.

    A posting may turn confidential after its job was made.
    """
    ask = getattr(reader, "ashby_id", None)
    made = ask("job", posting) if ask else ""
    if not made:
        return _MAKE_IT
    jobs = {item["id"]: item for item in getattr(reader, "standing_too", reader.ashby)("jobs")}
    return "" if jobs.get(made, {}).get("confidential") else _TICK_OURS


_MAKE_IT = (
    "the posting is confidential in Lever, and the API cannot make a job confidential: make the job in Ashby, tick "
    "confidential, and put its id or title into the verdict (or set policy.confidential_as_new)."
)
_TICK_OURS = (
    "the posting has become confidential in Lever, and the job that was made for it is not confidential in Ashby: tick "
    "it there, and keep the verdict (or set policy.confidential_as_new)."
)
_TICK_IT = (
    "the posting is confidential in Lever, and that job is not confidential in Ashby: tick it there "
    "(or set policy.confidential_as_new)."
)


def _cell(book: Book, line: int, row: Mapping[str, str], name: str, *, options: Sequence[Option], what: str) -> str:
    verdict = row.get(name, "").strip()
    if not verdict:
        book.problem("postings", line, f"a new job needs a {what} in the column {name}.")
        return ""
    return book.pick("postings", line, verdict, options=options, what=what, column=name)


def _existing_plan(
    book: Book, line: int, row: Mapping[str, str], job: Mapping[str, Any], plans: Mapping[str, Plan]
) -> str:
    verdict = row.get("plan_verdict", "").strip()
    known = [one for one in target.plan_options(dict(plans)) if one.ashby_id in (job.get("interviewPlanIds") or [])]
    if verdict:
        what = "interview plan of that job"
        return book.pick(
            "postings", line, verdict, options=known, what=what, allow_archived=True, column="plan_verdict"
        )  # fmt: skip
    plan_id = job.get("defaultInterviewPlanId") or ""
    if plan_id not in plans:
        book.problem("postings", line, "that job has no interview plan that Ashby lists; give it one, or name another.")
    return plan_id


def _placeholder(book: Book, users: Sequence[Mapping[str, Any]], given: Settings) -> str:
    """The enabled user that the policy names by id or e-mail; "" without one."""
    if not given.placeholder_user.strip():
        return ""
    found = target.users_called(users, given.placeholder_user)
    if len(found) != 1 or not found[0].get("isEnabled"):
        what = "that user is deactivated" if found else "no user has that id or e-mail"
        book.problems.append(f"policy.placeholder_user: {what} in Ashby; invite one, or leave the policy empty.")
        return ""
    return str(found[0]["id"])


def _talent_pool(book: Book, reader: Reader, given: Settings, plans: Mapping[str, Plan]) -> Job | None:
    if given.without_posting != "talent_pool":
        return None
    wanted = given.talent_pool_job.casefold()
    jobs = [job for job in reader.ashby("jobs") if wanted in (job["id"], str(job.get("title")).casefold()) and wanted]
    if len(jobs) != 1 or jobs[0].get("defaultInterviewPlanId") not in plans:
        book.problems.append(
            f"policy.talent_pool_job: {len(jobs)} jobs of that id or title; one, with an interview plan, is needed."
        )
        return None
    return Job("", jobs[0]["defaultInterviewPlanId"], jobs[0]["id"])


def _coverage(book: Book, made: Decisions, found: Scan, source: Source) -> None:
    """Everything that records refer to has a decision: also in plans and rows that came up since the proposals."""
    known: list[tuple[str, Mapping[str, Any], Mapping[str, int]]] = [
        ("archive_reasons", made.archive_reasons, found.reasons),
        ("sources", made.sources, found.sources),
        ("tags", made.tags, found.tags),
        ("feedback_forms", made.feedback_forms, found.templates),
        ("postings", made.jobs, {key: count for key, count in found.postings.items() if key}),
    ]
    open_ids = {(name, row["id"]) for name, *_ in known for _, row in book.rows(name) if _needed(row)}
    for name, decisions, counts in known:
        for key in sorted(counts):
            shown = row_id(key) if name in ("sources", "tags") else key
            if key not in decisions and (name, shown) not in open_ids:
                book.missing(name, shown, n_records=counts[key])
    _stage_coverage(book, made, found, source)


def _needed(row: Mapping[str, str]) -> bool:
    return row.get("n_records") not in ("0", "", None)


def _stage_coverage(book: Book, made: Decisions, found: Scan, source: Source) -> None:
    needs: dict[str, int] = {}
    for (posting, stage), count in found.stages.items():
        job = made.jobs.get(posting) if posting else made.talent_pool
        if job and job.plan_id and (posting, stage) not in made.stages:
            key = f"{job.plan_id}/{stage}"
            needs[key] = needs.get(key, 0) + count
    open_ids = {row["id"] for _, row in book.rows("stages") if _needed(row)}
    for key in sorted(needs):
        plan_id, _, stage = key.partition("/")
        if (plan_id, stage) not in made.stages and key not in open_ids:
            book.missing("stages", key, n_records=needs[key])
    used = {job.plan_id for job in [*made.jobs.values(), made.talent_pool] if job and job.plan_id}
    for plan in (made.plans[plan_id] for plan_id in sorted(used) if plan_id in made.plans):
        for kind in ("Hired", "Archived"):
            if found.reasons and plan.first(kind) is None:
                book.problems.append(f"the interview plan {plan.title!r} has no stage of type {kind}; Ashby needs one.")
