"""The audit: what is counted, what is red, what the forecast says; no request is made here."""

from types import SimpleNamespace

import pytest

from lib import audit
from lib.errors import (
    ContractError,
    GateError,
    NotFoundError,
    RejectedError,
    UnauthorizedError,
    UnavailableError,
)


class Reader:
    """Streams and Ashby objects from plain lists."""

    def __init__(self, streams: dict, ashby: dict | None = None) -> None:
        self._streams, self._ashby = streams, ashby or {}

    def all(self, stream: str):
        return iter(self._streams.get(stream, []))

    def count(self, stream: str) -> int:
        return len(self._streams.get(stream, []))

    def of(self, stream: str, parent_id: str):
        return [one for one in self._streams.get(stream, []) if one.get("parent") == parent_id]

    def count_parents(self, stream: str):
        return len({one["contact"]["id"] for one in self._streams.get(stream, [])})

    def ashby(self, kind: str):
        return self._ashby.get(kind, [])


def opportunity(lever_id: str, contact: str, **more: object) -> dict:
    return {"id": lever_id, "contact": {"id": contact}, "applications": [{"id": "a"}], "updatedAt": 1, **more}


READER = Reader(
    {
        "archive_reasons": [{"id": "h", "type": "hired"}, {"id": "n", "type": "non-hired"}],
        "opportunities": [
            opportunity("1", "p"),
            opportunity("2", "p", archived={"reason": "h"}),
            opportunity("3", "q", archived={"reason": "n"}, confidentiality="confidential"),
            opportunity("4", "r", applications=[], updatedAt=None, isAnonymized=True),
        ],
        "postings": [{"id": "x", "state": "closed"}],
        "users": [{"id": "u", "deactivatedAt": 5}, {"id": "v", "deactivatedAt": None}],
        "notes": [{"id": "n1", "parent": "1"}, {"id": "n2", "parent": "1"}],
        "resumes": [{"id": "r1", "parent": "1", "file": {"size": 100}}, {"id": "r2", "parent": "1", "file": None}],
    }
)


def test_the_inventory_counts_people_and_every_kind_of_opportunity() -> None:
    counts = {(row["object"], row["group"]): row["n_objects"] for row in audit.inventory(READER)}
    assert counts["contacts", "all"] == 3
    assert [counts["opportunities", name] for name in ("all", "active", "hired", "archived")] == [4, 2, 1, 1]
    assert counts["opportunities", "confidential"] == 1
    assert counts["opportunities", "without posting"] == 1
    assert counts["opportunities", "anonymised"] == 1
    assert counts["users", "deactivated"] == 1


@pytest.mark.parametrize(
    ("n_people", "history", "has_keys", "route"),
    [
        (300, False, True, "CSV import"),
        (300, True, True, "this workbook"),
        (50_000, True, True, "this workbook"),
        (300, False, False, "CSV import"),
        (50_000, False, False, "Ashby's file import from Lever's own export"),
        (300, True, False, "this workbook, from export files"),
    ],
)
def test_the_route_follows_size_history_and_keys(n_people: int, history: bool, has_keys: bool, route: str) -> None:
    assert audit.route(n_people, history=history, has_keys=has_keys)["route"] == route


FULL_TARGET = {
    "interview_plans": [{"id": "i", "title": "Plan", "stages": [{"type": "Hired"}, {"type": "Archived"}]}],
    "feedback_forms": [{"id": "f"}],
    "archive_reasons": [{"id": "a", "reasonType": "Other"}],
    "sources": [{"id": "s"}],
    "departments": [{"id": "d"}],
    "locations": [{"id": "l"}],
}
PROVEN = {"verdict": "proven", "detail": "", "confidentiality": "all"}


def reds(target: dict, *, permissions: list | None = None, confidential: dict = PROVEN) -> set[str]:
    found = audit.findings(Reader({}, target), permissions=permissions or [], confidential=confidential, dangling=[])
    return {row["id"] for row in found if row["severity"] == "critical"}


def test_a_ready_target_has_no_critical_finding() -> None:
    assert reds(FULL_TARGET) == set()


@pytest.mark.parametrize(
    "kind", ["feedback_forms", "archive_reasons", "sources", "departments", "locations", "interview_plans"]
)
def test_each_lack_of_the_target_is_red(kind: str) -> None:
    assert len(reds(FULL_TARGET | {kind: []})) == 1


