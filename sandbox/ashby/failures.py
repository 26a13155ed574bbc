"""Failure envelopes: the documented form, the odder ones that clients report, and which code is spoken."""

from __future__ import annotations

import json

from sandbox.ashby.records import Json
from sandbox.ashby.state import State

DOCUMENTED = frozenset(
    (
        "application_not_found",
        "interview_plan_not_found",
        "interview_stage_not_found",
        "archive_reason_not_found",
        "communication_template_not_found",
        "notetaker_transcript_not_found",
    )
)
"""Codes of absence that the vendor's contract declares; all others are guesses."""


def spoken_code(state: State, code: str) -> str:
    """Return a code of absence as switch ``not_found_codes`` wants it: ``telling``, ``one`` or ``invalid_input``."""
    if not code.endswith("_not_found") or code in DOCUMENTED or state.decides("not_found_codes") == "telling":
        return code
    wanted = state.switch("not_found_codes")
    return "not_found" if wanted == "one" else "invalid_input"


def failure(state: State, code: str, message: str, *, rid: str, sentence: bool = False) -> bytes:
    """Return the failure envelope.

    After a 429 ``errors`` holds a sentence instead of the code (vendor contract). Switch ``failure_form``:
    ``both`` as the contract demands; ``info`` without ``errors``, as the vendor's guide shows it; ``errors``
    without ``errorInfo``, ``objects`` with objects in ``errors``, both as third-party clients met them.
    """
    info = {"code": code, "message": message, "requestId": rid}
    answer: Json = {"success": False, "errors": [message if sentence else code], "errorInfo": info}
    form = state.decides("failure_form")
    if form == "info":
        del answer["errors"]
    elif form == "errors":
        del answer["errorInfo"]
    elif form == "objects":
        answer = {"success": False, "errors": [{"code": code, "message": message}]}
    return json.dumps(answer).encode()
