"""Harmless questions about what the vendors' references leave open, each with what this account has answered.

Nothing hangs on the answers: the workbook is right either way (docs/unknowns.md). They are kept so that a person can
tell why a run did what it did, and what to ask the vendors. Every question is one read; none writes, or tells anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from lib.ashby import Ashby
from lib.errors import ApiError, RejectedError, UnauthorizedError
from lib.lever import Lever, Query

Row = dict[str, Any]
Item = Mapping[str, Any]
Question = tuple[str, str, Callable[[], str]]  # what is not known, what is asked, how the answer is told
NOBODY = "nobody@workbook.invalid"  # a domain that cannot be (RFC 2606)
FEW = 10  # times from which on it means something that none has milliseconds


def lever_behaviour(lever: Lever, opportunities: Iterable[Item]) -> list[Row]:
    """{side, question, asked, told} of Lever; `opportunities` are those that were read."""
    return list(_answers("Lever", _of_lever(lever, opportunities)))


def ashby_behaviour(ashby: Ashby, candidates: Iterable[Item]) -> list[Row]:
    """The same of Ashby; `candidates` are those that were read, one of whom is looked for."""
    return list(_answers("Ashby", _of_ashby(ashby, candidates)))


def _answers(side: str, questions: Iterable[Question]) -> Iterator[Row]:
    for question, asked, ask in questions:
        try:
            answer = ask()
        except UnauthorizedError as error:
            if error.status == 401:
                raise
            answer = "the key may not ask"
        except RejectedError as error:
            answer = f"refused ({error.status}{f' {error.code}' if error.code else ''})"
        except ApiError:
            answer = "no usable answer"
        yield {"side": side, "question": question, "asked": asked, "told": answer}


def _of_lever(lever: Lever, opportunities: Iterable[Item]) -> Iterator[Question]:
    one = unchanged = None
    for item in opportunities:
        if item.get("confidentiality") == "confidential":  # not in lists that do not ask for it
            continue
        one = one or (item if item.get("applications") else None)
        unchanged = unchanged or (item if item.get("updatedAt") is None and item.get("createdAt") else None)
        if one and unchanged:
            break

    def first(*query: tuple[str, str]) -> list[Item]:
        return _items(lever.get("/opportunities", [("limit", "1"), *query]))

    yield (
        "Is an unknown name in expand ignored?",
        "GET /opportunities, expand=workbook_probe",
        lambda: f"taken; {len(first(('expand', 'workbook_probe')))} record answered",
    )
    if one is not None:
        yield (
            "Does expand take several names with commas?",
            "GET /opportunities/{id}, expand=contact,applications",
            lambda: _expanded(lever, str(one["id"])),
        )
    if unchanged is not None:
        yield (
            "Does updated_at_start answer with records whose updatedAt is empty?",
            "GET /opportunities, the moment at which one of them was made, updated_at_start=0",
            lambda: _unchanged(lever, unchanged),
        )
    for name in ("postings", "applications"):
        yield (
            f"Do the deleted {name} want both bounds?",
            f"GET /{name}/deleted without bounds",
            lambda name=name: f"no: {len(_items(lever.get(f'/{name}/deleted', [('limit', '1')])))} answered without",
        )


def _items(answer: Any) -> list[Item]:
    data = answer.get("data", []) if isinstance(answer, dict) else answer
    return data if isinstance(data, list) else [data]


def _expanded(lever: Lever, lever_id: str) -> str:
    item = lever.one(f"/opportunities/{lever_id}", [("expand", "contact,applications")])
    whole = [name for name in ("contact", "applications") if _is_whole(item.get(name))]
    return f"expanded: {', '.join(whole)}" if whole else "ignored: nothing is expanded"


def _is_whole(value: Any) -> bool:
    several = value if isinstance(value, list) else [value]
    return bool(several) and all(isinstance(one, dict) for one in several)


def _unchanged(lever: Lever, item: Item) -> str:
    at = int(item["createdAt"])
    query: Query = [("created_at_start", str(at)), ("created_at_end", str(at + 1)), ("updated_at_start", "0")]
    query.append(("limit", "100"))
    found = any(one.get("id") == item["id"] for one in _items(lever.get("/opportunities", query)))
    return "yes" if found else "no: they are left out"


def _of_ashby(ashby: Ashby, candidates: Iterable[Item]) -> Iterator[Question]:
    mailed = named = None
    n_times = n_exact = 0
    for one in candidates:
        mailed = mailed or (one if _mail(one) and _mail(one) != _mail(one).upper() else None)
        named = named or (one if len(str(one.get("name") or "").split()) > 1 else None)
        if one.get("createdAt"):
            n_times += 1
            n_exact += datetime.fromisoformat(one["createdAt"]).microsecond > 0
    yield (
        "Are unknown members of a body ignored?",
        "candidate.search for an address that cannot be, with a member that no reference knows",
        lambda: f"yes; {len(_found(ashby, {'email': NOBODY, 'workbookProbe': True}))} answered",
    )
    yield (
        "Is createdBefore known to candidate.list?",
        "candidate.list, limit 1, createdBefore the year 1970",
        lambda: _created_before(ashby),
    )
    if mailed is not None:
        capitals = {"email": _mail(mailed).upper()}
        yield (
            "Does candidate.search mind capitals in an address?",
            "candidate.search for one of those who are there, in capitals",
            lambda: "no" if _is_among(mailed, _found(ashby, capitals)) else "yes: nobody was found",
        )
    if named is not None:
        word = {"name": str(named["name"]).split()[0]}
        yield (
            "Does candidate.search find a name by one word of it?",
            "candidate.search for the first word of a name of one of those who are there",
            lambda: "yes" if _is_among(named, _found(ashby, word)) else "no: only by the whole name, or too many",
        )
    if n_times >= FEW:
        yield (
            "Are times kept to the millisecond?",
            f"createdAt of {n_times:,} candidates who are there",
            lambda: f"{n_exact:,} have milliseconds" if n_exact else "none has milliseconds",
        )
    yield (
        "May one person have two applications on one job?",
        "application.list, one page: whether somebody has",
        lambda: _two_on_one_job(ashby),
    )
    yield (
        "Does Ashby tell how many calls are left?",
        "the headers of these answers",
        lambda: "yes, in x-ratelimit-remaining" if ashby.tells_allowance else "no",
    )


def _found(ashby: Ashby, body: Row) -> list[Item]:
    results = ashby.ask("candidate.search", body).results
    return results if isinstance(results, list) else []


def _created_before(ashby: Ashby) -> str:
    results = ashby.ask("candidate.list", {"limit": 1, "createdBefore": 1}).results
    return "no, it is ignored: somebody was answered" if results else "yes, or there is nobody"


def _two_on_one_job(ashby: Ashby) -> str:
    """What is seen of it in a page of applications: that nobody has proves nothing."""
    results = ashby.ask("application.list", {"limit": 100}).results
    items = results if isinstance(results, list) else []
    told = (tuple(str((one.get(name) or {}).get("id") or "") for name in ("candidate", "job")) for one in items)
    pairs = Counter(pair for pair in told if all(pair))
    several = sum(n > 1 for n in pairs.values())
    return f"yes: {several:,} in {len(items):,} applications" if several else f"not seen in {len(items):,} applications"


def _is_among(wanted: Item, found: Iterable[Item]) -> bool:
    return any(one.get("id") == wanted.get("id") for one in found)


def _mail(candidate: Item) -> str:
    primary = candidate.get("primaryEmailAddress") or {}
    return str(primary.get("value") or "") if isinstance(primary, dict) else ""
