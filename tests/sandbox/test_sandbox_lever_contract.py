"""Every answer of the Lever side has the attributes and types of the published contract, before and after edits."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lever_kit import Server
from lever_types import item_problems, members, problems, split

SHARED = Path(os.environ.get("WORKBOOK_SHARED") or Path(__file__).resolve().parents[3] / "shared")
CONTRACT = SHARED / "contracts" / "lever-contract.json"
RECORDINGS = SHARED / "recordings" / "lever"
ENTRIES = json.loads(CONTRACT.read_text("utf-8")) if CONTRACT.is_file() else {}
INDEX = json.loads((RECORDINGS / "index.json").read_text("utf-8")) if RECORDINGS.is_dir() and ENTRIES else []
RECORDED = [
    (one["file"], one["endpoint"].removeprefix("/v1").replace(":id", "*"))
    for one in INDEX
    if one["file"] and one["method"] == "GET"
]
REFUSED = {
    "list_audit_events",
    "list_eeo_responses",
    "list_eeo_responses_pii",
    "list_diversity_surveys",
    "list_webhooks",
}
RECORDED_APART = ("list_eeo_responses", "list_eeo_responses_pii", "list_webhooks")
SCOPES = {"confidential:access:admin"}.union(*((one["scope"] or "").split(" + ") for one in ENTRIES.values())) - {""}
MONTH = {"deleted_at_start": 1_774_958_400_000 - 29 * 86_400_000, "deleted_at_end": 1_774_958_400_000 + 86_400_000}
NAMES = sorted(ENTRIES) or [pytest.param("", marks=pytest.mark.skip(reason="no contract at hand"))]
ENOUGH = 30
"""Answers to look at per endpoint."""

EDITS = {
    "n": 60, "seed": 3,
    "edits": [{"kind": kind} for kind in ("merge", "anonymise", "opportunity_delete", "file_new", "hire", "offer_new")],
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    one = Server("--limits", "off", people=60)
    yield one
    assert one.end() == 0


@pytest.fixture(scope="module", params=["as built", "after edits"])
def account(request: pytest.FixtureRequest, server: Server) -> Server:
    """The account as it was made, and after recruiters worked in it."""
    server.control("reset", "POST")
    if request.param == "after edits":
        assert len(server.control("edits", "POST", EDITS)) == 66
    return server


def everywhere(server: Server, path: str, params: object = None) -> list[tuple[str, dict]]:
    """(path with ids filled in, answer) for enough objects to see each kind at least once."""
    if "{" not in path:
        return [(path, server.get(path, params).json())]
    before, _, rest = path.partition("/{")
    _, _, after = rest.partition("}")
    if before == "/contacts":
        listed = [{"id": row["contact"]} for row in server.get("/opportunities").json()["data"]]
    elif before == "/requisition_fields":
        listed = server.get(before).json()["data"]
    else:
        listed = server.walk(before, [("confidentiality", "all")])
    found = []
    for row in listed[::-1]:  # the later stages first: they have interviews and offers
        found += everywhere(server, f"{before}/{row['id']}{after}", params)
        if len(found) >= ENOUGH:
            break
    return found


def unwrapped(name: str, entry: dict, answer: dict) -> list[dict]:
    """The items of an answer in exactly the envelope of the contract."""
    if "no data wrapper" in entry["envelope"]:
        return [answer]
    wanted = {"data"} if entry["envelope"] in ("{data:item}", "{data:[item]}") else {"data", "hasNext"}
    assert set(answer) - {"next"} == wanted, name
    if "hasNext" in wanted:
        assert ("next" in answer) is answer["hasNext"]
    return answer["data"] if entry["list"] else [answer["data"]]


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_fits_the_contract(account: Server, name: str) -> None:
    """Envelope, attributes, types; no attribute is missing, none is invented."""
    entry = ENTRIES[name]
    if name in REFUSED:
        path = entry["path"].replace("{posting}", "x")
        assert account.get(path).status_code == 403
        return
    params = MONTH if "deleted_at_start" in entry["query"] else {}
    if "confidentiality" in entry["query"]:
        params = {"confidentiality": "all"}
    if entry["envelope"] == "binary":
        return  # the bytes of every download are compared in test_sandbox_lever
    items = [
        item for _, answer in everywhere(account, entry["path"], params) for item in unwrapped(name, entry, answer)
    ]
    assert items
    assert [] == [text for item in items for text in item_problems(item, entry["item"], name)][:5]


@pytest.mark.parametrize("name", [name for name in ENTRIES if ENTRIES[name]["expand"]] or NAMES)
def test_every_documented_name_can_be_expanded(account: Server, name: str) -> None:
    """Each name of `expand`, all at once: objects stand where ids stood, in the shape of their own endpoint."""
    entry = ENTRIES[name]
    if name in REFUSED:
        return
    params = [("expand", one) for one in entry["expand"]] + [("confidentiality", "all")]
    wanted = dict(entry["item"])
    for one, place in entry["expand_items"].items():
        whole = ENTRIES[place.removesuffix(".item")]["item"]
        inner = "object{" + ",".join(f"{key}:{kind}" for key, kind in whole.items()) + "}"
        known = wanted[one].removesuffix("?")
        dangling = "|uuid" if one in ("posting", "postings", "stage") else ""  # what is gone stays an id
        wanted[one] = f"array<{inner}{dangling}>" if known.startswith("array") else f"{inner}{dangling}|null"
    seen = set()
    for _, answer in everywhere(account, entry["path"], params):
        for item in unwrapped(name, entry, answer):
            assert [] == item_problems(item, wanted, name)[:5]
            seen |= {one for one in entry["expand"] if _is_expanded(item.get(one))}
    assert set(entry["expand"]) == seen


def _is_expanded(value: object) -> bool:
    return isinstance(value[0] if isinstance(value, list) and value else value, dict)


def value_of(kind: str) -> str:
    """Some value of a parameter's type."""
    value = {"epoch_ms": "1774958400000", "integer(1..100)": "5"}.get(kind.partition(";")[0], "x")
    value = "true" if kind.startswith("boolean") else kind[5:-1] if kind[:5] == "enum(" else value
    return value.partition(")")[0].partition(",")[0]


