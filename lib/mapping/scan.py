"""One pass over everything that may move: how many records hang on each stage, reason, source, user, tag and form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lib.mapping import feedback_fields, scope
from lib.mapping.catalog import Question, add_options, count_questions, forms_of, question_key, sorted_questions
from lib.mapping.settings import settings
from lib.mapping.source import Item, Reader, Source, clean, ident

NO_TEMPLATE = "none"
"""Stands for "feedback without a template" in feedback_forms.csv."""

__all__ = ["NO_TEMPLATE", "Scan", "credited", "forms_of", "own_words", "question_key", "scan", "scanned", "stage_ids"]


@dataclass
class Scan:
    """Counts of references in records that are in scope; `confidential` are the postings of confidential ones.

    `questions` are those of profile forms, applications and referrals, `feedback` those of feedback forms.
    """

    postings: Counter[str] = field(default_factory=Counter)
    confidential: set[str] = field(default_factory=set)
    stages: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    automatic: Counter[str] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)
    template_titles: dict[str, str] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    feedback: dict[tuple[str, str], Question] = field(default_factory=dict)


def scanned(reader: Reader, *, policy: Any, now_ms: int) -> Scan:
    """The counts that proposals and verdicts both need; `now_ms` is the moment against which consent expires."""
    return scan(Source(reader, settings(policy), now_ms))


def scan(source: Source) -> Scan:
    """Count all references of opportunities that may move, and of their feedback and forms.

    ConfigError when the scope names something that does not occur in this account.
    """
    found, asked, refused = Scan(), dict[str, Question](), dict[str, bool]()
    found.confidential = {key for key, item in source.postings.items() if item.get("confidentiality") == "confidential"}
    named = scope.Named(source.settings, source.postings)
    for opportunity in source.reader.all("opportunities"):
        named.count(source.posting(opportunity), opportunity.get("tags") or [])
        if source.never(opportunity) or _refused(source, opportunity, refused):
            continue
        _count_opportunity(found, source, opportunity)
        _count_feedback(found, source, opportunity)
        count_questions(asked, source, opportunity)
    named.check()
    found.questions = sorted_questions(asked, source)
    for template in source.reader.all("feedback_templates"):
        for item in template.get("fields") or []:
            add_options(found.feedback.get((template["id"], clean(item.get("text")).casefold())), item)
    return found


def _refused(source: Source, opportunity: Item, known: dict[str, bool]) -> bool:
    """Whether consent keeps the contact out: what one opportunity denies, a newer one may allow."""
    if not source.refusal([opportunity]):
        return False
    contact = ident(opportunity.get("contact"))
    if contact not in known:
        known[contact] = bool(source.refusal(source.opportunities(contact) or [opportunity]))
    return known[contact]


def _count_opportunity(found: Scan, source: Source, opportunity: Item) -> None:
    posting = source.posting(opportunity)
    found.postings[posting] += 1
    if source.confidential(opportunity):
        found.confidential.add(posting)
    for stage in stage_ids(opportunity):
        found.stages[posting, stage] += 1
    reason = source.reason(opportunity)
    if reason:
        found.reasons[reason] += 1
    names = [clean(name) for name in opportunity.get("sources") or [] if clean(name)]
    for name in names or [f"origin:{opportunity.get('origin') or 'none'}"]:
        found.sources[name] += 1
    user = ident(credited(source, opportunity)[1])
    if user:
        found.users[user] += 1
    own = own_words(source, posting)
    for tag in dict.fromkeys(clean(tag) for tag in opportunity.get("tags") or []):
        found.tags[tag] += 1
        found.automatic[tag] += tag in own


def _count_feedback(found: Scan, source: Source, opportunity: Item) -> None:
    for feedback in source.children("feedback", opportunity):
        if feedback.get("deletedAt") or not feedback.get("completedAt"):
            continue
        template = ident(feedback.get("baseTemplateId")) or NO_TEMPLATE
        found.templates[template] += 1
        found.template_titles.setdefault(template, clean(feedback.get("text")))
        feedback_fields.count(found.feedback, template, feedback)
        if ident(feedback.get("user")):
            found.users[ident(feedback["user"])] += 1


def stage_ids(opportunity: Item) -> list[str]:
    """Each stage an opportunity names, in its changes and as its current one, once."""
    changes = [ident(change.get("toStageId")) for change in opportunity.get("stageChanges") or []]
    return list(dict.fromkeys(stage for stage in [*changes, ident(opportunity.get("stage"))] if stage))


def credited(source: Source, opportunity: Item) -> tuple[str, object]:
    """(role, user) who deserves the credit: who sourced, else who referred, else the owner.

    The user of an application of type `user` only typed it in (observed) and is never credited. Where somebody has
    referred whom Lever does not know as a user, nobody is: the name stands in the form's note.
    """
    if ident(opportunity.get("sourcedBy")):
        return "sourced by", opportunity["sourcedBy"]
    for referral in source.children("referrals", opportunity):
        if ident(referral.get("referrer")):
            return "referred by", referral["referrer"]
    application = source.application(opportunity) or {}
    if application.get("type") == "referral" and ident(application.get("user")):
        return "referred by", application["user"]
    if opportunity.get("origin") == "referred" or source.children("referrals", opportunity):
        return "referred by", None
    return "owner", opportunity.get("owner")


def own_words(source: Source, posting: str) -> set[str]:
    """Texts that Lever adds as tags by itself (observed): the posting's title, team, department, place, commitment."""
    found = source.postings.get(posting)
    if not found:
        return set()
    categories = found.get("categories") or {}
    words = [found.get("text"), *(categories.get(name) for name in ("team", "department", "location", "commitment"))]
    return {clean(word) for word in words if clean(word)}
