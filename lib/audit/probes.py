"""Harmless questions to both accounts: what the keys may do, and whether confidential data is visible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from lib import contract
from lib.ashby import Ashby
from lib.errors import ApiError, NotFoundError, RejectedError, UnauthorizedError, UnavailableError
from lib.lever import Lever, OffsetExpiredError, Query

Row = dict[str, Any]
LISTS = (
    "users", "postings", "stages", "archive_reasons", "sources", "tags", "requisitions", "requisition_fields",
    "feedback_templates", "form_templates", "opportunities", "disposition_stages", "opportunities/deleted",
    "applications/deleted", "postings/deleted",
)  # fmt: skip
CHILDREN = ("notes", "feedback", "resumes", "files", "forms", "offers", "interviews", "referrals")
CONFIDENTIAL = ("opportunities", "postings", "requisitions")
ABSENT = {
    "resumes": "",  # where there is no résumé (seen by other clients)
    "disposition_stages": "this account has no such list (it is not in every edition of the reference): stages are "
    "proposed by their names alone",
}
"""Lists whose 404 is no refusal; anywhere else it is no answer."""
ODD = "Lever answered"
MOST_ASKED = 3  # opportunities whose child list is asked for before an odd answer counts as one about the list itself
HINT_LEVER = "tick it in Lever: Settings, Integrations and API, API credentials"
HINT_ASHBY = "tick it in Ashby: Admin, API keys"


def lever_permissions(lever: Lever, opportunity_id: str = "") -> list[Row]:
    """One row per endpoint that the extraction reads: {side, permission, ok, detail}; each asked with limit=1.

    Child lists are asked of `opportunity_id`, or of the first opportunity that Lever shows; without any, not at all.
    Where one is not given, and not refused either, two other opportunities are asked.
    """
    rows = []
    for name in LISTS:
        row, items = _ask(lever, f"/{name}", name)
        rows.append(row)
        if name == "opportunities" and items:
            opportunity_id = opportunity_id or str(items[0].get("id") or "")
    asked = [opportunity_id]
    return rows + [_child_list(lever, name, asked) for name in (CHILDREN if opportunity_id else ())]


def _child_list(lever: Lever, name: str, asked: list[str]) -> Row:
    """The row of a child list: is it one opportunity's that is not given, or nobody's?

    `asked` is the opportunity to ask of, and from the first odd answer on those that may be asked as well.
    """
    told: dict[str, str] = {}
    while True:
        lever_id = asked[len(told)]
        row, _ = _ask(lever, f"/opportunities/{lever_id}/{name}", name)
        if not is_odd(row):
            also = f"{_listed(told)}; not of {lever_id}: it is about that record, not about the key"
            return row | {"detail": also} if told and row["ok"] else row
        told[lever_id] = row["detail"]
        if len(asked) == 1:
            asked += _others(lever, lever_id)
        if len(told) == len(asked):
            return row if len(told) == 1 else row | {"detail": f"{_listed(told)}: all that were asked"}


def is_odd(row: Row) -> bool:
    """Whether an endpoint was neither given nor refused: its answer says nothing of what the key may do."""
    return not row["ok"] and str(row["detail"]).startswith(ODD)


def _listed(told: dict[str, str]) -> str:
    """Opportunities and what was answered of them: "Lever answered 500 of <id>, 404 of <id>"."""
    return f"{ODD} " + ", ".join(f"{detail.removeprefix(ODD).strip()} of {one}" for one, detail in told.items())


def _others(lever: Lever, lever_id: str) -> list[str]:
    """Other opportunities that may be asked, too."""
    _, items = _ask(lever, "/opportunities", "opportunities", limit=MOST_ASKED)
    ids = [str(item["id"]) for item in items if item.get("id")]
    return [one for one in ids if one != lever_id][: MOST_ASKED - 1]


def closed_lists(permissions: list[Row], endpoints: Iterable[str] = ()) -> list[Row]:
    """Those permissions without which not even the audit can look: of lists that it reads itself.

    On Lever's side what was answered with 403; on Ashby's what the key lacks for `endpoints`.
    """
    known = contract.ashby_endpoints()
    needed = {("Lever", f"read {name}") for name in LISTS if not name.endswith("/deleted")}
    needed |= {("Ashby", known[endpoint]["permission"]) for endpoint in endpoints}
    lacking = [row for row in permissions if (row["side"], row["permission"]) in needed and not row["ok"]]
    return [row for row in lacking if not is_odd(row)]


def _ask(lever: Lever, path: str, name: str, *, limit: int = 1) -> tuple[Row, list[Row]]:
    """The row of one endpoint, and what it has answered with."""
    query: Query = [("limit", str(limit))] if name not in ("disposition_stages", "resumes", "files") else []
    if name.endswith("/deleted"):  # two of these lists want both bounds (reported)
        query += [("deleted_at_start", "0"), ("deleted_at_end", "1")]
    row = {"side": "Lever", "permission": f"read {name}", "ok": True, "detail": ""}
    try:
        answer = lever.get(path, query)
    except UnauthorizedError as error:
        if error.status == 401:
            raise
        return row | {"ok": False, "detail": error.hint or HINT_LEVER}, []
    except NotFoundError as error:
        return row | ({"detail": ABSENT[name]} if name in ABSENT else _refused(error)), []
    except (RejectedError, OffsetExpiredError) as error:
        return row | _refused(error), []
    except UnavailableError as error:
        if name not in CHILDREN or (error.status or 0) < 500 or error.status == 503:
            raise
        return row | _refused(error), []  # it may be this one opportunity's: 02_extract sets such a list aside
    items = answer.get("data") if isinstance(answer, dict) else answer
    return row, [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _refused(error: ApiError) -> Row:
    return {"ok": False, "detail": f"{ODD} {error.status}"}


def confidential_access(lever: Lever, setting: str, named: Sequence[str] = ()) -> Row:
    """{verdict, detail, confidentiality}: whether this key sees confidential data, decided and not assumed.

    The key's right is fixed when it is made. Lever documents an access error for explicit requests; that a key
    without the right gets a shorter list instead is also possible, so an empty answer proves nothing; neither does a
    row that does not say of itself that it is confidential, which a server that ignores the question answers. Then
    postings that somebody has `named` as confidential are asked for by their ids; with none, a person has to sign.
    """
    rows, others = 0, 0
    for name in CONFIDENTIAL:
        for value in ("confidential", "all"):
            try:
                items = _first(lever, name, value)
            except (UnauthorizedError, RejectedError):  # 403 by the reference; 400 and 401 are possible too
                if _is_open(lever, name):
                    return _no_access(setting, f"the key may not see confidential records ({name})")
                break  # it may not see this list at all, which says nothing of confidential records
            if value == "confidential":
                n_secret = sum(item.get("confidentiality") == "confidential" for item in items)
                rows, others = rows + n_secret, others + len(items) - n_secret
    if rows:
        return {"verdict": "proven", "detail": "confidential records were answered", "confidentiality": "all"}
    if named:
        return _by_name(lever, setting, named)
    if setting == "granted":
        detail = f"{_none(others)}; the params file says that the key has the right"
        return {"verdict": "granted", "detail": detail, "confidentiality": "all"}
    if setting == "accept_gap":
        detail = f"{_none(others)}; the params file accepts that confidential records, if there are any, will not move"
        return {"verdict": "gap accepted", "detail": detail, "confidentiality": "all"}
    detail = (
        f"{_none(others)}, which a silently limited key would look like too: cannot be decided. "
        "Name one confidential posting in the params file (lever.confidential_posting: [its id]); or, if there is none "
        "and somebody has looked at the key's settings, sign it (lever.confidential_access: granted)"
    )
    return {"verdict": "undecided", "detail": detail, "confidentiality": "all"}


def _none(n_others: int) -> str:
    """What was answered where nothing confidential was."""
    ignored = f"; {n_others} that are not confidential came in answer to the question for such, which Lever ignores"
    return "no confidential record was answered" + ignored * bool(n_others)


def _by_name(lever: Lever, setting: str, named: Sequence[str]) -> Row:
    """The verdict by postings that are said to be confidential, where no list has shown any.

    One that is given by its id and stands in no list of confidential postings would be missed by the extraction.
    """
    found = {posting: _posting(lever, posting) for posting in named}
    lacking = [posting for posting, item in found.items() if item is None]
    if lacking:
        return _no_access(setting, f"posting {', '.join(lacking)}, named as confidential, is not there for this key")
    hidden = [posting for posting, item in found.items() if item and item.get("confidentiality") == "confidential"]
    if hidden:
        return _no_access(setting, f"posting {', '.join(hidden)} is given by its id, and hidden in the lists")
    detail = (
        f"posting {', '.join(named)} is not confidential: it proves nothing. Name another one "
        "(lever.confidential_posting), or take the line out and sign that there is none"
    )
    return {"verdict": "undecided", "detail": detail, "confidentiality": "all"}


def _posting(lever: Lever, posting: str) -> Row | None:
    try:
        answer = lever.get(f"/postings/{quote(posting, safe='')}")
    except (NotFoundError, UnauthorizedError, RejectedError):
        return None
    item = answer.get("data", answer) if isinstance(answer, dict) else None
    return item if isinstance(item, dict) else None


def _is_open(lever: Lever, name: str) -> bool:
    try:
        _first(lever, name, "")
    except (UnauthorizedError, RejectedError):
        return False
    return True


def _first(lever: Lever, name: str, value: str) -> list[Row]:
    answer = lever.get(f"/{name}", [("confidentiality", value)] * bool(value) + [("limit", "1")])
    data = answer.get("data", []) if isinstance(answer, dict) else answer
    return [item for item in (data if isinstance(data, list) else [data]) if isinstance(item, dict)]


def _no_access(setting: str, why: str) -> Row:
    if setting == "accept_gap":
        detail = f"{why}; the params file accepts the gap: they will not move"
        return {"verdict": "gap accepted", "detail": detail, "confidentiality": ""}
    detail = (
        f"{why}; the right cannot be added to a key: make a new one with 'Allow access to confidential data', or "
        "accept the gap in the params file (lever.confidential_access: accept_gap)"
    )
    return {"verdict": "no access", "detail": detail, "confidentiality": ""}


def ashby_permissions(ashby: Ashby) -> list[Row]:
    """One row per permission that the whole move needs: {side, permission, ok, detail}, from the key's own scopes."""
    needed = sorted({entry["permission"] for entry in contract.ashby_endpoints().values()})
    try:
        info = ashby.call("apiKey.info").results
    except UnauthorizedError as error:
        if error.status == 401 or error.code != "missing_endpoint_permission":
            raise
        detail = "without it the other permissions cannot be listed; they are found out by use"
        return [{"side": "Ashby", "permission": "apiKeysRead", "ok": False, "detail": detail}]
    scopes = {_scope(str(one)) for one in (info or {}).get("scopes") or []}
    found = {name: _scope(name) in scopes for name in needed}
    return [
        {"side": "Ashby", "permission": name, "ok": ok, "detail": "" if ok else HINT_ASHBY}
        for name, ok in found.items()
    ]  # fmt: skip


def may(permissions: list[Row], side: str, permission: str) -> bool:
    """Whether a permission was found among those of one side; what could not be found out counts as no."""
    return any(row["side"] == side and row["permission"] == permission and row["ok"] for row in permissions)


def may_call(permissions: list[Row], endpoint: str) -> bool:
    """The same for an endpoint of Ashby."""
    return may(permissions, "Ashby", contract.ashby_endpoints()[endpoint]["permission"])


def _scope(text: str) -> str:
    """One spelling for `candidatesWrite`, `candidates:write` and `candidate_write`."""
    return "".join(letter for letter in text.lower() if letter.isalnum()).replace("candidatewrite", "candidateswrite")


__all__ = ["ashby_permissions", "closed_lists", "confidential_access", "is_odd", "lever_permissions", "may", "may_call"]