def filled(server: Server, headers: dict[str, str], path: str) -> str:
    """A path with the ids of some objects in it that answers; LookupError when there is none."""
    if "{" not in path:
        if server.told(path, headers, MONTH if path.endswith("/deleted") else None).status_code < 400:
            return path
        raise LookupError(path)
    before, _, rest = path.partition("/{")
    named = "/postings" if before == "/surveys/diversity" else before
    for row in server.walk(named, [("confidentiality", "all")])[::-1]:
        try:
            return filled(server, headers, f"{before}/{row['id']}{rest.partition('}')[2]}")
        except LookupError:
            continue
    raise LookupError(path)


def test_every_documented_parameter_is_known(account: Server) -> None:
    """No parameter of the contract is logged as unknown, on lists, on single objects and below them."""
    if not ENTRIES:
        pytest.skip("no contract at hand")
    headers = account.bearer(*SCOPES)
    wanted = {name: entry for name, entry in ENTRIES.items() if entry["query"] and name != "list_audit_events"}
    paths = {name: filled(account, headers, entry["path"]) for name, entry in wanted.items()}
    account.control("calls", "DELETE")
    for name, entry in wanted.items():
        for parameter, kind in entry["query"].items():
            if parameter != "offset" and name != "list_postings":
                asked = {**(MONTH if name.endswith("_deleted") else {}), parameter: value_of(kind)}
                assert account.told(paths[name], headers, asked).status_code < 400, (name, asked)
    for parameter in ENTRIES["list_postings"]["query"]:
        if parameter != "offset":
            value = {"confidentiality": "all", "limit": "5", "group": "team"}.get(parameter, "1")
            account.get("/postings", {parameter: value})
    assert account.control("calls")["unknown_params"] == []


@pytest.mark.parametrize("name", [name for name in RECORDED_APART if name in ENTRIES])
def test_what_needs_a_right_of_its_own_has_the_recorded_shape(account: Server, name: str) -> None:
    """For a token that holds the right, and only for it: envelope and attributes of the contract."""
    entry = ENTRIES[name]
    window = {"fromDate": "0", "created_at_start": "0"}
    params = {one: value for one, value in window.items() if one in entry["query"]}
    answer = account.told(entry["path"], account.bearer(entry["scope"]), params)
    assert answer.status_code == 200
    items = unwrapped(name, entry, answer.json())
    assert items
    assert [] == [text for item in items for text in item_problems(item, entry["item"], name)][:5]
    assert account.told(entry["path"], account.bearer(*(SCOPES - {entry["scope"]}))).status_code == 403


def test_audit_events_have_the_documented_shape_and_parameters(account: Server) -> None:
    """Where the account has the add-on, for a token with the scope."""
    if not ENTRIES:
        pytest.skip("no contract at hand")
    entry = ENTRIES["list_audit_events"]
    headers = account.bearer(entry["scope"])
    account.control("switches", "POST", {"audit_addon": "on"})
    answer = account.told("/audit_events", headers).json()
    items = unwrapped("list_audit_events", entry, answer)
    assert [] == [text for item in items for text in item_problems(item, entry["item"], "audit")][:5]
    account.control("calls", "DELETE")
    for parameter, kind in entry["query"].items():
        if parameter != "offset":
            asked = {"target_type": "user", parameter: value_of(kind)}
            assert account.told("/audit_events", headers, asked).status_code == 200, parameter
    assert account.control("calls")["unknown_params"] == []
    account.control("switches", "DELETE")


@pytest.mark.parametrize(
    ("file", "path"), RECORDED or [pytest.param("", "", marks=pytest.mark.skip(reason="no recordings at hand"))]
)
def test_the_reader_of_the_contract_accepts_real_answers(file: str, path: str) -> None:
    """Every object of a recorded answer passes the check that the sandbox has to pass."""
    entry = next(one for one in ENTRIES.values() if _starred(one["path"]) == path)
    answer = json.loads((RECORDINGS / file).read_text("utf-8"))
    items = answer if "no data wrapper" in entry["envelope"] else answer["data"]
    for item in items if isinstance(items, list) else [items]:
        assert [] == item_problems(item, entry["item"], path)[:5]


def _starred(path: str) -> str:
    return "/".join("*" if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("uuid|null", None, "x"),
        ("array<object{id:uuid?,name:string}>", [{"name": "a"}], [{"id": 1, "name": "a"}]),
        ("integer|string('unlimited')", "unlimited", "some"),
        ("object<string,number|null>", {"a": None}, {"a": "b"}),
        ("array<enum(public,internal)>", ["public"], ["secret"]),
        ("epoch_ms", 1_774_958_400_000, 1_774_958_400),
        ("array<uuid>(0..1)", [], ["a", "b"]),
    ],
)
def test_the_notation_is_read_as_it_is_meant(kind: str, good: object, bad: object) -> None:
    """One right and one wrong value for each form of it."""
    assert problems(good, kind, "x") == []
    assert problems(bad, kind, "x") != []
    assert split("a<b,c>,d", ",") == ["a<b,c>", "d"]
    assert members("a:b{c:d},e:f?") == {"a": "b{c:d}", "e": "f?"}
