"""Ashby: what an answer means, lists to their end, the allowance, uploads."""

import hashlib
import json
import threading
import time

import pytest
from odd_server import http, reset, serving
from requests.structures import CaseInsensitiveDict

from lib import contract
from lib.ashby import Answer, Ashby, meaning
from lib.errors import (
    ContractError,
    FatalError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    UnauthorizedError,
    UnavailableError,
    UnknownOutcomeError,
    WorkbookError,
)
from lib.transport import Limits, Pacer, Patience, Reply, Transport

KEY = "ashby-key-of-nobody"
PERSON = "Jane Roe jane@roe.example"
ONE = "11111111-1111-4111-8111-111111111111"
HTML = b"<!doctype html><title>Just a moment...</title>"
WRITE, READ = "candidate.create", "candidate.info"
CREATE = {"name": "Nobody"}
WRITES = sorted(name for name, entry in contract.ashby_endpoints().items() if entry["effect"] != "read")


@pytest.fixture
def server():
    with serving() as one:
        yield one


@pytest.fixture
def ashby(server):
    transport = Transport("Ashby", pacer=Pacer(10_000, burst=100), limits=Limits(connect=1, read=1))
    patience = Patience(attempts=3, first=0.001, longest=0.002)
    yield Ashby(server.url, KEY, transport=transport, patience=patience, hosts=[server.host])
    transport.close()


def reply(body, status=200, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(
        status, CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()}), content
    )


def good(results=None, **more):
    return {"success": True, "results": {"id": ONE} if results is None else results} | more


def refused(code="invalid_input", **more):
    return {
        "success": False,
        "errors": [code],
        "errorInfo": {"code": code, "message": PERSON, "requestId": "R1"},
    } | more


MAYBE = (UnavailableError, UnknownOutcomeError)  # for a read: try again; for a write: it may have been done
LATER = (RateLimitedError, RateLimitedError)  # surely not done
REFUSED = (RejectedError, RejectedError)
NO_KEY = (UnauthorizedError, UnauthorizedError)
NOT_THERE = (NotFoundError, NotFoundError)