def test_a_lacking_permission_is_red_and_can_be_accepted_by_name() -> None:
    row = {"side": "Ashby", "permission": "jobsWrite", "ok": False, "detail": "tick it"}
    assert reds(FULL_TARGET, permissions=[row]) == {"permission:ashby:jobsWrite"}
    found = audit.findings(Reader({}, FULL_TARGET), permissions=[row], confidential=PROVEN, dangling=[])
    with pytest.raises(GateError, match="jobsWrite"):
        audit.gate(found, accepted=set())
    audit.gate(found, accepted={"permission:ashby:jobsWrite"})


class Lever:
    """Answers GETs from a function of path and query; counts them."""

    def __init__(self, answer) -> None:
        self.answer = answer

    def get(self, path: str, query=None):
        return self.answer(path, dict(query or []))


def _refuse(status: int):
    def answer(path: str, query: dict):
        if query.get("confidentiality") in ("confidential", "all"):
            kind = UnauthorizedError if status in (401, 403) else RejectedError
            raise kind("no", status=status)
        return {"data": []}

    return answer


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_question_for_confidential_data_means_no_access(status: int) -> None:
    found = audit.confidential_access(Lever(_refuse(status)), "prove")
    assert (found["verdict"], found["confidentiality"]) == ("no access", "")
    assert audit.confidential_access(Lever(_refuse(status)), "accept_gap")["verdict"] == "gap accepted"


def test_rows_prove_access_and_an_empty_answer_proves_nothing() -> None:
    some = Lever(lambda path, query: {"data": [{"id": "x", "confidentiality": "confidential"}]})
    none = Lever(lambda path, query: {"data": []})
    assert audit.confidential_access(some, "prove")["verdict"] == "proven"
    assert audit.confidential_access(none, "prove")["verdict"] == "undecided"
    assert audit.confidential_access(none, "granted")["verdict"] == "granted"
    undecided = audit.confidential_access(none, "prove")
    assert reds(FULL_TARGET, confidential=undecided) == {"confidential"}


@pytest.mark.parametrize("row", [{"id": "x", "confidentiality": "non-confidential"}, {"id": "x"}])
def test_a_server_that_ignores_the_question_for_confidential_data_proves_nothing(row: dict) -> None:
    """Open rows come whatever is asked for; a named posting that is given by its id is then hidden in the lists."""
    single = {"id": "p", "confidentiality": "confidential"}
    ignoring = Lever(lambda path, query: {"data": single if path == "/postings/p" else [row]})
    found = audit.confidential_access(ignoring, "prove")
    assert (found["verdict"], "which Lever ignores" in found["detail"]) == ("undecided", True)
    assert reds(FULL_TARGET, confidential=found) == {"confidential"}
    assert audit.confidential_access(ignoring, "prove", ["p"])["verdict"] == "no access"


def test_a_forbidden_endpoint_is_named_and_a_wrong_key_stops() -> None:
    def forbidden(path: str, query: dict):
        if path == "/tags":
            raise UnauthorizedError("no", status=403)
        return {"data": []}

    rows = audit.lever_permissions(Lever(forbidden), "o1")
    assert [row["permission"] for row in rows if not row["ok"]] == ["read tags"]
    assert len(rows) == 23

    def wrong(path: str, query: dict):
        raise UnauthorizedError("no", status=401)

    with pytest.raises(UnauthorizedError):
        audit.lever_permissions(Lever(wrong), "")


@pytest.mark.parametrize("path", ["/tags", "/opportunities/o1/notes"])
@pytest.mark.parametrize("status", [500, 503, None])
def test_a_child_list_of_one_opportunity_that_lever_cannot_give_is_named(path: str, status: int | None) -> None:
    """It is a finding that somebody may accept; all of Lever that does not answer stops the audit."""

    def broken(asked: str, query: dict):
        if asked == path:
            raise UnavailableError("no", status=status)
        return {"data": []}

    if path == "/tags" or status != 500:
        with pytest.raises(UnavailableError):
            audit.lever_permissions(Lever(broken), "o1")
    else:
        rows = audit.lever_permissions(Lever(broken), "o1")
        assert [(row["permission"], row["detail"]) for row in rows if not row["ok"]] == [
            ("read notes", "Lever answered 500")
        ]
        assert audit.closed_lists(rows) == []


def listed(*ids: str):
    """An answer to /opportunities with these, whatever limit was asked for."""
    return {"data": [{"id": one} for one in ids]}


