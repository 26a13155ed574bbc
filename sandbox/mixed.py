"""All ways to go wrong that can end well, and mixes of them by a seed."""

from __future__ import annotations

import random
from typing import Any

Row = dict[str, Any]


def mix(seed: int, share: float) -> list[Row]:
    """Rows that spoil ``share`` of all requests in every way that can end well; another seed mixes other ways."""
    chance = random.Random(f"mix {seed}")
    kinds = [(group, row) for group, rows in _MIXED.items() for row in rows]
    weights = {number: chance.uniform(0.2, 1.0) for number in range(len(kinds))}
    rows = []
    for group in _MIXED:
        mine = [number for number, (one, _) in enumerate(kinds) if one == group]
        whole = sum(weights[number] for number in mine)
        part = share / 4 if group == "ashby lists" else share
        rows += [
            {"api": group.partition(" ")[0], **kinds[number][1], "share": round(part * weights[number] / whole, 6),
             "seed": chance.getrandbits(32)}
            for number in mine
        ]  # fmt: skip
    return rows


ODD_ANSWERS: list[Row] = [
    {"effect": "truncate"},
    {"effect": "wrong_length"},
    {"effect": "wrong_length", "by": -3},
    {"effect": "bad_gzip"},
    {"effect": "reset_in_answer"},
    {"effect": "html", "apply": True},
    {"effect": "empty", "apply": True},
    {"effect": "not_json", "apply": True},
]
_EVERYWHERE: list[Row] = [
    {"effect": "status", "status": 500},
    {"effect": "status", "status": 502, "body": "<html>Bad Gateway</html>"},
    {"effect": "status", "status": 503},
    {"effect": "status", "status": 504},
    {"effect": "status", "status": 503, "headers": {"Retry-After": "0.05"}},
    {"effect": "reset_before"},
    {"effect": "reset_in_request"},
    {"effect": "throttle"},
    {"effect": "throttle", "retry_after": "0.05"},
    {"effect": "late", "ms": 30},
    *ODD_ANSWERS,
]
_MIXED: dict[str, list[Row]] = {
    "lever": [
        *_EVERYWHERE,
        {"effect": "refuse_token"},
        {"effect": "repeat_page"},
        {"effect": "empty_page"},
        {"effect": "same_token"},
        {"effect": "twins"},
    ],
    "ashby": [
        *_EVERYWHERE,
        {"effect": "reset_after"},
        {"effect": "no_success"},
        {"effect": "status", "status": 500, "apply": True},
        {"effect": "envelope", "set": {"success": None}},
        {"effect": "envelope", "set": {"success": "true"}},
    ],
    "storage": [
        {"effect": "status", "status": 503},
        {"effect": "reset_before"},
        {"effect": "reset_in_answer"},
        {"effect": "refuse", "code": "AccessDenied", "message": "Request has expired"},
    ],
    "ashby lists": [
        {"effect": "repeat_page"},
        {"effect": "empty_page"},
        {"effect": "same_token"},
    ],
}
"""Ways to go wrong by API.

Lists of Ashby page badly besides, a quarter as often: a cursor that comes twice makes a walk begin anew, and at 30 % no
long list would ever end; cursors that are refused have a scenario of their own ("expired-tokens").
"""