ENVELOPES = {
    # 200, and not one word that could be believed
    "empty body": (reply(b""), MAYBE),
    "white space": (reply(b"  \n"), MAYBE),
    "HTML": (reply(HTML), MAYBE),
    "half a JSON text": (reply(json.dumps(good()).encode()[:-3]), MAYBE),
    "two JSON texts": (reply(json.dumps(good()).encode() * 2), MAYBE),
    "not UTF-8": (reply(b'{"success": true, "results": {"id": "\xff"}}'), MAYBE),
    "nested without end": (reply(b'{"success": true, "results": ' + b"[" * 200_000), MAYBE),
    "a figure without end": (reply(b'{"success": true, "results": ' + b"9" * 5000 + b"}"), MAYBE),
    "null": (reply(b"null"), MAYBE),
    "true": (reply(b"true"), MAYBE),
    "a number": (reply(b"1"), MAYBE),
    "a string": (reply(b'"success"'), MAYBE),
    "a list": (reply(b"[]"), MAYBE),
    "a list around a good one": (reply([good()]), MAYBE),
    "an empty object": (reply({}), MAYBE),
    "no success": (reply({"results": {"id": ONE}}), MAYBE),
    "success null": (reply(good(success=None)), MAYBE),
    'success "true"': (reply(good(success="true")), MAYBE),
    'success "false"': (reply(good(success="false")), MAYBE),
    "success 1": (reply(good(success=1)), MAYBE),
    "success 1.0": (reply(good(success=1.0)), MAYBE),
    "success 0": (reply(good(success=0)), MAYBE),
    "success []": (reply(good(success=[])), MAYBE),
    "success [true]": (reply(good(success=[True])), MAYBE),
    "success {}": (reply(good(success={})), MAYBE),
    "Success": (reply({"Success": True, "results": {"id": ONE}}), MAYBE),
    "success inside data": (reply({"data": good()}), MAYBE),
    "no results": (reply({"success": True}), MAYBE),
    "result instead of results": (reply({"success": True, "result": {"id": ONE}}), MAYBE),
    "success with errorInfo": (reply(good(errorInfo={"code": "invalid_input"})), MAYBE),
    "success with errors": (reply(good(errors=["invalid_input"])), MAYBE),
    "success with a limit's code": (reply(good(errorInfo={"code": "rate_limit_exceeded"})), MAYBE),
    "more is a string": (reply(good(moreDataAvailable="true")), MAYBE),
    "more is a number": (reply(good(moreDataAvailable=1)), MAYBE),
    # other statuses of two hundreds and three hundreds
    "201": (reply(good(), 201), MAYBE),
    "202": (reply(good(), 202), MAYBE),
    "204": (reply(b"", 204), MAYBE),
    "206": (reply(good(), 206), MAYBE),
    "301": (reply(b"", 301, location="https://elsewhere.example/"), MAYBE),
    "302 with a good body": (reply(good(), 302), MAYBE),
    "304": (reply(b"", 304), MAYBE),
    "307": (reply(b"", 307), MAYBE),
    # refusals in words (§2 rows 7 to 9)
    "refused": (reply(refused()), REFUSED),
    "refused with results": (reply(refused(results={"id": ONE})), REFUSED),
    "refused, an unknown code": (reply(refused("never_heard_of")), REFUSED),
    "refused, no errorInfo": (reply({"success": False, "errors": ["invalid_input"]}), REFUSED),
    "refused, errorInfo null": (reply({"success": False, "errors": None, "errorInfo": None}), REFUSED),
    "refused, nothing else": (reply({"success": False}), REFUSED),
    "refused, errors an object": (reply({"success": False, "errors": {"a": 1}}), REFUSED),
    "refused, errors empty": (reply({"success": False, "errors": []}), REFUSED),
    "refused, errors objects": (reply({"success": False, "errors": [{"message": PERSON, "parameter": "x"}]}), REFUSED),
    "refused, errors numbers": (reply({"success": False, "errors": [5]}), REFUSED),
    "refused, errorInfo a string": (reply({"success": False, "errorInfo": PERSON}), REFUSED),
    "refused, the code a list": (reply({"success": False, "errorInfo": {"code": ["invalid_input"]}}), REFUSED),
    "refused, sentences": (reply({"success": False, "errors": [f"{PERSON} is not valid"]}), REFUSED),
    "not found": (reply(refused("application_not_found")), NOT_THERE),
    "400 with envelope": (reply(refused(), 400), REFUSED),
    "400 without": (reply(HTML, 400), REFUSED),
    "404 with envelope": (reply(refused("candidate_not_found"), 404), NOT_THERE),
    "404 without": (reply(HTML, 404), REFUSED),
    "405": (reply(b"", 405), REFUSED),
    "413": (reply(HTML, 413), REFUSED),
    "415": (reply(b"", 415), REFUSED),
    "422": (reply(refused(), 422), REFUSED),
    # keys (rows 11 and 12)
    "401": (reply(b"", 401), NO_KEY),
    "401 with envelope": (reply(refused("unauthorized"), 401), NO_KEY),
    "401 that says success": (reply(good(), 401), NO_KEY),
    "403": (reply(HTML, 403), NO_KEY),
    "403 with envelope": (reply(refused("missing_endpoint_permission"), 403), NO_KEY),
    # limits (row 16)
    "429": (reply(b"", 429), LATER),
    "429 HTML": (reply(HTML, 429), LATER),
    "429 with sentences": (reply({"success": False, "errors": ["Slow down, Jane."]}, 429), LATER),
    "429 that says success": (reply(good(), 429), LATER),
    "429 with Retry-After": (reply(b"", 429, retry_after="7"), LATER),
    "200 rate limit": (reply(refused("rate_limit_exceeded")), LATER),
    "200 concurrent limit": (reply(refused("concurrent_limit_exceeded")), LATER),
    # conflicts and servers (rows 14 and 17)
    "409": (reply(refused("conflict"), 409), MAYBE),
    "408": (reply(b"", 408), MAYBE),
    "500": (reply(b"", 500), MAYBE),
    "500 that says success": (reply(good(), 500), MAYBE),
    "500 that says refused": (reply(refused(), 500), MAYBE),
    "500 that says slow down": (reply(refused("rate_limit_exceeded"), 500), MAYBE),
    "500 with Retry-After": (reply(b"", 500, retry_after="3"), MAYBE),
    "502": (reply(HTML, 502), MAYBE),
    "503 without Retry-After": (reply(HTML, 503), MAYBE),
    "503 with an odd Retry-After": (reply(HTML, 503, retry_after="soon"), MAYBE),
    "503 with Retry-After": (reply(HTML, 503, retry_after="3"), (UnavailableError, UnavailableError)),
    "504": (reply(HTML, 504), MAYBE),
    "520": (reply(HTML, 520), MAYBE),
    "999": (reply(b"", 999), MAYBE),
}


