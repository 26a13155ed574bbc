"""P5: odd answers over a real wire, on every endpoint the clients call: none is taken for a success.

For a write the class must be right too: refused is set aside, "again" was surely not applied, all else is unknown.
"""

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from odd_server import http, serving
from proofs import tell
from test_ashby import ENVELOPES
from test_transport import ODD

from lib import contract
from lib.ashby import Ashby
from lib.errors import (
    ContractError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    UnauthorizedError,
    UnavailableError,
    UnknownOutcomeError,
    WorkbookError,
)
from lib.lever import Key, Lever, OffsetExpiredError
from lib.transport import Limits, Pacer, Patience, Transport

ONE = "11111111-1111-4111-8111-111111111111"
KEY = "key-of-nobody"
ONCE = Patience(attempts=1, first=0.001, longest=0.001)
SLOW = ("a trickle", "a trickle in one chunk", "silence")  # a tenth of a second each: on one endpoint of each client
WIRE = {name: script for name, (script, limits) in ODD.items() if not limits}
WIRE_SLOW = {name: ODD[name][0] for name in SLOW}
MAYBE = (UnavailableError, UnknownOutcomeError)


def sample(schema: Any) -> Any:
    """The smallest legal value of a schema of our contract (`true` allows everything)."""
    if schema is True:
        return "text"
    if "anyOf" in schema:
        return sample(schema["anyOf"][0])
    if {"const", "enum"} & schema.keys():
        return schema.get("const", (schema.get("enum") or [None])[0])
    kind = schema.get("type", "string")
    if kind == "object":
        names = schema.get("required") or list(schema["properties"])[: schema.get("minProperties", 0)]
        return {name: sample(schema["properties"][name]) for name in names}
    if kind == "array":
        return [sample(schema["items"])] * schema.get("minItems", 0)
    texts = {"uuid": ONE, "date-time": "2026-01-31T12:00:00.000Z", "http-url": "https://x.example/"}
    text = texts.get(schema.get("format", ""), "text")
    return {"string": text, "integer": schema.get("minimum", 0), "number": 0, "boolean": False}[kind]


@pytest.fixture(scope="module")
def server():
    with serving() as one:
        yield one


@pytest.fixture(scope="module")
def sender():
    one = Transport("Odd", pacer=Pacer(10_000, burst=1000), limits=Limits(connect=1, read=0.3, total=0.3))
    yield one
    one.close()


def asked(client: Ashby | Lever, work: Callable[[], object]) -> type[BaseException] | None:
    """What a call raises; None when it takes the answer for a good one."""
    client.transport.pacer = Pacer(10_000, burst=1000)  # what a 429 has held back does not matter here
    try:
        work()
    except WorkbookError as error:
        return type(error)
    return None


# ---- Ashby -----------------------------------------------------------------------------------------------------------
ASHBY = sorted(contract.ashby_endpoints())


def ashby_answers() -> dict[str, tuple[Any, tuple[type, type]]]:
    found = {}
    for name, (reply, expected) in ENVELOPES.items():
        headers = {key.replace("-", "_"): text for key, text in reply.headers.items()}
        found[name] = (http(reply.status, reply.content, **headers), expected)
    return found | {f"on the wire: {name}": (script, MAYBE) for name, script in WIRE.items()}


@pytest.mark.proof
def test_no_odd_answer_is_a_success_on_any_endpoint_of_ashby(server, sender) -> None:
    answers = ashby_answers()
    assert len(answers) >= 40
    ashby = Ashby(server.url, KEY, transport=sender, patience=ONCE)
    wrong: list[tuple[str, str, type | None, int]] = []
    for endpoint in ASHBY:
        writes = contract.effect(endpoint) != "read"
        body = sample(contract.ashby_endpoints()[endpoint]["request"])
        for name, (script, expected) in answers.items():
            server.says(script)
            raised = asked(ashby, lambda endpoint=endpoint, body=body: ashby.call(endpoint, body))
            if raised is not expected[writes] or len(server.asked) != 1:
                wrong.append((endpoint, name, raised, len(server.asked)))
    assert wrong == []
    taken = sum(raised is None for _, _, raised, _ in wrong)
    tell("P5", "odd envelopes on every endpoint of Ashby", envelopes=len(answers), endpoints=len(ASHBY), taken=taken)