@pytest.mark.parametrize("status", [404, 422, 500])
def test_a_child_list_that_one_opportunity_lacks_is_asked_of_another_one(status: int) -> None:
    """The sampled one was deleted since, or its record is broken: that is no lack of a right, and stops nothing."""
    asked: list[str] = []

    def broken(path: str, query: dict):
        asked.append(path)
        if path in ("/opportunities/o1/notes", "/opportunities/o1/forms"):
            raise {404: NotFoundError, 422: RejectedError, 500: UnavailableError}[status]("no", status=status)
        return listed("o1", "o2", "o3") if path == "/opportunities" else {"data": []}

    rows = audit.lever_permissions(Lever(broken), "o1")
    assert all(row["ok"] for row in rows)
    assert asked[15:].count("/opportunities") == 1, "the others are looked for once"
    assert [path for path in asked if path.endswith("/forms")] == ["/opportunities/o1/forms", "/opportunities/o2/forms"]
    found = audit.findings(Reader({}, FULL_TARGET), permissions=rows, confidential=PROVEN, dangling=[])
    told = [row for row in found if "read notes" in row["finding"]]
    assert [row["severity"] for row in told] == ["info"]
    assert f"Lever answered {status} of o1; not of o2: it is about that record, not about the key" in told[0]["finding"]
    audit.gate(found, accepted=set())


def test_a_child_list_that_three_opportunities_lack_is_told_apart_from_a_right_that_lacks() -> None:
    asked: list[str] = []

    def broken(path: str, query: dict):
        asked.append(path)
        if path.endswith("/notes"):
            raise UnavailableError("no", status=500)
        if path.endswith("/forms"):
            raise UnauthorizedError("no", status=403)
        return listed("o9", "o1", "o2", "o3") if path == "/opportunities" else {"data": []}

    rows = audit.lever_permissions(Lever(broken), "o1")
    notes = [path for path in asked if path.endswith("/notes")]
    assert notes == [f"/opportunities/{one}/notes" for one in ("o1", "o9", "o2")]
    assert [path for path in asked if path.endswith("/forms")] == ["/opportunities/o1/forms"]
    assert not audit.may(rows, "Lever", "read notes")
    found = audit.findings(Reader({}, FULL_TARGET), permissions=rows, confidential=PROVEN, dangling=[])
    list_of_notes, forms = (
        next(row for row in found if row["id"] == f"permission:lever:read {name}") for name in ("notes", "forms")
    )
    assert (list_of_notes["severity"], list_of_notes["finding"]) == (
        "critical",
        "Lever neither gives nor refuses: read notes",
    )
    assert (
        "Lever answered 500 of o1, 500 of o9, 500 of o2: all that were asked. Whether the key may"
        in list_of_notes["do"]
    )
    assert (forms["severity"], forms["finding"]) == ("critical", "Lever key lacks: read forms")


def test_child_lists_are_asked_of_the_first_opportunity_that_lever_shows() -> None:
    asked = []

    def some(path: str, query: dict):
        asked.append(path)
        return {"data": [{"id": "o9"}, {"id": "o8"}] if path == "/opportunities" else []}

    assert len(audit.lever_permissions(Lever(some))) == len(asked) == 23
    assert sum("/o9/" in path for path in asked) == 8
    asked.clear()
    audit.lever_permissions(Lever(some), "o1")
    assert sum("/o1/" in path for path in asked) == 8


def test_a_list_that_not_every_account_has_is_no_lacking_right() -> None:
    def absent(path: str, query: dict):
        if path in ("/disposition_stages", "/stages"):
            raise NotFoundError("no", status=404)
        if path in ("/tags", "/opportunities/o1/notes"):
            raise UnauthorizedError("no", status=403)
        return {"data": []}

    rows = audit.lever_permissions(Lever(absent), "o1")
    assert [row["permission"] for row in rows if not row["ok"]] == ["read stages", "read tags", "read notes"]
    assert [row["permission"] for row in audit.closed_lists(rows)] == ["read tags"]
    assert "by their names" in next(row["detail"] for row in rows if row["permission"] == "read disposition_stages")


class Ashby:
    def __init__(self, scopes) -> None:
        self.scopes = scopes

    def call(self, endpoint: str, body=None):
        assert endpoint == "apiKey.info"
        if isinstance(self.scopes, Exception):
            raise self.scopes

        return SimpleNamespace(results={"scopes": self.scopes})


@pytest.mark.parametrize("spell", ["candidates:write", "candidatesWrite", "candidates_write"])
def test_scopes_are_understood_in_any_spelling(spell: str) -> None:
    rows = {row["permission"]: row["ok"] for row in audit.ashby_permissions(Ashby([spell]))}
    assert rows["candidatesWrite"]
    assert not rows["jobsWrite"]


def test_a_key_that_may_not_look_at_itself_is_said_and_not_fatal() -> None:
    error = UnauthorizedError("no", status=403, code="missing_endpoint_permission")
    assert [row["permission"] for row in audit.ashby_permissions(Ashby(error))] == ["apiKeysRead"]
    with pytest.raises(ContractError):
        audit.ashby_permissions(Ashby(ContractError("odd")))