@pytest.mark.parametrize("name", ENVELOPES)
@pytest.mark.parametrize("endpoint", [READ, WRITE])
def test_an_odd_answer_is_never_a_success_and_is_classed_as_agreed(name, endpoint):
    """The exact class: what may be sent again, what must be looked up, what is set aside, what stops the run."""
    answer, expected = ENVELOPES[name]
    writes = endpoint == WRITE
    with pytest.raises(WorkbookError) as caught:
        meaning(endpoint, answer, writes=writes)
    assert expected[writes] is type(caught.value)
    assert "Jane" not in f"{caught.value!r} {vars(caught.value)}"
    assert "html" not in str(caught.value)


def test_no_endpoint_takes_an_odd_answer_for_a_success():
    """Every envelope on every endpoint that writes: whatever is raised, nothing is answered."""
    for endpoint in WRITES:
        for name, (answer, expected) in ENVELOPES.items():
            with pytest.raises(expected[1]):
                raise AssertionError((endpoint, name, meaning(endpoint, answer, writes=True)))


@pytest.mark.parametrize("results", [None, [], {}, "id", 5, [{"id": ONE}], True])
@pytest.mark.parametrize("endpoint", [name for name in WRITES if contract.effect(name) in ("append", "get_or_create")])
def test_what_makes_an_object_must_say_which(endpoint, results):
    """A creation without its object is not a confirmation: it has to be looked up."""
    with pytest.raises(UnknownOutcomeError):
        meaning(endpoint, reply({"success": True, "results": results}), writes=True)


def test_a_success_brings_results_request_id_cursor_token_and_warnings():
    """All members of a good answer arrive; warnings that are sentences are counted, not quoted."""
    body = good([1], moreDataAvailable=True, nextCursor="c", syncToken="t", warnings=["email_not_set", PERSON])
    assert Answer([1], "R2", True, "c", "t", ["email_not_set", "unlisted"]) == meaning(
        "candidate.list", reply(body, x_ashby_request_id="R2"), writes=False
    )


@pytest.mark.parametrize("warnings", ["one_word", 5, {"a": 1}, [None], None, []])
def test_odd_warnings_do_not_turn_a_success_into_a_crash(warnings):
    """The object was made: whatever stands in `warnings`, its id must not get lost."""
    assert {"id": ONE} == meaning(WRITE, reply(good(warnings=warnings)), writes=True).results


@pytest.mark.parametrize(
    ("body", "code", "request_id"),
    [
        (refused("invalid_input"), "invalid_input", "R1"),
        ({"success": False, "errors": ["invalid_input"]}, "invalid_input", "H1"),
        ({"success": False, "errors": [{"code": "invalid_input", "message": PERSON}]}, "invalid_input", "H1"),
        ({"success": False, "errors": [{"message": PERSON}]}, "", "H1"),
        ({"success": False, "errors": [PERSON]}, "", "H1"),
        ({"success": False, "errorInfo": {"code": PERSON, "requestId": PERSON}}, "", "H1"),
        ({"success": False, "errorInfo": {"code": "x" * 500, "requestId": 5}}, "", "5"),
    ],
)
def test_the_code_and_the_request_id_are_found_in_every_known_shape(body, code, request_id):
    """What the ledger keeps is a code and an id, never a sentence."""
    with pytest.raises(RejectedError) as caught:
        meaning(WRITE, reply(body, x_ashby_request_id="H1"), writes=True)
    assert (code, request_id) == (caught.value.code, caught.value.request_id)