@pytest.mark.parametrize("name", WIRE_SLOW)
@pytest.mark.parametrize("endpoint", ["candidate.info", "candidate.create"])
def test_an_answer_that_does_not_end_ends_for_us(server, sender, name, endpoint) -> None:
    server.says(WIRE_SLOW[name])
    ashby = Ashby(server.url, KEY, transport=sender, patience=ONCE)
    body = sample(contract.ashby_endpoints()[endpoint]["request"])
    writes = contract.effect(endpoint) != "read"
    assert asked(ashby, lambda: ashby.call(endpoint, body)) is MAYBE[writes]


LISTS = [name for name in ASHBY if "cursor" in contract.ashby_endpoints()[name]["request"]["properties"]]


@pytest.mark.parametrize("endpoint", LISTS)
def test_a_list_that_is_none_is_not_an_empty_list(server, sender, endpoint) -> None:
    ashby = Ashby(server.url, KEY, transport=sender, patience=ONCE)
    body = sample(contract.ashby_endpoints()[endpoint]["request"])
    for results in (None, {}, {"id": ONE}, "text", 5, True):
        server.says(http(body={"success": True, "results": results, "moreDataAvailable": False}))
        assert asked(ashby, lambda: ashby.items(endpoint, body)) is ContractError, results
    for more in ({"moreDataAvailable": True}, {"moreDataAvailable": True, "nextCursor": ""}):
        server.says(http(body={"success": True, "results": [], **more}))
        assert asked(ashby, lambda: ashby.items(endpoint, body)) is ContractError, more


@pytest.mark.parametrize("status", [200, 201, 204])
def test_only_a_storage_that_took_the_bytes_has_them(server, sender, tmp_path, status) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"bytes")
    ashby = Ashby(server.url, KEY, transport=sender, patience=ONCE, hosts=[server.host])
    handle = {"url": server.url, "fields": {"key": "k"}}

    def upload() -> None:
        ashby.upload(handle, path, name="cv.pdf", media_type="application/pdf")

    server.says(http(status, b""))
    assert asked(ashby, upload) is None
    for odd in (301, 302, 307, 400, 403, 404, 408, 409, 413, 429, 500, 503):
        server.says(http(odd, b"<Error/>", location=server.url))
        wanted = RejectedError if odd in (400, 403, 404, 409, 413) else UnavailableError
        assert asked(ashby, upload) is wanted, odd
    for script in WIRE.values():
        server.says(script)
        assert asked(ashby, upload) in (UnavailableError, None if status != 200 else UnavailableError)


# ---- Lever -----------------------------------------------------------------------------------------------------------
def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


HTML = b"<!doctype html><title>Just a moment...</title>"
BAD_BODIES = {
    "empty": b"", "white space": b" \n", "HTML": HTML, "half": b'{"data": [{"id"',
    "two texts": b'{"data":[]}{"data":[]}',
    "not UTF-8": b'{"data": "\xff"}', "nested without end": b"[" * 200_000, "null": b"null", "true": b"true",
    "a number": b"5", "a string": b'"data"', "an error": _json({"code": "InternalError", "message": "x"}),
    "a figure without end": b'{"data": ' + b"9" * 5000 + b"}",
}  # fmt: skip
BAD_LISTS = {
    "data null": {"data": None, "hasNext": False}, "data text": {"data": "x"}, "data number": {"data": 5},
    "data of texts": {"data": ["a"]}, "data of lists": {"data": [[{"id": "a"}]]}, "nothing": {}, "texts": ["a"],
    "a null in it": {"data": [{"id": "a"}, None]}, "more without where": {"data": [], "hasNext": True},
    "more and an empty token": {"data": [], "hasNext": True, "next": ""},
    "more in words": {"data": [], "hasNext": "true"},
    "more null": {"data": [], "hasNext": None}, "more 1": {"data": [], "hasNext": 1, "next": "a"},
}  # fmt: skip
STATUSES = {
    201: UnavailableError, 202: UnavailableError, 204: UnavailableError, 206: UnavailableError, 301: UnavailableError,
    302: UnavailableError, 304: UnavailableError, 307: UnavailableError, 400: RejectedError, 401: UnauthorizedError,
    403: UnauthorizedError, 404: NotFoundError, 405: UnavailableError, 408: UnavailableError, 409: UnavailableError,
    413: RejectedError, 415: RejectedError, 422: RejectedError, 429: RateLimitedError, 500: UnavailableError,
    502: UnavailableError, 503: UnavailableError, 504: UnavailableError, 520: UnavailableError, 999: UnavailableError,
}  # fmt: skip
GOOD = _json({"data": [{"id": "a"}], "hasNext": False})


