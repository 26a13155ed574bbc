"""Named sets of fault rows, each with the sentence that must stay true."""

from __future__ import annotations

from typing import Any

from sandbox import scenarios_records
from sandbox.mixed import ODD_ANSWERS, Row, mix
from sandbox.scenario import AFTERWARDS, SAME, Scenario, every

__all__ = ["ODD_ANSWERS", "Row", "Scenario", "mix", "scenarios"]


def scenarios() -> dict[str, Scenario]:
    """Every scenario that ``--scenario`` knows."""
    return _first() | _bodies() | _limits() | _keys() | _consents() | _pages() | scenarios_records.scenarios()


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
            SAME, every(23, cuts, api="lever") + every(23, [*cuts, {"effect": "reset_after"}], api="ashby")
        ),
        "broken-bodies": Scenario(
            "Half an answer is no answer. " + SAME,
            every(31, ODD_ANSWERS, api="lever") + every(37, ODD_ANSWERS, api="ashby"),
        ),
        "dripping": Scenario(
            "No answer is waited for longer than the total deadline. " + SAME,
            every(101, drops, api="lever", times=2) + every(151, drops, api="ashby", times=2),
        ),
        "odd-success": Scenario(
            "Only `success: true` is a success. " + SAME,
            every(37, odd, api="ashby", writes=True) + every(9, odd, api="ashby", endpoint="candidate.*", times=3),
        ),
        "odd-headers": Scenario(
            "What headers say beside a good answer changes nothing. " + SAME,
            every(7, _heads(), api="lever") + every(7, _heads(), api="ashby"),
        ),
        "half-dead-servers": Scenario(
            "A status says nothing about a write except 429 and 503 with Retry-After. " + SAME,
            every(29, [{"effect": "status", "status": status} for status in (500, 502, 503, 504, 520)], api="lever")
            + every(29, [{"effect": "status", "status": status, "apply": applied} for status in (500, 502, 503, 504)
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
            every(41, forms, api="lever", times=2) + every(53, forms, api="ashby", times=2),
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
            [*short, *every(5, odd, api="lever", times=6), *back, lost, *every(7, odd, api="ashby", times=3)],
        ),
        "expired-tokens": Scenario(
            "A list whose token has expired starts again. " + SAME,
            [*short, {"api": "lever", "every": 12, "times": 4, "effect": "refuse_token"}, *back, lost,
             *({"api": "ashby", "every": 5, "times": 2, "effect": "refuse_token", "code": code} for code in codes)],
        ),
        "moved-paths": Scenario(
            "A path that has moved for good is followed on Lever's own host, with all that was asked. " + SAME,
            [*short, {"api": "lever", "endpoint": "/opportunities", "every": 2, "effect": "moved"},
             {"api": "lever", "endpoint": "/opportunities/*/notes", "every": 2, "effect": "moved"},
             {"api": "lever", "endpoint": "/opportunities/*/feedback", "every": 3, "effect": "moved", "query": False},
             {"api": "lever", "endpoint": "/opportunities/*/resumes/*/download", "every": 2, "effect": "moved",
              "status": 308}],
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