# ---- calls -------------------------------------------------------------------------------------------------------
def test_a_call_is_a_post_of_json_with_the_key_as_user(server, ashby):
    """Method, path, headers and body as the vendor's reference has them; text stays text."""
    server.says(http(body=good()))
    ashby.call(WRITE, {"name": "Žofie 你好"})
    asked = server.asked[0]
    assert ("POST", "/candidate.create") == (asked.method, asked.target)
    assert {"name": "Žofie 你好"} == asked.json
    assert "application/json" == asked.headers["content-type"]
    assert "application/json; version=1" == asked.headers["accept"]
    assert asked.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("script", [reset, http(500), http(body=HTML), http(body=good())[:-4]])
def test_a_write_is_sent_exactly_once(server, ashby, script):
    """Whatever comes back, the ledger decides about a second time, not the client."""
    server.says(script if callable(script) else script.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    with pytest.raises(UnknownOutcomeError):
        ashby.call(WRITE, CREATE)
    assert 1 == len(server.asked)


def test_a_write_that_was_told_to_wait_is_sent_once_too(server, ashby):
    """429 means "not done"; sending it again is the caller's business, after the pacer's hold."""
    server.says(http(429, retry_after="0"))
    with pytest.raises(RateLimitedError):
        ashby.call(WRITE, CREATE)
    assert 1 == len(server.asked)


@pytest.mark.parametrize("script", [reset, http(500), http(body=HTML), http(429, retry_after="0"), http(body={})])
def test_a_read_is_tried_again(server, ashby, script):
    """Two bad answers and a good one make a good one; three bad ones make an error."""
    server.says(script, script, http(body=good()))
    assert {"id": ONE} == ashby.call(READ, {"id": ONE}).results
    server.says(script)
    with pytest.raises((UnavailableError, RateLimitedError)):
        ashby.call(READ, {"id": ONE})
    assert 3 == len(server.asked)


@pytest.mark.parametrize("script", [http(401), http(403), http(body=refused()), http(404)])
def test_a_read_that_is_refused_is_not_tried_again(server, ashby, script):
    """Asking again would only be the same refusal, and a locked key."""
    server.says(script)
    with pytest.raises((UnauthorizedError, RejectedError)):
        ashby.call(READ, {"id": ONE})
    assert 1 == len(server.asked)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("candidate.anonymize", {"candidateId": ONE}),
        ("candidate.create", {}),
        ("candidate.create", {"name": "x", "sendInvite": True}),
        ("candidate.create", {"name": "x", "linkedInUrl": "javascript:alert(1)"}),
        ("candidate.createNote", {"candidateId": ONE, "note": "x"}),
        ("candidate.createNote", {"candidateId": ONE, "note": "x", "sendNotifications": True}),
        ("candidate.update", {"candidateId": ONE, "name": "x"}),
        ("application.create", {"candidateId": ONE, "jobId": "Engineer"}),
    ],
)
def test_a_body_that_breaks_the_contract_is_never_sent(server, ashby, endpoint, body):
    """Unknown endpoints, unknown members, and everything that would notify somebody."""
    with pytest.raises(ContractError):
        ashby.call(endpoint, body)
    assert [] == server.asked


def test_what_json_cannot_say_is_never_sent(server, ashby):
    """Not a number, half a surrogate pair: refused before anything leaves."""
    for value in (float("nan"), float("inf"), "half \ud83d"):
        with pytest.raises(ContractError):
            ashby.call("customField.setValues", _values(value))
    assert [] == server.asked


def _values(value):
    return {"objectId": ONE, "objectType": "Candidate", "values": [{"fieldId": ONE, "fieldValue": value}]}


# ---- lists -------------------------------------------------------------------------------------------------------
def page(*names, more=False, cursor="", token=""):
    body = good([{"id": name} for name in names], moreDataAvailable=more)
    return http(body=body | ({"nextCursor": cursor} if cursor else {}) | ({"syncToken": token} if token else {}))


def test_a_list_is_read_to_its_end_with_the_cursor_it_gave(server, ashby):
    """Arguments stay the same on every page; an empty page in the middle is not the end; the last token counts."""
    server.says(page("a", more=True, cursor="1"), page(more=True, cursor="2"), page("b", token="t"))
    found = []
    assert ashby.walked("job.list", {"status": ["Open"]}, keep=found.extend, anew=found.clear) == "t"
    assert found == [{"id": "a"}, {"id": "b"}]
    common = {"status": ["Open"], "limit": 100}
    assert [common, common | {"cursor": "1"}, common | {"cursor": "2"}] == [one.json for one in server.asked]


