"""What a fault row may say, and whether it makes sense: a typo must never silently mean "no fault"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox import faults_known

Spec = dict[str, Any]
Check = Callable[[Any], bool]

APIS = ("lever", "ashby", "storage", "oauth")
KEYS = {"full": ("lever", "ashby"), "plain": ("lever",), "limited": ("ashby",), "oauth": ("lever",)}
"""Keys by name and where they are good: the full ones, Lever's without confidential access, Ashby's that only reads."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _whole(least: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _number(least: float, most: float) -> Check:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is(*kinds: type) -> Check:
    return lambda value: isinstance(value, kinds)


def _one_of(*values: str) -> Check:
    return lambda value: value in values


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for pair in value.items() for one in pair)


def _names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)


def _heads(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and (isinstance(one, str) or _is_date(one)) for name, one in value.items()
    )


def _is_date(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"date_in"} and _number(-1e9, 1e9)(value["date_in"])


def _retry_after(value: Any) -> bool:
    return _is_date(value) or (isinstance(value, str | int | float) and not isinstance(value, bool))


WHEN: dict[str, tuple[Check, str]] = {
    "api": (_one_of(*APIS), f"one of {', '.join(APIS)}"),
    "endpoint": (lambda value: isinstance(value, str) and bool(value), "the name of an endpoint, or a path"),
    "writes": (_is(bool), "true or false"),
    "method": (_one_of(*METHODS), f"one of {', '.join(METHODS)}"),
    "key": (_one_of(*KEYS), f"one of {', '.join(KEYS)}"),
    "having": (lambda value: isinstance(value, str) and bool(value), "a parameter, or a member of the body"),
    "nth": (_whole(1), "a whole number from 1"),
    "every": (_whole(1), "a whole number from 1"),
    "share": (_number(0, 1), "a number from 0 to 1"),
    "after": (_whole(0), "a whole number from 0"),
    "times": (_whole(1), "a whole number from 1"),
    "seed": (_whole(0), "a whole number from 0"),
}
"""When a row strikes; ``nth``, ``every`` and ``share`` exclude each other."""

ODD = {
    "nan": b"NaN",
    "infinity": b"-Infinity",
    "beyond_2_53": b"9007199254740993123",
    "huge": b"1e999",
    "lone_surrogate": b'"half \\ud83d of a pair"',
    "nul": b'"before \\u0000 after"',
    "unknown_enum": b'"an-enum-nobody-knows"',
    "null": b"null",
    "list": b"[]",
    "object": b'{"unexpected": {"deep": [1, {"er": null}]}}',
    "string": b'"text where none was"',
    "long": b'"' + b"x" * 200_000 + b'"',
}
"""Values that no schema expects, as they stand in the answer."""

_STATUS = (_number(100, 599), "an HTTP status")
_APPLY = (_is(bool), "true or false")
_HEADERS = (_texts, "names and values in words")
_MS = (_number(0, 600_000), "milliseconds")
_SHARE = (_number(0, 1), "a number from 0 to 1")
_WORDS = (_is(str), "text")

EFFECTS: dict[str, dict[str, tuple[Check, str]]] = {
    # before the call is served; goes together with one of the others
    "delay": {"ms": _MS},
    "short_page": {"limit": (_whole(1), "a whole number from 1")},
    "expire_access": {},
    "others": {
        "n": (_whole(1), "a whole number from 1"),
        "side": (_one_of("lever", "ashby"), "lever or ashby"),
        "kinds": (_names, "a list of kinds"),
    },
    # instead of an answer; applied only where `apply` says so
    "status": {"status": _STATUS, "headers": _HEADERS, "body": _WORDS, "apply": _APPLY},
    "refuse": {"code": _WORDS, "message": _WORDS, "status": _STATUS, "headers": _HEADERS, "apply": _APPLY},
    "moved": {"status": _STATUS, "to": _WORDS, "query": (_is(bool), "true or false")},
    "throttle": {
        "retry_after": (_retry_after, 'a number, any text, or {"date_in": seconds}'),
        "headers": _HEADERS,
    },
    "refuse_token": {"code": _WORDS},
    "html": {"status": _STATUS, "apply": _APPLY},
    "empty": {"status": _STATUS, "apply": _APPLY},
    "not_json": {"status": _STATUS, "apply": _APPLY},
    "silence": {"ms": _MS, "apply": _APPLY},
    "reset_before": {},
    "reset_in_request": {},
    # applied, and the answer is lost or spoiled
    "late": {"ms": _MS},
    "reset_after": {},
    "reset_in_answer": {"keep": _SHARE},
    "truncate": {"keep": _SHARE},
    "wrong_length": {"by": (_is(int), "a whole number")},
    "bad_gzip": {},
    "trickle": {"ms": _MS, "for_ms": _MS},
    "endless": {"ms": _MS, "for_ms": _MS},
    # applied, and the answer says something else
    "no_success": {},
    "headers": {
        "set": (_heads, 'names and values in words, or a date as {"date_in": seconds}'),
        "drop": (_names, "a list of names"),
    },
    "envelope": {"set": (_is(dict), "an object"), "drop": (_names, "a list of members")},
    "odd_value": {
        "value": (_one_of(*ODD), f"one of {', '.join(ODD)}"),
        "member": (lambda value: isinstance(value, str) and bool(value), "the name of a member"),
    },
    "twins": {},
    "shrink": {"keep": _SHARE},
    # paging
    "repeat_page": {},
    "empty_page": {},
    "same_token": {},
    "no_token": {},
}
"""Every effect and the members that belong to it."""

