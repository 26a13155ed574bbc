"""What stands in a faulty answer: envelopes of refusals, throttling headers, altered bodies."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import Any

from sandbox.faults_rows import MOVABLE, ODD
from sandbox.faults_wire import Asked

INSTEAD = (
    "status", "refuse", "moved", "throttle", "refuse_token", "html", "empty", "not_json", "silence", "reset_before",
    "reset_in_request",
)  # fmt: skip
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Something went wrong</h1></body></html>"
NOT_JSON = b"upstream connect error or disconnect/reset before headers"
STATUSES = {
    "throttle": 429, "moved": 301, "reset_before": 0, "reset_in_request": 0, "silence": 0, "html": 200, "empty": 200,
    "not_json": 200,
}  # fmt: skip
REFUSALS = {"lever": 400, "ashby": 200, "storage": 403, "oauth": 403}
PLACE = "\u0001odd\u0001"


def status_of(fault: dict[str, Any], api: str) -> int:
    """The status a fault answers with (0 = none at all)."""
    if fault["effect"] in ("refuse", "refuse_token"):
        return int(fault.get("status", REFUSALS[api]))
    return int(fault.get("status", STATUSES.get(fault["effect"], 500)))


def headers_of(fault: dict[str, Any], asked: Asked) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that stands in place of the real one."""
    found = {str(name).lower(): str(value) for name, value in fault.get("headers", {}).items()}
    if fault["effect"] == "moved":
        found["location"] = _second_name(fault, asked)
    told = fault.get("retry_after")
    if isinstance(told, dict):
        found["retry-after"] = formatdate(time.time() + told["date_in"], usegmt=True)
    elif told is not None:
        found["retry-after"] = str(told)
    return [(name.encode(), value.encode("utf-8")) for name, value in found.items()]


def _second_name(fault: dict[str, Any], asked: Asked) -> str:
    """Where a path below ``/opportunities`` is to be asked for; without its query where the row says so."""
    path = asked.scope["path"].replace(MOVABLE, "/candidates", 1)
    query = asked.scope.get("query_string", b"").decode("latin-1") if fault.get("query", True) else ""
    return f"{fault.get('to', '')}{path}{'?' * bool(query)}{query}"


def body_of(fault: dict[str, Any], api: str) -> tuple[bytes, bytes]:
    """(content type, body) of an answer that stands in place of the real one."""
    effect = fault["effect"]
    if effect == "html":
        return b"text/html", HTML
    if effect == "not_json":
        return b"text/plain", NOT_JSON
    if effect in ("refuse", "refuse_token", "throttle"):
        return _refusal(api, *_words(fault, api))
    return b"application/json", str(fault.get("body", "")).encode()


def _words(fault: dict[str, Any], api: str) -> tuple[str, str]:
    """(code, message) of a refusal."""
    if fault["effect"] == "throttle":
        return ("rate_limit_exceeded" if api == "ashby" else "TooManyRequests"), "Rate limit exceeded"
    if fault["effect"] == "refuse_token":
        code = fault.get("code", "next_cursor_expired" if api == "ashby" else "BadRequestError")
        return code, "Invalid offset token"
    return fault["code"], fault.get("message", "refused by a planted fault")


def _refusal(api: str, code: str, message: str) -> tuple[bytes, bytes]:
    """A refusal in the words of each API; a 429 of Ashby holds sentences instead of codes in ``errors``."""
    if api == "storage":
        text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return b"application/xml", text.encode()
    if api == "ashby":
        sentence = message if code == "rate_limit_exceeded" else code
        info = {"code": code, "message": message, "requestId": "01FAULT0000000000000000000"}
        return b"application/json", json.dumps({"success": False, "errors": [sentence], "errorInfo": info}).encode()
    if api == "oauth":
        return b"application/json", json.dumps({"error": code, "error_description": message}).encode()
    return b"application/json", json.dumps({"code": code, "message": message}).encode()


def altered(fault: dict[str, Any], api: str, body: bytes) -> bytes:
    """The body of a good answer with one thing changed; what is not JSON stays as it is."""
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    if not isinstance(answer, dict):
        return body
    effect = fault["effect"]
    if effect == "no_success":
        answer = {"ok" if name == "success" else name: value for name, value in answer.items()}
    elif effect == "envelope":
        gone = fault.get("drop", ())
        answer = {name: value for name, value in answer.items() if name not in gone} | fault.get("set", {})
    elif effect == "odd_value":
        return _with_odd_value(answer, api, fault["member"], ODD[fault["value"]])
    elif effect == "shrink":
        items = items_of(answer, api)
        if isinstance(items, list):
            del items[int(len(items) * fault.get("keep", 0.5)) :]
    elif effect == "twins":
        _double(items_of(answer, api))
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")


def items_of(answer: dict[str, Any], api: str) -> Any:
    """What an envelope carries."""
    return answer.get("results" if api == "ashby" else "data")


def _with_odd_value(answer: dict[str, Any], api: str, member: str, value: bytes) -> bytes:
    """The answer with an odd value in a member of its first object."""
    items = items_of(answer, api)
    first = items[0] if isinstance(items, list) and items else items
    if isinstance(first, dict):
        first[member] = PLACE
    text = json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return text.replace(json.dumps(PLACE).encode(), value)


def _double(items: Any) -> None:
    """The first record once more, as it was an hour ago and under another headline: the same id with two bodies."""
    if isinstance(items, list) and items and isinstance(items[0], dict) and items[0].get("updatedAt"):
        older = dict(items[0]) | {"headline": "an older body", "updatedAt": items[0]["updatedAt"] - 3_600_000}
        items.append(older)