@pytest.mark.parametrize("cursors", [("1", "1"), ("1", "2", "1")])
def test_a_cursor_that_comes_back_is_not_another_lap(server, ashby, cursors):
    """Its page is asked for twice more, the list begun three times, then given up; one honest walk is enough."""
    pages = [page("a", more=True, cursor=cursor) for cursor in (*cursors, cursors[-1], cursors[-1])]
    server.says(*(pages * 4))
    with pytest.raises(UnavailableError, match="three times"):
        ashby.items("candidate.list")
    assert 3 * len(pages) == len(server.asked)
    server.says(*pages, page("a", more=True, cursor="1"), page("b"))
    assert [{"id": "a"}, {"id": "b"}] == ashby.items("candidate.list")


@pytest.mark.parametrize("wrong", [page("a", more=True, cursor="1"), page(more=True)])
def test_one_answer_that_leads_back_or_nowhere_costs_one_call(server, ashby, wrong):
    """The page is asked for again; nothing of the wrong answer counts, and the list is not begun anew."""
    server.says(page("a", more=True, cursor="1"), wrong, page("b", more=True, cursor="2"), page("c"))
    assert [{"id": "a"}, {"id": "b"}, {"id": "c"}] == ashby.items("candidate.list")
    assert [None, "1", "1", "2"] == [one.json.get("cursor") for one in server.asked]


@pytest.mark.parametrize(
    "script",
    [
        [page("a", more=True)],
        [http(body=good({"id": ONE}))],
        [http(body=good("text"))],
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_is_an_error(server, ashby, script):
    """More without a cursor, cursors that come back, and what is no list: never a short list."""
    server.says(*script)
    with pytest.raises(ContractError):
        ashby.items("candidate.list")


def test_null_results_are_not_an_empty_list(server, ashby):
    """`results: null` says nothing about how many there are."""
    server.says(http(body={"success": True, "results": None}))
    for read in (ashby.items, ashby.all_of):
        with pytest.raises(ContractError):
            read("candidate.list")


def test_a_list_without_pages_that_says_there_is_more_is_asked_again(server, ashby):
    """An empty page in between is not "Ashby has no source"; one that keeps saying so is an error, no short list."""
    server.says(http(body=good([]) | {"moreDataAvailable": True, "nextCursor": "x"}), http(body=good([{"id": "a"}])))
    assert [{"id": "a"}] == ashby.all_of("source.list")
    server.says(http(body=good([]) | {"moreDataAvailable": True, "nextCursor": "x"}))
    with pytest.raises(ContractError, match="says that there is more"):
        ashby.all_of("source.list")
    assert 3 == len(server.asked)


@pytest.mark.parametrize("code", ["next_cursor_expired", "invalid_next_cursor", "cursor_invalid"])
def test_a_refused_cursor_starts_the_pass_again(server, ashby, code):
    """What was read before is dropped, so nothing is there twice; three refusals end it."""
    lost = http(body=refused(code))
    server.says(page("a", more=True, cursor="1"), lost, page("a", more=True, cursor="1"), page("b"))
    assert [{"id": "a"}, {"id": "b"}] == ashby.items("candidate.list")
    server.says(lost)
    with pytest.raises(UnavailableError):
        ashby.items("candidate.list")
    assert 3 == len(server.asked)


def test_another_refusal_in_a_list_is_not_swallowed(server, ashby):
    """Only cursors are worth a new pass."""
    server.says(page("a", more=True, cursor="1"), http(body=refused("sync_token_expired")))
    with pytest.raises(RejectedError):
        ashby.items("candidate.list")


# ---- the allowance -------------------------------------------------------------------------------------------------
def held(ashby):
    return ashby.transport.pacer._held_until - time.monotonic()


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry_after": "30"}, 29, 30),
        ({"retry_after": "30", "x_ratelimit_reset": "50"}, 29, 30),
        ({"x_ratelimit_reset": "20"}, 19, 20),
        ({"x_ratelimit_reset": "{now+20}"}, 17, 20),
        ({"x_ratelimit_reset": "{ms+20}"}, 17, 20),
        ({"x_ratelimit_reset": "{now+9999}"}, 59, 60),
        ({"x_ratelimit_reset": "soon"}, 0.5, 1),
        ({"x_ratelimit_reset": "\xb2"}, 0.5, 1),
        ({"x_ratelimit_reset": "9" * 5000}, 0.5, 1),
        ({}, 0.5, 1),
    ],
)
def test_a_429_holds_everybody_for_as_long_as_the_server_says(server, ashby, headers, least, most):
    """Retry-After first, else the reset in seconds to go, epoch seconds or milliseconds, else our own first wait."""
    now = time.time()
    words = {"{now+20}": str(int(now + 20)), "{ms+20}": str(int((now + 20) * 1000)), "{now+9999}": str(int(now + 9999))}
    server.says(http(429, **{name: words.get(value, value) for name, value in headers.items()}))
    with pytest.raises(RateLimitedError):
        ashby.call(WRITE, CREATE)
    assert least < held(ashby) <= most
    assert 5000 == ashby.transport.pacer.rate