def lever_answers() -> dict[str, tuple[Any, type]]:
    found: dict[str, tuple[Any, type]] = {
        name: (http(body=body), UnavailableError) for name, body in BAD_BODIES.items()
    }
    found |= {f"{status} with a good body": (http(status, GOOD), kind) for status, kind in STATUSES.items()}
    offset = _json({"code": "BadRequestError", "message": "Invalid offset token"})
    found["a refused token"] = (http(400, offset), OffsetExpiredError)
    return found | {f"on the wire: {name}": (script, UnavailableError) for name, script in WIRE.items()}


def lever_paths() -> list[str]:
    lists = [about["path"].replace("{opportunity}", ONE) for about in contract.lever_objects().values()]
    return sorted({*lists, f"/opportunities/{ONE}", f"/postings/{ONE}"})


@pytest.mark.proof
def test_no_odd_answer_is_a_success_on_any_path_of_lever(server, sender) -> None:
    answers, paths = lever_answers(), lever_paths()
    assert len(answers) >= 40
    lever = Lever(server.url, Key(KEY), transport=sender, patience=ONCE)
    wrong: list[tuple[str, str, type | None]] = []
    for path in paths:
        for name, (script, expected) in answers.items():
            server.says(script)
            raised = asked(lever, lambda path=path: lever.get(path))
            if raised is not expected or len(server.asked) != 1:
                wrong.append((path, name, raised))
        for name, body in BAD_LISTS.items():
            server.says(http(body=body))
            if (raised := asked(lever, lambda path=path: lever.items(path))) is not ContractError:
                wrong.append((path, name, raised))
    assert wrong == []
    taken = sum(raised is None for _, _, raised in wrong)
    n_kinds = len(answers) + len(BAD_LISTS)
    tell("P5", "odd envelopes on every path of Lever", envelopes=n_kinds, endpoints=len(paths), taken=taken)


@pytest.mark.parametrize("name", WIRE_SLOW)
def test_a_read_that_does_not_end_ends_for_us(server, sender, name) -> None:
    server.says(WIRE_SLOW[name])
    lever = Lever(server.url, Key(KEY), transport=sender, patience=ONCE)
    assert asked(lever, lambda: lever.items("/users")) is UnavailableError


@pytest.mark.parametrize("name", WIRE)
def test_half_a_download_is_no_file(server, sender, tmp_path, name) -> None:
    server.says(WIRE[name])
    lever = Lever(server.url, Key(KEY), transport=sender, patience=ONCE)
    assert asked(lever, lambda: lever.download("/opportunities/o/files/f/download", tmp_path)) is UnavailableError
    assert list(tmp_path.iterdir()) == []


def test_these_tests_would_notice_a_success(server, sender, tmp_path) -> None:
    """The same calls with good answers raise nothing: what is asked here is not simply broken."""
    ashby = Ashby(server.url, KEY, transport=sender, patience=ONCE)
    for endpoint in ASHBY:
        body = sample(contract.ashby_endpoints()[endpoint]["request"])
        server.says(http(body={"success": True, "results": {"id": ONE}}))
        assert asked(ashby, lambda endpoint=endpoint, body=body: ashby.call(endpoint, body)) is None, endpoint
    lever = Lever(server.url, Key(KEY), transport=sender, patience=ONCE)
    for path in lever_paths():
        server.says(http(body=GOOD))
        assert asked(lever, lambda path=path: lever.items(path)) is None, path
    server.says(http(body=b"bytes"))
    got = lever.download("/opportunities/o/files/f/download", tmp_path)
    assert got.sha256 == hashlib.sha256(io.BytesIO(b"bytes").read()).hexdigest()
