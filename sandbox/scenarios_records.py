"""Scenarios of what answers hold: odd values, files, refusals, and other people at work meanwhile."""

from __future__ import annotations

from sandbox.mixed import ODD_ANSWERS, Row
from sandbox.scenario import AFTERWARDS, SAME, Scenario, every


def scenarios() -> dict[str, Scenario]:
    """The scenarios of this module."""
    return _values() | _lists() | _files() | _refusals() | _others()


def _values() -> dict[str, Scenario]:
    """Answers that hold what no schema expects."""
    odd = ("beyond_2_53", "huge", "lone_surrogate", "nul", "nan", "infinity", "object", "long", "unknown_enum")
    unknown: list[Row] = [{"effect": "odd_value", "member": "notInTheReference", "value": value} for value in odd]
    return {
        "unknown-members": Scenario(
            "What nobody knows is kept raw, reported as drift, and changes nothing. " + SAME,
            every(3, unknown, api="lever", endpoint="/opportunities/*/notes")
            + every(2, unknown, api="lever", endpoint="/opportunities")
            + every(11, unknown, api="ashby"),
        ),
        "same-id-twice": Scenario(
            "Of one id with two bodies the newest stays. " + SAME,
            [{"api": "lever", "endpoint": path, "effect": "twins"}
             for path in ("/opportunities", "/postings", "/opportunities/*/feedback")],
        ),
        "odd-known-values": Scenario(
            "A value that nobody knows in an attribute that the move does not hang on is kept raw and reported as "
            "drift; the run goes on. " + AFTERWARDS,
            [{"api": "lever", "endpoint": path, "effect": "odd_value", "member": member, "value": value}
             for path, member, value in (
                 ("/opportunities", "origin", "unknown_enum"), ("/opportunities", "headline", "list"),
                 ("/postings", "workplaceType", "unknown_enum"), ("/users", "accessRole", "unknown_enum"),
                 ("/opportunities/*/files", "status", "unknown_enum"),
                 ("/opportunities/*/resumes", "createdAt", "string"),
                 ("/opportunities/*/feedback", "type", "unknown_enum"), ("/opportunities/*/forms", "stage", "list"))],
        ),
        "odd-needed-values": Scenario(
            "Another kind of value in an attribute that the move hangs on stops the run, which names attribute and "
            "record. " + AFTERWARDS,
            [{"api": "lever", "endpoint": "/opportunities", "effect": "odd_value", "member": "createdAt",
              "value": "string"}],
        ),
    }  # fmt: skip


def _lists() -> dict[str, Scenario]:
    """Lists that lack what is there, or are not there."""
    return {
        "lists-that-shrink": Scenario(
            "A list of children that is cut short takes nothing away of what was read before; what a first reading "
            "misses comes when everything is read again (`reread=all`). " + AFTERWARDS,
            [{"api": "lever", "endpoint": "/opportunities/*/notes", "every": 3, "effect": "shrink", "keep": 0}],
        ),
        "account-that-shrinks": Scenario(
            "A list of opportunities that is cut short takes nothing away of what was read before; what a first "
            "reading misses comes when all are listed again (`reread`). " + AFTERWARDS,
            [{"api": "lever", "endpoint": "/opportunities", "every": 2, "effect": "shrink", "keep": 0.5}],
        ),
        "lists-that-are-not-there": Scenario(
            "404 for a list of an opportunity that is there stops the run and is never an empty list. " + AFTERWARDS,
            [{"api": "lever", "endpoint": "/opportunities/*/notes", "after": 10, "effect": "status", "status": 404}],
        ),
        "sync-tokens-expire": Scenario(
            "A sync token that is refused, in whatever words, costs a whole walk and nothing else. " + SAME,
            [{"api": "ashby", "having": "syncToken", "times": 1, "effect": "refuse_token", "code": code}
             for code in ("sync_token_expired", "sync_token_invalid", "incremental_sync_too_large")],
        ),
    }  # fmt: skip


def _files() -> dict[str, Scenario]:
    """Storage hosts of both sides."""
    expired: Row = {"effect": "refuse", "code": "AccessDenied", "message": "Request has expired"}
    downloads = [f"/opportunities/*/{name}/*/download" for name in ("resumes", "files", "offers")]
    return {
        "storage-hiccups": Scenario(
            "Every file arrives whole or not at all. " + SAME,
            every(7, [expired, {"effect": "status", "status": 503}, *ODD_ANSWERS], api="storage")
            + [row for path in downloads for row in every(9, ODD_ANSWERS, api="lever", endpoint=path)],
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
            [{"api": "lever", "endpoint": path, "every": 3, "effect": "refuse", "status": status, "code": "No"}
             for path in downloads for status in (413, 415)],
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
        "applicants-at-work": Scenario(
            "Whoever applies, again or for the first time, while Lever is read arrives as it stands in the end.",
            [{"api": "lever", "every": 60, "times": 7, "effect": "others", "side": "lever", "n": 1,
              "kinds": ["reapply", "person_new", "opportunity_new", "application_delete"]}],
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
