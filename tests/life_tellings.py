"""Which words of the product speak of which problem: all else that is wrong in Ashby was told by nobody.

A problem is excused only by a telling about the very record it is of, and of its own kind: what stands and should not
is told as surplus, what is lost as missing, what reads otherwise as different. What stands twice, or in the wrong
hands, is excused by nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

Json = dict[str, Any]
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SUBJECT = re.compile(rf"^(?:[a-z]+:? |application of unknown )?({UUID})(?: \(({UUID})\))?")
NOT_HERE = r"surplus:candidate:\(exists\)"  # the whole candidate should not be there, so nothing of it
PHONES = "(different|surplus):candidate:phoneNumbers?"
OTHERS = "surplus:candidate:customFields Lever other phones"  # where all but the first stand
APPLICATION = r"different:application:(status|stage|archivedAt|archiveReason|createdAt|history.*)"
TOLD_BY = {
    "people": {"must never load": NOT_HERE},
    "opportunities": {
        "must never load": r"surplus:(application|[a-z ]*note):\(exists\)",
        r"is not closed|closed at another time|: is [A-Z]\w+$|createdAt|out of order": APPLICATION,
    },
    "notes": {
        "must never load": r"surplus:[a-z ]*note:\(exists\)",
        "has parts|versions": r"missing:[a-z ]*note:\(row\)",
    },
    "feedback": {r"\(never:\w+\) stands 1 times": r"surplus:(feedback|[a-z ]*note):\(exists\)"},
    "forms": {"must never load": r"surplus:[a-z ]*note:\(exists\)"},
    "files": {"is nobody's": rf"surplus:candidate:files|{NOT_HERE}"},
    "invented": {
        "^candidates: .* carries no Lever id": "stranger",
        "without a marker": "theirs:note",
        "^application of unknown": r"surplus:application:\(exists\)",
    },
    "candidates": {
        "phone .* is lost": rf"{PHONES}|{NOT_HERE}",
        r"phone (\d+) is nobody's": rf"{PHONES}|theirs:phone <1>|{OTHERS}|{NOT_HERE}",
        "address .* is nobody's": rf"surplus:candidate:emailAddresses|{NOT_HERE}",
        "address .* is lost": NOT_HERE,
        "is named|: name ": rf"different:candidate:name|{NOT_HERE}",
        ": headline ": "(different|surplus):candidate:customFields Lever headline",
        ": (?!phone|address|name|headline|is named)": NOT_HERE,
    },
    "tags": {"is invented": rf"surplus:tag on a candidate:.*|{NOT_HERE}", "is lost": "application_delete"},
    "histories": {"": APPLICATION},
    "confidential": {"stands open": r"missing:[a-z ]*note:\(row\)"},
    "answers": {"is lost$": r"missing:[a-z ]*note:\(row\)"},  # a newer form's took its place in the field
    "jobs": {
        "stands on the job of another posting": r"missing:application:\(row\)",
        "not of None$": r"surplus:application:\(exists\)",  # its application is gone
    },
    "note texts": {"is lost|stands at": r"missing:[a-z ]*note:\(row\)"},
    "feedback texts": {"is lost": r"missing:(feedback|[a-z ]*note):\(row\)"},
}
"""{kind of problem: {how its text reads: the tellings about its subject that excuse it}}; <1>: the text's group."""


def untold(kind: str, text: str, told: dict[str, set[str]], people: dict[str, list[str]]) -> str:
    """Empty when the record that a problem is of is told of, in a way that fits; else the problem, and what is told.

    `people` names the contacts of a person's key.
    """
    subject = SUBJECT.match(text)
    ids = {one for one in subject.groups() if one} if subject else set(people.get(text.partition(" ")[0], ()))
    said = sorted({one for lever_id in ids for one in told[lever_id]})
    found = ((re.search(words, text), tellings) for words, tellings in TOLD_BY.get(kind, {}).items())
    fitting = [tellings.replace("<1>", (match.groups() or ("",))[0]) for match, tellings in found if match]
    is_told = any(re.fullmatch(tellings, one) for tellings in fitting for one in said)
    return "" if is_told else f"{kind}: {text} (told: {', '.join(said) or 'nothing'})"


def tellings(proof: Any, titles: dict[str, str]) -> dict[str, set[str]]:
    """{id of Lever or Ashby: what a validation says of it}; a value of a custom field with the title of the field."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in proof.differences.to_dict("records"):
        field = re.match(rf"field ({UUID}):", row["detail"])
        title = f" {titles.get(field[1], field[1])}" if field else ""
        lever_id = row["lever_id"].partition(" ")[0]  # of a form without an id of its own: "<candidacy> <form>"
        for one in {lever_id, row["ashby_id"]} - {""}:
            found[one].add(f"{row['kind']}:{row['object']}:{row['field']}{title}")
    return found
