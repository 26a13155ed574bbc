"""Put the company together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sandbox.company import catalog, children, history, meetings, papers, templates
from sandbox.company import people as persons
from sandbox.company.model import Company, Record
from sandbox.company.shape import Shape


def build(*, seed: int, people: int, shape: Shape | None = None) -> Company:
    """Return the company of a seed with that many human beings; the same arguments give the same bytes."""
    company = Company(seed=seed, shape=shape or Shape())
    catalog.fill(company)
    templates.fill(company)
    drafts = persons.fill(company, max(1, people))
    history.fill(company, drafts)
    meetings.fill(company)
    children.fill(company)
    papers.fill(company)
    history.move_after_closing(company)
    _settle(company)
    return company


def _settle(company: Company) -> None:
    """Bring the dates of last activity and the counts of tags and sources in line with the content."""
    for opportunity in company.opportunities:
        latest = max([opportunity["lastInteractionAt"], *_activity(company, opportunity["id"])])
        opportunity["lastInteractionAt"] = latest
        old = latest < history.JUNE_2020_MS
        changed = company.rng(f"updated:{opportunity['id']}").random()
        opportunity["updatedAt"] = None if old and changed < 0.9 else latest + int(changed * 1000)
    company.tags = counted(item["tags"] for item in company.opportunities)
    company.sources = counted(item["sources"] for item in company.opportunities)


def _activity(company: Company, opportunity_id: str) -> list[int]:
    """Times of notes and feedback: those move ``lastInteractionAt`` (observed)."""
    times = [field["createdAt"] for note in company.notes.get(opportunity_id, ()) for field in note["fields"]]
    return times + [form["createdAt"] for form in company.feedback.get(opportunity_id, ())]


def counted(lists: Iterable[list[str]]) -> list[Record]:
    """Texts with how many opportunities carry them, in alphabetical order as Lever lists them."""
    counts: Counter[str] = Counter()
    for items in lists:
        counts.update(set(items))
    return [{"text": text, "count": counts[text]} for text in sorted(counts, key=lambda text: (text.lower(), text))]