BEFORE = ("delay", "short_page", "expire_access", "others")
PAGING = ("repeat_page", "empty_page", "same_token", "no_token")
TOKENS = {"lever": "offset", "ashby": "cursor"}
MOVABLE = "/opportunities"
"""Where ``moved`` strikes: these paths have a second name, ``/candidates`` (documented)."""
NEEDED = {"refuse": ("code",), "short_page": ("limit",), "odd_value": ("value", "member"), "others": ("side",)}


def check(spec: Any) -> None:
    """Refuse a fault row that does not mean exactly one thing: ValueError says what is wrong with it."""
    if not isinstance(spec, dict):
        raise ValueError("a fault row is an object")
    effect = spec.get("effect")
    if not isinstance(effect, str) or effect not in EFFECTS:
        raise ValueError(f"effect must be one of {', '.join(EFFECTS)}")
    known = WHEN | EFFECTS[effect]
    unknown = sorted(set(spec) - set(known) - {"effect"})
    if unknown:
        raise ValueError(f"unknown member of a fault row with the effect {effect}: {', '.join(unknown)}")
    for name, value in spec.items():
        if name != "effect" and not known[name][0](value):
            raise ValueError(f"{name} must be {known[name][1]}")
    lacking = [name for name in NEEDED.get(effect, ()) if name not in spec]
    if lacking:
        raise ValueError(f"the effect {effect} needs {', '.join(lacking)}")
    _check_together(spec, effect)


def _check_together(spec: Spec, effect: str) -> None:
    """Refuse members that contradict each other."""
    when = [name for name in ("nth", "every", "share") if name in spec]
    if len(when) > 1:
        raise ValueError(f"{' and '.join(when)} exclude each other")
    if "seed" in spec and "share" not in spec:
        raise ValueError("seed goes with share")
    if effect in (*PAGING, "short_page", "refuse_token") and spec.get("api") not in TOKENS:
        raise ValueError(f"the effect {effect} needs an api with pages: lever or ashby")
    if effect in ("envelope", "headers") and not spec.keys() & {"set", "drop"}:
        raise ValueError(f"the effect {effect} needs set or drop")
    if "key" in spec and spec.get("api", KEYS[spec["key"]][0]) not in KEYS[spec["key"]]:
        raise ValueError(f"the key {spec['key']} goes with the api {' or '.join(KEYS[spec['key']])}")
    if spec.get("writes") and spec.get("api", "ashby") != "ashby":
        raise ValueError("writes goes with the api ashby")
    if effect == "others":
        _check_kinds(spec)
    if effect == "moved" and (spec.get("api") != "lever" or not spec.get("endpoint", "").startswith(MOVABLE)):
        raise ValueError(f"the effect moved needs the api lever, and an endpoint that begins with {MOVABLE}")
    if "endpoint" in spec:
        _check_endpoint(spec)


def _check_kinds(spec: Spec) -> None:
    """Refuse edits that nobody could make on that side."""
    there = faults_known.kinds(spec["side"])
    unknown = [kind for kind in spec.get("kinds", ()) if kind not in there]
    if unknown:
        raise ValueError(f"kinds of {spec['side']}: there is no {', '.join(unknown)}, only {', '.join(there)}")


def _check_endpoint(spec: Spec) -> None:
    """Refuse an endpoint that no call can have."""
    api, writes = spec.get("api"), bool(spec.get("writes"))
    if not faults_known.can_strike(spec["endpoint"], api=api, writes=writes):
        raise ValueError(f"endpoint: {spec['endpoint']} is no endpoint of {api or 'any api'}{' that writes' * writes}")
