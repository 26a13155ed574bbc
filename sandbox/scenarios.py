"""Named sets of fault rows, each with the sentence that must stay true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.mixed import ODD_ANSWERS, Row, mix

__all__ = ["ODD_ANSWERS", "Row", "Scenario", "mix", "scenarios"]
SAME = "The end state in Ashby is the same as in the calm scenario."
AFTERWARDS = "Once the fault is gone, the next run ends in the state of the calm scenario."


@dataclass(frozen=True)
class Scenario:
    """Fault rows and what they must not change; ``switches`` are set with them."""

    promise: str
    rows: list[Row] = field(default_factory=list)
    switches: dict[str, str] = field(default_factory=dict)
    oauth: bool = False
    """It strikes clients that come with OAuth; whoever has a key notices nothing."""


def scenarios() -> dict[str, Scenario]:
    """Every scenario that ``--scenario`` knows."""
    return (
        _first()
        | _bodies()
        | _limits()
        | _keys()
        | _consents()
        | _pages()
        | _values()
        | _files()
        | _refusals()
        | _others()
    )


def _first() -> dict[str, Scenario]:
    """The calm one, and the plainest faults."""
    return {
        "calm": Scenario("Everything arrives once."),
        "lost-answers": Scenario(SAME, [{"api": "ashby", "writes": True, "every": 17, "effect": "reset_after"}]),
        "flaky": Scenario(SAME, _flaky()),
        "odd-envelopes": Scenario("Nothing that was not confirmed counts as done. " + SAME, _odd()),
        "slow": Scenario(SAME, [{"api": "lever", "share": 0.01, "effect": "delay", "ms": 1000},
                                {"api": "ashby", "share": 0.01, "effect": "delay", "ms": 1000}]),
        "mixed": Scenario(SAME, mix(1, 0.05)),
    }  # fmt: skip


def _flaky() -> list[Row]:
    """Five in a hundred requests fail on both sides, in four ways."""
    rows: list[Row] = []
    for api in ("lever", "ashby"):
        rows += [
            {"api": api, "share": 0.0125, "effect": "status", "status": 500},
            {"api": api, "share": 0.0125, "effect": "status", "status": 503},
            {"api": api, "share": 0.0125, "effect": "throttle"},
            {"api": api, "share": 0.0125, "effect": "reset_before"},
        ]
    return rows


def _odd() -> list[Row]:
    """Answers that are no answers: HTML, cut in half, without ``success``."""
    return [
        {"api": "ashby", "writes": True, "every": 29, "effect": "no_success"},
        {"api": "ashby", "writes": True, "every": 37, "effect": "html", "apply": True},
        {"api": "ashby", "every": 41, "effect": "truncate"},
        {"api": "lever", "every": 43, "effect": "truncate"},
        {"api": "lever", "every": 59, "effect": "html", "apply": True},
    ]


def _every(n: int, rows: list[Row], **when: Any) -> list[Row]:
    """The rows one after the other: each strikes at another count, at most every ``n`` requests."""
    return [{**when, "every": n + 2 * place, **row} for place, row in enumerate(rows)]


def _bodies() -> dict[str, Scenario]:
    """Connections that break and bodies that are not what they say."""
    cuts: list[Row] = [{"effect": name} for name in ("reset_before", "reset_in_request", "reset_in_answer")]
    drops: list[Row] = [
        {"effect": "trickle", "ms": 100, "for_ms": 2500},
        {"effect": "endless", "ms": 20, "for_ms": 2500},
        {"effect": "silence", "ms": 2500},
        {"effect": "silence", "ms": 2500, "apply": True},
    ]
    odd: list[Row] = [{"effect": "no_success"}]
    odd += [{"effect": "envelope", "set": {"success": value}} for value in (None, "true", 1, [], {})]
    odd += [{"effect": "envelope", "drop": ["results"]}, {"effect": "envelope", "set": {"errors": ["odd"]}}]
    return {
        "cut-connections": Scenario(
            SAME, _every(23, cuts, api="lever") + _every(23, [*cuts, {"effect": "reset_after"}], api="ashby")
        ),
        "broken-bodies": Scenario(
            "Half an answer is no answer. " + SAME,
            _every(31, ODD_ANSWERS, api="lever") + _every(37, ODD_ANSWERS, api="ashby"),
        ),
        "dripping": Scenario(
            "No answer is waited for longer than the total deadline. " + SAME,
            _every(101, drops, api="lever", times=2) + _every(151, drops, api="ashby", times=2),
        ),
        "odd-success": Scenario(
            "Only `success: true` is a success. " + SAME,
            _every(37, odd, api="ashby", writes=True) + _every(9, odd, api="ashby", endpoint="candidate.*", times=3),
        ),
        "odd-headers": Scenario(
            "What headers say beside a good answer changes nothing. " + SAME,
            _every(7, _heads(), api="lever") + _every(7, _heads(), api="ashby"),
        ),
        "half-dead-servers": Scenario(
            "A status says nothing about a write except 429 and 503 with Retry-After. " + SAME,
            _every(29, [{"effect": "status", "status": status} for status in (500, 502, 503, 504, 520)], api="lever")
            + _every(29, [{"effect": "status", "status": status, "apply": applied} for status in (500, 502, 503, 504)
                          for applied in (True, False)], api="ashby"),
        ),
    }  # fmt: skip


def _heads() -> list[Row]:
    """Headers that a gateway or a cache in between may set beside a good answer."""
    told: list[dict[str, Any]] = [
        {"date": {"date_in": 7200}}, {"date": {"date_in": -86_400}}, {"date": "yesterday"},
        {"x-ratelimit-remaining": "0", "x-ratelimit-limit": "soon", "x-ratelimit-reset": "-1"},
        {"retry-after": "3600"}, {"content-type": "text/plain"}, {"warning": '110 - "Response is Stale"', "age": "99"},
    ]  # fmt: skip
    rows: list[Row] = [{"effect": "headers", "set": one} for one in told]
    return [*rows, {"effect": "headers", "drop": ["date", "content-type", "x-ashby-request-id"]}]


def _limits() -> dict[str, Scenario]:
    """Throttling in every form of Retry-After."""
    told: list[Any] = ["0.05", {"date_in": 1}, {"date_in": -3600}, "-5", "-1", "soon", "1; 2", "0", "1e-2", ""]
    forms: list[Row] = [{"effect": "throttle", "retry_after": value} for value in told]
    forms += [{"effect": "throttle"}, {"effect": "throttle", "headers": {"x-ratelimit-reset": "0"}}]
    storm: Row = {"after": 60, "times": 11, "effect": "throttle", "retry_after": "0.02"}
    closed: Row = {"effect": "status", "status": 503, "headers": {"Retry-After": "0.05"}}
    return {
        "throttled": Scenario(
            "Every form of Retry-After is obeyed or harmless; a 429 is never a refusal. " + SAME,
            _every(41, forms, api="lever", times=2) + _every(53, forms, api="ashby", times=2),
        ),
        "throttled-for-days": Scenario(
            "An absurd Retry-After parks no run: it is waited for no longer than the cap. " + SAME,
            [{"api": api, "nth": 70 + 40 * place, "effect": "throttle", "retry_after": value}
             for api in ("lever", "ashby")
             for place, value in enumerate(("86400", "1e9", "1e300", "inf", {"date_in": 300_000_000}))],
        ),
        "storm": Scenario(
            "A storm of 429 slows all workers and loses nothing. " + SAME,
            [{"api": "lever", **storm}, {"api": "ashby", **storm}],
        ),
        "maintenance": Scenario(
            "503 with Retry-After is waited for, even by writes. " + SAME,
            [{"api": api, "after": 90, "times": 12, **closed} for api in ("lever", "ashby")],
        ),
        "throttled-for-ever": Scenario(
            "Patience ends: the run stops as rate limited. " + AFTERWARDS,
            [{"api": api, "after": 100, "effect": "throttle", "retry_after": "0"} for api in ("lever", "ashby")],
        ),
        "down": Scenario(
            "Patience ends: the run stops as unavailable. " + AFTERWARDS,
            [{"api": api, "after": 100, "effect": "status", "status": 503, "headers": {"Retry-After": "0"}}
             for api in ("lever", "ashby")],
        ),
    }  # fmt: skip


def _keys() -> dict[str, Scenario]:
    """Keys that are taken away or narrowed in the middle."""
    lacking = "missing_endpoint_permission"
    return {
        "lever-key-revoked": Scenario(
            "401 stops the walk at once. " + AFTERWARDS,
            [{"api": "lever", "after": 120, "effect": "refuse", "status": 401, "code": "Unauthorized"}],
        ),
        "lever-key-narrowed": Scenario(
            "403 stops the walk and is never an empty list. " + AFTERWARDS,
            [{"api": "lever", "endpoint": "/opportunities/*/feedback", "after": 20, "effect": "refuse", "status": 403,
              "code": "ForbiddenError"}],
        ),
        "one-key-narrowed": Scenario(
            "403 for one key stops whoever has it. " + AFTERWARDS,
            [{"api": "lever", "key": "full", "endpoint": "/opportunities/*/feedback", "after": 9, "effect": "refuse",
              "status": 403, "code": "Forbidden"}],
        ),
        "ashby-key-revoked": Scenario(
            "All writers stop at once, and nothing in doubt is left. " + AFTERWARDS,
            [{"api": "ashby", "after": 150, "effect": "refuse", "status": 403, "code": "forbidden"}],
        ),
        "ashby-key-missing": Scenario(
            "401 stops all writers at once. " + AFTERWARDS,
            [{"api": "ashby", "after": 150, "effect": "refuse", "status": 401, "code": "unauthorized"}],
        ),
        "ashby-key-narrowed": Scenario(
            "A permission that is taken away stops the run. " + AFTERWARDS,
            [{"api": "ashby", "endpoint": "applicationFeedback.submit", "after": 5, "effect": "refuse", "status": 403,
              "code": lacking}],
        ),
    }  # fmt: skip


def _consents() -> dict[str, Scenario]:
    """Tokens of OAuth that end, answers to a refresh that are lost, a consent that is withdrawn."""
    ends: Row = {"api": "lever", "every": 37, "effect": "expire_access"}
    token: Row = {"api": "oauth", "endpoint": "/token"}
    return {
        "tokens-end": Scenario(
            "A token that ends in the middle of a list is renewed, and the page asked for again. " + SAME,
            [ends],
            oauth=True,
        ),
        "refresh-lost": Scenario(
            "A refresh whose answer was lost is asked for again with the token that was kept. " + SAME,
            [ends, {**token, "every": 3, "effect": "reset_after"}],
            switches={"oauth_old_refresh": "accept"},
            oauth=True,
        ),
        "refresh-refused-for-now": Scenario(
            "A token endpoint that does not answer is asked again, and costs no consent. " + SAME,
            [ends, {**token, "every": 2, "effect": "status", "status": 503},
             {**token, "every": 3, "effect": "throttle"}],
            oauth=True,
        ),
        "consent-withdrawn": Scenario(
            "A consent that ends costs one refresh, stops the walk and says what to do. " + AFTERWARDS,
            [{"api": "lever", "after": 60, "effect": "refuse", "status": 401, "code": "Unauthorized"}],
            oauth=True,
        ),
    }  # fmt: skip


def _pages() -> dict[str, Scenario]:
    """Lists that page badly; short pages make even small lists page."""
    short: list[Row] = [{"api": "lever", "endpoint": path, "effect": "short_page", "limit": 9} for path in _LISTS]
    back: list[Row] = [{"api": "ashby", "endpoint": name, "effect": "short_page", "limit": 4}
                       for name in ("candidate.list", "job.list", "candidate.listNotes")]  # fmt: skip
    lost: Row = {"api": "ashby", "writes": True, "every": 23, "effect": "reset_after"}
    odd: list[Row] = [{"effect": name} for name in ("repeat_page", "empty_page", "same_token")]
    codes = ("next_cursor_expired", "invalid_next_cursor", "cursor_invalid")
    return {
        "short-pages": Scenario(SAME, [*short, *back, lost]),
        "odd-pages": Scenario(
            "A page twice, an empty one, a token that leads back: no record is lost or doubled. " + SAME,
            [*short, *_every(5, odd, api="lever", times=6), *back, lost, *_every(7, odd, api="ashby", times=3)],
        ),
        "expired-tokens": Scenario(
            "A list whose token has expired starts again. " + SAME,
            [*short, {"api": "lever", "every": 12, "times": 4, "effect": "refuse_token"}, *back, lost,
             *({"api": "ashby", "every": 5, "times": 2, "effect": "refuse_token", "code": code} for code in codes)],
        ),
        "token-without-end": Scenario(
            "A list that says there is more and not where is an error, never a short list. " + AFTERWARDS,
            [{"api": "lever", "endpoint": "/opportunities/*/notes", "after": 10, "effect": "no_token"}],
        ),
        "tokens-never-valid": Scenario(
            "A list that refuses its own tokens is given up, never taken as complete. " + AFTERWARDS,
            [*short, {"api": "lever", "endpoint": "/opportunities", "effect": "refuse_token"}],
        ),
    }  # fmt: skip


_LISTS = ("/users", "/postings", "/tags", "/sources", "/opportunities", "/opportunities/*/notes")


def _values() -> dict[str, Scenario]:
    """Answers that hold what no schema expects."""
    odd = ("beyond_2_53", "huge", "lone_surrogate", "nul", "nan", "infinity", "object", "long", "unknown_enum")
    unknown: list[Row] = [{"effect": "odd_value", "member": "notInTheReference", "value": value} for value in odd]
    return {
        "unknown-members": Scenario(
            "What nobody knows is kept raw, reported as drift, and changes nothing. " + SAME,
            _every(3, unknown, api="lever", endpoint="/opportunities/*/notes")
            + _every(2, unknown, api="lever", endpoint="/opportunities")
            + _every(11, unknown, api="ashby"),
        ),
        "same-id-twice": Scenario(
            "Of one id with two bodies the newest stays. " + SAME,
            [{"api": "lever", "endpoint": path, "effect": "twins"}
             for path in ("/opportunities", "/postings", "/opportunities/*/feedback")],
        ),
        "lists-that-shrink": Scenario(
            "A list of children that is cut short takes nothing away of what was read before; what a first reading "
            "misses comes when everything is read again (`reread=all`). " + AFTERWARDS,
            [{"api": "lever", "endpoint": "/opportunities/*/notes", "every": 3, "effect": "shrink", "keep": 0}],
        ),
    }  # fmt: skip


def _files() -> dict[str, Scenario]:
    """Storage hosts of both sides."""
    expired: Row = {"effect": "refuse", "code": "AccessDenied", "message": "Request has expired"}
    download = "/opportunities/*/resumes/*/download"
    return {
        "storage-hiccups": Scenario(
            "Every file arrives whole or not at all. " + SAME,
            _every(7, [expired, {"effect": "status", "status": 503}, *ODD_ANSWERS[:5]], api="storage")
            + _every(9, ODD_ANSWERS[:5], api="lever", endpoint=download),
        ),
        "handles-expire": Scenario(
            "An upload address that has expired is asked for anew. " + SAME,
            [{"api": "storage", "endpoint": "/ashby/upload", "every": 4, **expired}],
        ),
        "attachments-lost": Scenario(
            "A file whose attachment was applied and not confirmed is attached once. " + SAME,
            [{"api": "ashby", "endpoint": name, "every": 3, "effect": "reset_after"}
             for name in ("candidate.uploadFile", "candidate.uploadResume")]
            + [{"api": "storage", "endpoint": "/ashby/upload", "every": 5, "effect": "reset_after"}],
        ),
        "storage-closed": Scenario(
            "A storage that refuses everything stops the load; no file counts as there. " + AFTERWARDS,
            [{"api": "storage", "endpoint": "/ashby/upload", **expired}],
        ),
        "files-refused": Scenario(
            "Files that Lever refuses for now are tried again by the next run; none is dropped. " + AFTERWARDS,
            [{"api": "lever", "endpoint": download, "every": 3, "effect": "refuse", "status": status, "code": "No"}
             for status in (413, 415)],
        ),
    }  # fmt: skip


def _refusals() -> dict[str, Scenario]:
    """Business failures: set aside, never retried by themselves."""
    refused: Row = {"api": "ashby", "nth": 3, "effect": "refuse"}
    kinds = ("candidate.createNote", "application.create", "candidate.uploadFile", "customField.setValues")
    return {
        "refusals": Scenario(
            "A refused record is set aside with its code, and all others go on. " + AFTERWARDS,
            [{**refused, "endpoint": name, "code": "invalid_input"} for name in kinds],
        ),
        "unknown-codes": Scenario(
            "A code nobody knows is a refusal. " + AFTERWARDS,
            [{**refused, "endpoint": name, "code": f"never_heard_of_{n}"} for n, name in enumerate(kinds)],
        ),
        "not-found-for-ours": Scenario(
            "Something we made that is not found is set aside, and is not made again. " + AFTERWARDS,
            [{**refused, "endpoint": "application.create", "code": "candidate_not_found"},
             {**refused, "endpoint": "candidate.createNote", "code": "candidate_not_found"},
             {**refused, "endpoint": "customField.setValues", "code": "application_not_found"}],
        ),
        "refused-by-status": Scenario(
            "400, 404, 413, 415 and 422 are refusals. " + AFTERWARDS,
            [{**refused, "endpoint": "candidate.createNote", "nth": 3 + n, "status": status, "code": "odd"}
             for n, status in enumerate((400, 404, 413, 415, 422))]
            + [{"api": "ashby", "endpoint": "candidate.uploadFile", "nth": n, "effect": "status", "status": status}
               for n, status in ((2, 413), (4, 415), (6, 422))],
        ),
        "conflicts": Scenario(
            "409 is looked up: what is there is adopted, what is not is sent again. " + SAME,
            [{"api": "ashby", "writes": True, "every": 19, "effect": "status", "status": 409, "apply": True},
             {"api": "ashby", "writes": True, "every": 23, "effect": "status", "status": 409}],
        ),
        "everything-refused": Scenario(
            "More refusals of one kind than chance explains stop the run. " + AFTERWARDS,
            [{"api": "ashby", "endpoint": "candidate.createNote", "effect": "refuse", "code": "invalid_input"}],
        ),
    }  # fmt: skip


def _others() -> dict[str, Scenario]:
    """Other people at work while we read or write, and what becomes visible late."""
    return {
        "visible-late": Scenario(
            "What Ashby shows late is not made twice. " + SAME,
            [{"api": "ashby", "writes": True, "every": 9, "effect": "reset_after"}],
            switches={"search_delay_ms": "400", "visible_after_ms": "100", "visible_spread_ms": "40",
                      "stale_after_ms": "100"},
        ),
        "readers-at-work": Scenario(
            "What recruiters change in Lever while it is read arrives as it stands in the end.",
            [{"api": "lever", "every": 70, "times": 6, "effect": "others", "side": "lever", "n": 1,
              "kinds": ["stage", "note_new", "tag", "archive", "contact_edit", "opportunity_delete"]}],
        ),
        "writers-at-work": Scenario(
            "What recruiters change in Ashby while it is written stays, and nothing is made twice.",
            [{"api": "ashby", "after": 150, "every": 60, "times": 8, "effect": "others", "side": "ashby", "n": 1,
              "kinds": ["name", "phone", "email", "tag", "note"]},
             {"api": "ashby", "writes": True, "every": 29, "effect": "reset_after"}],
        ),
        "mergers-at-work": Scenario(
            "Nobody is lost or doubled: what was written for a candidate that was merged is at the one that was kept, "
            "of each that is gone at most one row tells, and all others arrive.",
            [{"api": "ashby", "after": 130, "every": 45, "times": 2, "effect": "others", "side": "ashby", "n": 1,
              "kinds": ["merge"]},
             {"api": "ashby", "after": 150, "every": 70, "times": 1, "effect": "others", "side": "ashby", "n": 1,
              "kinds": ["delete"]}],
        ),
    }  # fmt: skip