@pytest.mark.parametrize(
    ("code", "remaining", "least", "most"),
    [
        ("concurrent_limit_exceeded", "700", 0.5, 1),
        ("concurrent_limit_exceeded", "0", 0.5, 1),
        ("rate_limit_exceeded", "700", 0.5, 1),
        ("rate_limit_exceeded", "0", 29, 30),
        ("rate_limit_exceeded", "many", 29, 30),
    ],
)
def test_the_next_minute_is_waited_for_only_when_this_one_is_used_up(server, ashby, code, remaining, least, most):
    """Too many at once is over in a moment: a minute's wait for it would make a load stand still."""
    server.says(http(429, body=refused(code), x_ratelimit_remaining=remaining, x_ratelimit_reset="30"))
    with pytest.raises(RateLimitedError):
        ashby.call(WRITE, CREATE)
    assert least < held(ashby) <= most


def test_a_limit_told_in_the_envelope_holds_everybody_too(server, ashby):
    """HTTP 200 with the code of the limit is the same request to slow down."""
    server.says(http(body=refused("concurrent_limit_exceeded")))
    with pytest.raises(RateLimitedError):
        ashby.call(WRITE, CREATE)
    assert 0.5 < held(ashby) <= 1


@pytest.mark.parametrize(
    ("remaining", "reset_in", "least", "most"),
    [
        ("3", "30", -1e9, 0.01),
        ("2", "30", 29, 30),
        ("0", "30", 29, 30),
        ("0", "", -1e9, 0.01),
        ("\xb2", "30", -1e9, 0.01),
    ],
)
def test_an_allowance_that_is_nearly_used_up_is_waited_for(server, ashby, remaining, reset_in, least, most):
    """The pause comes before the 429, without slowing down; odd headers never lose the answer they came with."""
    server.says(http(body=good(), x_ratelimit_remaining=remaining, x_ratelimit_reset=reset_in))
    assert {"id": ONE} == ashby.call(WRITE, CREATE).results
    assert least < held(ashby) <= most
    assert 10_000 == ashby.transport.pacer.rate


@pytest.mark.parametrize(("remaining", "waits"), [("5", True), ("6", False)])
def test_calls_that_may_not_be_counted_yet_are_kept_in_the_allowance(server, ashby, remaining, waits):
    """Three calls are under way when the fourth is answered: what is left may be theirs."""
    answer = http(body=good(), x_ratelimit_remaining=remaining, x_ratelimit_reset="30")
    hold = threading.Event()

    def hanging(connection):
        hold.wait(10)
        connection.sendall(answer)

    server.says(hanging, hanging, hanging, answer)
    others = [threading.Thread(target=ashby.call, args=(WRITE, CREATE)) for _ in range(3)]
    for one in others:
        one.start()
    while len(server.asked) < 3:
        time.sleep(0.005)
    ashby.call(WRITE, CREATE)
    assert (held(ashby) > 29) is waits
    hold.set()
    for one in others:
        one.join()
    assert 0 == ashby.transport.flights.under_way


# ---- files ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def paper(tmp_path):
    path = tmp_path / "stored"
    path.write_bytes(b"%PDF-1.7 bytes")
    return path


def test_an_upload_sends_fields_first_the_file_last_and_no_key(server, ashby, paper):
    """A presigned address gets what it asked for; our key stays here; the pace of the API is not used."""
    server.says(http(204, b""))
    handle = {"url": f"{server.url}/bucket", "fields": {"key": "k1", "x-amz-signature": "s1", "n": 5}}
    ashby.upload(handle, paper, name='Lebenslauf "Zoë".pdf', media_type="application/pdf")
    asked = server.asked[0]
    order = [asked.body.index(text) for text in (b'name="key"', b'name="x-amz-signature"', b'name="n"', b'name="file"')]
    assert sorted(order) == order
    assert asked.body.count(b"%PDF-1.7 bytes") == 1
    assert asked.body.index(b"%PDF") > order[-1]
    assert "authorization" not in asked.headers
    assert 0 == ashby.transport.pacer._at


@pytest.mark.parametrize("script", [http(408), http(429), http(500), http(302, location="https://x.example/"), reset])
def test_a_failed_upload_may_be_repeated(server, ashby, paper, script):
    """Until it is attached to somebody a file does no harm twice."""
    server.says(script)
    with pytest.raises(UnavailableError):
        ashby.upload({"url": server.url, "fields": {}}, paper, name="a.pdf", media_type="application/pdf")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, b"<Error><Code>AccessDenied</Code></Error>", "storage_403"),
        (400, b"<Error><Code>EntityTooLarge</Code></Error>", "storage_too_large"),
        (413, b"", "storage_too_large"),
        (404, b"", "storage_404"),
    ],
)
def test_what_the_storage_does_not_want_is_refused(server, ashby, paper, status, body, code):
    server.says(http(status, body))
    with pytest.raises(RejectedError) as refused:
        ashby.upload({"url": server.url, "fields": {}}, paper, name="a.pdf", media_type="application/pdf")
    assert (status, code) == (refused.value.status, refused.value.code)


@pytest.mark.parametrize("url", ["https://evil.example/", "http://169.254.169.254/", "file:///etc/passwd", "", None, 5])
def test_bytes_of_candidates_go_only_to_allowed_hosts(server, ashby, paper, url):
    """Uploads and downloads alike; an address that is not on the list stops the run."""
    with pytest.raises(FatalError):
        ashby.upload({"url": url, "fields": {}}, paper, name="a.pdf", media_type="application/pdf")
    server.says(http(body=good({"url": url})))
    with pytest.raises(FatalError):
        ashby.file_sha256("handle")


def test_the_hash_of_a_stored_file_is_that_of_its_bytes(server, ashby):
    """Read back without our key; a refusal of the storage is not a hash; an answer without an address is an error."""
    server.says(http(body=good({"url": f"{server.url}/bytes"})), http(body=b"\x00bytes"))
    assert hashlib.sha256(b"\x00bytes").hexdigest() == ashby.file_sha256("handle")
    assert "authorization" not in server.asked[1].headers
    server.says(http(body=good({"url": f"{server.url}/bytes"})), http(404, b"gone"))
    with pytest.raises(UnavailableError):
        ashby.file_sha256("handle")
    address = http(body=good({"url": f"{server.url}/bytes"}))
    server.says(address, http(403, b"Request has expired"), address, http(503, b""), address, http(body=b"bytes"))
    assert hashlib.sha256(b"bytes").hexdigest() == ashby.file_sha256("handle")
    for results in ([], "text", {"link": "x"}):
        server.says(http(body=good(results)))
        with pytest.raises(FatalError):
            ashby.file_sha256("handle")


def test_errors_carry_neither_body_nor_names_nor_keys(server, ashby):
    """Whatever is sent and answered, what is raised speaks only of endpoints, codes and statuses."""
    for status in (200, 400, 401, 403, 404, 409, 422, 500, 503, 429):
        server.says(http(status, {"success": False, "errors": [f"{PERSON} {KEY}"], "errorInfo": {"message": PERSON}}))
        with pytest.raises(WorkbookError) as caught:
            ashby.call(WRITE, {"name": PERSON, "email": "jane@roe.example"})
        text = f"{caught.value} {caught.value!r} {vars(caught.value)}"
        assert not [word for word in ("Jane", "roe.example", KEY) if word in text]
        assert caught.value.__cause__ is None
