"""Recruiters at work in the sandbox's Lever: each edit does what the facts say, follows its seed, can be undone."""

import random
import time
from email.utils import parsedate_to_datetime

import pytest
from lever_kit import Server, one_server

from sandbox.company import NOW_MS, Company, build, edits
from sandbox.company.editing import EditError, Editor
from sandbox.company.truth import truth
from sandbox.lever.switches import SWITCHES

ALL = [("confidentiality", "all")]
WHOLE = [*ALL, ("expand", "applications"), ("expand", "contact")]
DATES = ("updatedAt", "lastInteractionAt", "lastAdvancedAt")
MOVED = {
    "stage": DATES, "archive": DATES, "hire": DATES, "reopen": DATES[:2], "note_new": DATES[:2],
    "note_comment": DATES[:2], "note_edit": DATES[:1], "note_delete": (), "feedback_new": DATES[:2],
    "feedback_submit": DATES[:2], "feedback_edit": (), "feedback_delete": (), "form_new": (), "form_delete": (),
    "file_new": (), "file_replace": (), "file_delete": (), "resume_new": (), "interview_new": (),
    "interview_cancel": (), "offer_new": (), "tag": DATES[:1], "source": DATES[:1], "owner": DATES[:1],
    "snooze": DATES[:1], "follow": DATES[:1], "sourced_by": DATES[:1],
    "application_edit": DATES[:1], "repost": DATES[:1], "offer_status": (), "interview_edit": (),
    "contact_edit": DATES[:1], "consent": DATES[:1], "anonymise": DATES[:1], "application_delete": DATES[:1],
}  # fmt: skip
"""Which dates each edit moves by default, as the fact sheet tells it (§8); everything else stands still."""


running, server = one_server("--limits", "off", people=40)


def edit(server: Server, kind: str, **more: object) -> dict:
    """Make one edit."""
    (done,) = server.control("edits", "POST", {"edits": [{"kind": kind, **more}]})
    return done


def one(server: Server, opportunity: str) -> dict:
    return server.get(f"/opportunities/{opportunity}").json()["data"]


def children(server: Server, opportunity: str, kind: str) -> dict[str, dict]:
    return {row["id"]: row for row in server.get(f"/opportunities/{opportunity}/{kind}").json()["data"]}


def editor(seed: int = 3, people: int = 40, **switches: str) -> Editor:
    """A company in this process, and somebody who edits it."""
    known = SWITCHES | switches
    return edits.editor(build(seed=seed, people=people), switch=lambda name: known[name])


# ---- what each edit does -------------------------------------------------------------------------------------------
def test_every_kind_has_a_line_in_the_table_of_dates() -> None:
    """No kind of edit is left without a statement about its dates; the rest make, remove, or touch no opportunity."""
    others = {"person_new", "opportunity_new", "reapply", "opportunity_delete", "merge"}
    others |= {"posting_new", "posting_edit", "posting_close", "posting_delete", "confidentiality"}
    others |= {"user_new", "user_edit", "user_deactivate", "user_reactivate"}
    assert set(edits.WEIGHTS) == set(MOVED) | others


@pytest.mark.parametrize("kind", MOVED)
def test_an_edit_moves_the_dates_that_lever_moves(server: Server, kind: str) -> None:
    """On its opportunity these, to the time of the edit; on all other opportunities none."""
    before = {row["id"]: row for row in server.walk("/opportunities", ALL)}
    done = edit(server, kind)
    after = {row["id"]: row for row in server.walk("/opportunities", ALL)}
    touched = {done["opportunity"]} if "opportunity" in done else {
        key for key, row in before.items() if row["contact"] == done["contact"]
    }  # fmt: skip
    assert touched
    assert before.keys() == after.keys()
    for key, row in after.items():
        moved = {name: row[name] for name in DATES if row[name] != before[key][name]}
        assert moved == (dict.fromkeys(MOVED[kind], done["at"]) if key in touched else {})
        if key not in touched:
            assert row == before[key]


def test_dates_that_are_not_known_to_move_do_when_a_switch_says_so(server: Server) -> None:
    """New files and deleted notes may move `updatedAt`, and it may be late."""
    server.control("switches", "POST", {"quiet_children": "no", "quiet_deletes": "no", "updated_lag_ms": "90000"})
    for kind in ("file_new", "note_delete", "offer_status", "interview_edit", "stage"):
        done = edit(server, kind)
        row = one(server, done["opportunity"])
        assert (row["lastInteractionAt"], row["updatedAt"]) == (done["at"], done["at"] - 90_000)


def test_a_closed_candidacy_that_is_closed_anew_does_not_advance(server: Server) -> None:
    """The second closing moves the first two dates only, and `archivedAt`."""
    first = edit(server, "archive")
    second = edit(server, "archive", opportunity=first["opportunity"])
    row = one(server, first["opportunity"])
    assert row["archived"]["archivedAt"] == row["updatedAt"] == second["at"]
    assert row["lastAdvancedAt"] == first["at"]
    application = server.get(f"/opportunities/{row['id']}/applications").json()["data"]
    assert [one["archived"] for one in application] == [row["archived"]] * len(application)


def test_a_closed_candidacy_may_be_moved_and_stays_closed(server: Server) -> None:
    """A named one only, as recorded: all three dates move, the archiving does not, and the truth names the trap."""
    row = next(row for row in server.walk("/opportunities", ALL) if row["archived"] and row["stage"] != "lead-new")
    before = server.control("truth")["counts"]["traps"].get("moved-after-closing", 0)
    done = edit(server, "stage", opportunity=row["id"], stage="lead-new")
    after = one(server, row["id"])
    assert (after["stage"], after["archived"]) == ("lead-new", row["archived"])
    assert after["stageChanges"][-1]["updatedAt"] == done["at"] > after["archived"]["archivedAt"]
    assert [after[name] for name in DATES] == [done["at"]] * 3
    told = server.control("truth")
    (person,) = [one for one in told["people"] if row["contact"] in one["contacts"]]
    assert "moved-after-closing" in person["traps"]
    assert told["counts"]["traps"]["moved-after-closing"] == before + 1
    for done in server.control("edits", "POST", {"n": 30, "seed": 1, "kinds": ["stage"]}):
        assert one(server, done["opportunity"])["archived"] is None


def test_notes_and_feedback_change_as_recruiters_change_them(server: Server) -> None:
    """New, answered, reworded, deleted; a deleted one stays in the list with its date, unless a switch hides it."""
    done = edit(server, "note_new", text="A first word", secret=True)
    where, note = done["opportunity"], done["id"]
    assert children(server, where, "notes")[note]["fields"][0]["value"] == "A first word"
    edit(server, "note_comment", id=note, text="A second")
    edit(server, "note_edit", id=note, text="Better")
    row = children(server, where, "notes")[note]
    assert ([field["value"] for field in row["fields"]], row["secret"]) == (["Better", "A second"], True)
    gone = edit(server, "note_delete", id=note)
    assert children(server, where, "notes")[note]["deletedAt"] == gone["at"]
    server.control("switches", "POST", {"deleted_children": "hidden"})
    assert note not in children(server, where, "notes")
    filed = edit(server, "feedback_new", text="Good")
    changed = edit(server, "feedback_edit", id=filed["id"], text="Very good")
    form = children(server, filed["opportunity"], "feedback")[filed["id"]]
    assert "Very good" in [field.get("value") for field in form["fields"]]
    assert form["updatedAt"] == changed["at"] > one(server, filed["opportunity"])["updatedAt"]


def test_files_come_go_and_are_replaced(server: Server) -> None:
    """A replaced file has another id and the old name; the list of actions tells; the old bytes are gone."""
    done = edit(server, "file_replace")
    path = f"/opportunities/{done['opportunity']}/files"
    rows = children(server, done["opportunity"], "files")
    assert done["id"] in rows
    assert done["gone"] not in rows
    assert server.get(f"{path}/{done['gone']}/download").status_code == 404
    assert server.get(f"{path}/{done['id']}/download").status_code == 200
    actions = server.get(f"/opportunities/{done['opportunity']}/file_actions").json()["data"]
    assert [row["type"] for row in actions][-2:] == ["file-remove", "file-added"]
    assert actions[-1]["occurredAt"] == done["at"]


def test_a_deleted_candidacy_is_only_in_the_deleted_lists(server: Server) -> None:
    """Gone from the list, by id and below; its application is in its own deleted list."""
    row = next(row for row in server.walk("/opportunities", WHOLE) if row["applications"])
    done = edit(server, "opportunity_delete", opportunity=row["id"])
    assert row["id"] not in {other["id"] for other in server.walk("/opportunities", ALL)}
    for path in ("", "/notes", "/resumes"):
        assert server.get(f"/opportunities/{row['id']}{path}").status_code == 404
    (gone,) = server.walk("/opportunities/deleted", [("deleted_at_start", str(NOW_MS))])
    assert (gone["id"], gone["deletedAt"]) == (row["id"], done["at"])
    window = {"deleted_at_start": NOW_MS, "deleted_at_end": done["at"]}
    (application,) = server.get("/applications/deleted", window).json()["data"]
    assert application == {
        "id": row["applications"][0]["id"], "deletedAt": done["at"], "opportunityId": row["id"],
        "postingId": row["applications"][0]["posting"],
    }  # fmt: skip
    assert row["id"] in server.control("truth")["deleted_opportunities"]


def test_deleted_lists_may_reach_back_only_so_far(server: Server) -> None:
    """How far is not known: a switch."""
    edit(server, "opportunity_delete")
    assert len(server.walk("/opportunities/deleted")) == 5
    server.control("switches", "POST", {"deleted_reach_days": "19"})
    assert len(server.walk("/opportunities/deleted")) == 3
    server.control("switches", "POST", {"deleted_reach_days": "1"})
    assert len(server.walk("/opportunities/deleted")) == 1


def test_a_candidacy_without_its_application_has_no_posting(server: Server) -> None:
    """The opportunity stays; the truth expects no application any more."""
    done = edit(server, "application_delete")
    row = one(server, done["opportunity"])
    assert row["applications"] == []
    assert "opportunityLocation" not in row
    (told,) = [one for one in server.control("truth")["opportunities"] if one["id"] == row["id"]]
    assert told["expected"] in ("no posting", "never:consent")


def test_an_erased_person_leaves_metadata_only(server: Server) -> None:
    """Contact, opportunities and applications are empty, nothing hangs below, the truth says never."""
    before = {row["id"]: row for row in server.walk("/opportunities", WHOLE)}
    done = edit(server, "anonymise")
    empty = ("", "", "", [], [], [], True)
    for key in done["opportunities"]:
        row = server.get(f"/opportunities/{key}", [("expand", "applications"), ("expand", "contact")]).json()["data"]
        names = ("name", "headline", "location", "emails", "phones", "links", "isAnonymized")
        assert tuple(row[name] for name in names) == empty
        assert (row["contact"]["name"], row["contact"]["emails"], row["contact"]["isAnonymized"]) == ("", [], True)
        assert [one["name"] or one["email"] or one["customQuestions"] or None for one in row["applications"]] == [
            None for _ in row["applications"]
        ]
        assert (row["stage"], row["createdAt"]) == (before[key]["stage"], before[key]["createdAt"])
        for kind in ("notes", "feedback", "resumes", "files", "forms", "offers"):
            assert children(server, key, kind) == {}
    told = server.control("truth")
    assert {one["expected"] for one in told["opportunities"] if one["contact"] == done["contact"]} == {
        "never:anonymised"
    }
    (person,) = [one for one in told["people"] if done["contact"] in one["contacts"]]
    assert person["expected"] == "never:anonymised"


def test_merged_contacts_become_one(server: Server) -> None:
    """The opportunities of the lost one change hands and dates, its addresses are kept, its id is gone or an orphan."""
    before = server.walk("/opportunities", WHOLE)
    done = edit(server, "merge")
    after = {row["id"]: row for row in server.walk("/opportunities", WHOLE)}
    emails = {
        mail for row in before if row["contact"]["id"] in (done["contact"], done["gone"]) for mail in row["emails"]
    }
    for row in before:
        if row["contact"]["id"] in (done["contact"], done["gone"]):
            now = after[row["id"]]
            assert (now["contact"]["id"], now["updatedAt"]) == (done["contact"], done["at"])
            assert set(now["emails"]) == set(now["contact"]["emails"]) == emails
        else:
            assert after[row["id"]] == row
    assert server.get(f"/contacts/{done['gone']}").status_code == 404
    server.control("switches", "POST", {"orphan_contacts": "answer"})
    assert server.get(f"/contacts/{done['gone']}").json()["data"]["id"] == done["gone"]
    told = server.control("truth")
    assert told["merged_contacts"] == {done["gone"]: done["contact"]}
    assert done["gone"] not in str(told["people"])


def test_people_come_back_and_new_ones_come(server: Server) -> None:
    """New candidacies begin now, in the first stage, with an application; `updatedAt` is a switch."""
    for kind, new in (("person_new", True), ("opportunity_new", False), ("reapply", False)):
        before = server.control("truth")
        known = next(one for one in before["opportunities"] if one["expected"] == "application")
        named = {"opportunity_new": {"contact": known["contact"]}, "reapply": {"opportunity": known["id"]}}
        done = edit(server, kind, **named.get(kind, {}))
        row = server.get(f"/opportunities/{done['opportunity']}", {"expand": "applications"}).json()["data"]
        assert row["createdAt"] == row["updatedAt"] == row["stageChanges"][0]["updatedAt"] == done["at"]
        assert (row["archived"], row["applications"][0]["posting"]) == (None, done["posting"])
        told = server.control("truth")
        assert len(told["people"]) - len(before["people"]) == new
        (mine,) = [one for one in told["opportunities"] if one["id"] == row["id"]]
        assert bool(mine["repeats"]) == (kind == "reapply")
    server.control("switches", "POST", {"new_updated_at": "null"})
    assert one(server, edit(server, "person_new")["opportunity"])["updatedAt"] is None


def test_corrected_contacts_show_everywhere(server: Server) -> None:
    """Each attribute, on the contact and on each of its opportunities, and in the truth."""
    contact = edit(server, "contact_edit")["contact"]
    wanted = {"name": "Ada Novel", "headline": "Elsewhere", "location": "Oslo", "email": "ada@new.example",
              "phone": "+44 20 7946 0999", "link": "https://ada.example"}  # fmt: skip
    for attribute, value in wanted.items():
        edit(server, "contact_edit", contact=contact, attribute=attribute, value=value)
    for row in server.walk("/opportunities", [*WHOLE, ("contact_id", contact)]):
        assert (row["name"], row["headline"], row["location"]) == ("Ada Novel", "Elsewhere", "Oslo")
        assert row["emails"][0] == row["contact"]["emails"][0] == "ada@new.example"
        assert [phone["value"] for phone in row["phones"]] == ["+44 20 7946 0999"]
        assert row["links"][-1] == "https://ada.example"
        assert row["contact"]["location"] == {"name": "Oslo"}
    (told,) = [one for one in server.control("truth")["contacts"] if one["id"] == contact]
    assert (told["name"], told["emails"][0], told["location"]) == ("Ada Novel", "ada@new.example", "Oslo")


def test_postings_close_and_people_leave(server: Server) -> None:
    """A closed posting moves its own date; a user who left is listed only when asked for."""
    done = edit(server, "posting_close")
    posting = server.get(f"/postings/{done['posting']}").json()["data"]
    assert (posting["state"], posting["distributionChannels"], posting["updatedAt"]) == ("closed", None, done["at"])
    changed = edit(server, "posting_edit", posting=done["posting"], text="Other words")
    window = [*ALL, ("updated_at_start", str(done["at"]))]
    (listed,) = server.walk("/postings", window)
    assert (listed["content"]["description"], listed["updatedAt"]) == ("Other words\n", changed["at"])
    user = edit(server, "user_deactivate")["user"]
    assert user not in {row["id"] for row in server.walk("/users")}
    assert user in {row["id"] for row in server.walk("/users", [("includeDeactivated", "true")])}


def test_a_posting_can_be_deleted_while_people_stand_on_it(server: Server) -> None:
    """Only the deleted list knows it; who applied there goes on naming it, and the truth has no job for them."""
    told = server.control("truth")["opportunities"]
    posting = next(row["posting"] for row in told if row["expected"] == "application" and not row["confidential"])
    mine = {row["id"] for row in told if row["posting"] == posting and row["expected"] == "application"}
    done = edit(server, "posting_delete", posting=posting)
    assert server.get(f"/postings/{posting}").status_code == 404
    window = {"deleted_at_start": str(done["at"]), "deleted_at_end": str(done["at"])}
    assert [row["id"] for row in server.get("/postings/deleted", window).json()["data"]] == [posting]
    after = {row["id"]: row for row in server.control("truth")["opportunities"]}
    assert {(after[key]["posting"], after[key]["expected"]) for key in mine} == {(posting, "no posting")}


def test_people_snooze_follow_and_are_credited(server: Server) -> None:
    """Each is told by the opportunity; a second snooze wakes, a second follow lets go."""
    for kind, member in (("snooze", "snoozedUntil"), ("follow", "followers")):
        done = edit(server, kind)
        before = one(server, done["opportunity"])[member]
        user = {"user": done["user"]} if kind == "follow" else {}
        edit(server, kind, opportunity=done["opportunity"], **user)
        assert bool(before) != bool(one(server, done["opportunity"])[member]) or len(before) > 1
    done = edit(server, "sourced_by")
    assert one(server, done["opportunity"])["sourcedBy"] == done["user"]


def test_an_application_is_corrected(server: Server) -> None:
    """Each attribute, on the application; what candidates type only where they applied by themselves."""
    rows = [row for row in server.walk("/opportunities", WHOLE) if row["applications"] and not row["isAnonymized"]]
    typed = next(
        row for row in rows
        if row["applications"][0]["type"] == "posting" and row["applications"][0]["customQuestions"]
    )  # fmt: skip
    users = server.walk("/users")
    wanted = {"name": "Ada Typed", "company": "Elsewhere", "email": "ada@typed.example", "comments": "More of me.",
              "phone": "+44 20 7946 0998", "link": "https://typed.example", "answer": "Because.",
              "manager": users[0]["id"], "owner": users[1]["id"]}  # fmt: skip
    for attribute, value in wanted.items():
        edit(server, "application_edit", opportunity=typed["id"], attribute=attribute, value=value)
    (now,) = server.get(f"/opportunities/{typed['id']}/applications").json()["data"]
    assert (now["name"], now["company"], now["email"]) == ("Ada Typed", "Elsewhere", "ada@typed.example")
    assert (now["comments"], now["phone"]["value"], now["links"][-1]) == (
        "More of me.", "+44 20 7946 0998", "https://typed.example",
    )  # fmt: skip
    assert (now["postingHiringManager"], now["postingOwner"]) == (users[0]["id"], users[1]["id"])
    assert "Because." in [field.get("value") for form in now["customQuestions"] for field in form["fields"]]
    (told,) = [one for one in server.control("truth")["opportunities"] if one["id"] == typed["id"]]
    assert (told["company"], told["comments"]) == ("Elsewhere", "More of me.")
    by_hand = next(row for row in rows if row["applications"][0]["type"] == "user")
    body = {"kind": "application_edit", "opportunity": by_hand["id"], "attribute": "comments"}
    assert "fits" in server.control("edits", "POST", {"edits": [body]})["message"]


def test_a_candidacy_moves_to_another_posting_with_all_that_follows_from_it(server: Server) -> None:
    """Owner, manager, place, confidentiality and Lever's own tags are the new posting's; those people set stay."""
    row = next(row for row in server.walk("/opportunities", WHOLE) if row["applications"] and not row["isAnonymized"])
    secret = next(one for one in server.walk("/postings", ALL) if one["confidentiality"] == "confidential")
    before = {one["id"]: one for one in server.control("truth")["opportunities"]}[row["id"]]
    assert edit(server, "repost", opportunity=row["id"], posting=secret["id"])["posting"] == secret["id"]
    now = server.get(f"/opportunities/{row['id']}", [("expand", "applications")]).json()["data"]
    assert (now["confidentiality"], now["opportunityLocation"]) == ("confidential", secret["categories"]["location"])
    application = now["applications"][0]
    assert (application["id"], application["posting"]) == (row["applications"][0]["id"], secret["id"])
    assert (application["postingOwner"], application["postingHiringManager"]) == (
        secret["owner"], secret["hiringManager"],
    )  # fmt: skip
    assert secret["text"] in now["tags"]
    after = {one["id"]: one for one in server.control("truth")["opportunities"]}[row["id"]]
    assert (after["posting"], after["title"], after["tags"]) == (secret["id"], secret["text"], before["tags"])
    assert edit(server, "repost", opportunity=row["id"])["from"] == secret["id"]
    assert one(server, row["id"])["confidentiality"] == "non-confidential"


def test_a_posting_turns_confidential_and_open_again_with_all_who_stand_on_it(server: Server) -> None:
    """Candidacies and requisitions follow; their dates move; a key without access does not see them any more."""
    requisition = server.walk("/requisitions")[0]
    (posting,) = requisition["postings"]
    before = server.walk("/opportunities", ALL)
    done = edit(server, "confidentiality", posting=posting)
    assert done["value"] == "confidential"
    assert done["opportunities"]
    for row in server.walk("/opportunities", ALL):
        assert (row["updatedAt"] == done["at"]) is (row["id"] in done["opportunities"])
        assert row["confidentiality"] == "confidential" or row["id"] not in done["opportunities"]
    assert not set(done["opportunities"]) & {row["id"] for row in server.walk("/opportunities")}
    assert posting not in {row["id"] for row in server.walk("/postings")}
    assert requisition["id"] not in {row["id"] for row in server.walk("/requisitions")}
    assert server.get(f"/opportunities/{done['opportunities'][0]}", key="lever_key_plain").status_code == 403
    told = {one["id"]: one["confidential"] for one in server.control("truth")["opportunities"]}
    assert {told[one] for one in done["opportunities"]} == {True}
    assert edit(server, "confidentiality", posting=posting)["value"] == "non-confidential"
    assert [row["id"] for row in server.walk("/opportunities", ALL)] == [row["id"] for row in before]
    assert posting in {row["id"] for row in server.walk("/postings")}


def test_an_offer_goes_from_draft_to_signed(server: Server) -> None:
    """Step by step, none left out; documents, dates and signatures come with it, and the signed bytes can be had."""
    server.control("edits", "POST", {"n": 20, "seed": 1, "kinds": ["offer_new"]})
    offers = {
        row["id"]: (item["id"], row)
        for item in server.walk("/opportunities", ALL) for row in children(server, item["id"], "offers").values()
    }  # fmt: skip
    where, offer = next(pair for pair in offers.values() if pair[1]["status"] == "draft")
    bytes_of = f"/opportunities/{where}/offers/{offer['id']}/download"
    assert server.get(bytes_of, {"status": "signed"}).status_code == 404
    wrong = {"kind": "offer_status", "id": offer["id"], "status": "signed"}
    assert "approval-sent" in server.control("edits", "POST", {"edits": [wrong]})["message"]
    at = {}
    for status in ("approval-sent", "approved", "sent", "opened", "signed"):
        at[status] = edit(server, "offer_status", id=offer["id"], status=status)["at"]
    now = children(server, where, "offers")[offer["id"]]
    assert (now["status"], now["approved"], now["approvedAt"], now["sentAt"]) == (
        "signed", True, at["approved"], at["sent"],
    )  # fmt: skip
    assert now["sentDocument"]["uploadedAt"] == at["sent"]
    assert now["signedDocument"]["uploadedAt"] == at["signed"]
    assert {one["signedAt"] for one in now["signatures"].values()} == {at["signed"]}
    assert server.get(bytes_of, {"status": "signed"}).status_code == 200
    (told,) = [one for one in server.control("truth")["files"] if one["id"] == offer["id"]]
    assert told["expected"] in ("load", "never:person")
    refused = {"kind": "offer_status", "id": offer["id"]}
    assert server.control("edits", "POST", {"edits": [refused]})["ok"] is False


def test_interviews_are_put_off_and_handed_over(server: Server) -> None:
    """The list of interviews and the panel say the same, and the panel begins with its first interview."""
    done = edit(server, "interview_edit", attribute="date")
    before = children(server, done["opportunity"], "interviews")[done["id"]]
    edit(server, "interview_edit", id=done["id"], attribute="date")
    edit(server, "interview_edit", id=done["id"], attribute="interviewer")
    now = children(server, done["opportunity"], "interviews")[done["id"]]
    assert now["date"] > before["date"]
    assert now["interviewers"][0]["id"] not in {one["id"] for one in before["interviewers"]}
    assert now["interviewers"][1:] == before["interviewers"][1:]
    panel = children(server, done["opportunity"], "panels")[now["panel"]]
    (shown,) = [row for row in panel["interviews"] if row["id"] == done["id"]]
    assert shown["date"] == now["date"]
    assert [row["id"] for row in shown["interviewers"]] == [row["id"] for row in now["interviewers"]]
    assert panel["start"] == min(row["date"] for row in panel["interviews"])
    assert panel["end"] == max(row["date"] + row["duration"] * 60_000 for row in panel["interviews"])


def test_a_new_posting_can_be_applied_for(server: Server) -> None:
    """It is listed, has its form, and a person who comes may stand on it."""
    done = edit(server, "posting_new", text="Controls Engineer, new")
    listed = server.get("/postings", ALL).json()["data"][0]
    assert (listed["id"], listed["text"], listed["createdAt"]) == (
        done["posting"],
        "Controls Engineer, new",
        done["at"],
    )
    assert server.get(f"/postings/{done['posting']}/apply").json()["data"]["id"] == done["posting"]
    for kind in ("person_new", "opportunity_new"):
        came = edit(server, kind, posting=done["posting"])
        assert came["posting"] == done["posting"]
        (told,) = [row for row in server.control("truth")["opportunities"] if row["id"] == came["opportunity"]]
        assert told["title"] == "Controls Engineer, new"
    found = server.control("edits", "POST", {"n": 60, "seed": 1, "kinds": ["person_new", "opportunity_new"]})
    assert done["posting"] in {row["posting"] for row in found}


def test_users_join_change_and_come_back(server: Server) -> None:
    """A new user may be an author; a name keeps its first part, an address gives the user name."""
    done = edit(server, "user_new", name="Kim Novak")
    user = server.get(f"/users/{done['user']}").json()["data"]
    assert (user["name"], user["createdAt"], user["deactivatedAt"]) == ("Kim Novak", done["at"], None)
    assert user["username"] == user["email"].partition("@")[0]
    edit(server, "user_edit", user=done["user"], attribute="email", value="kim@elsewhere.example")
    edit(server, "user_edit", user=done["user"], attribute="role", value="admin")
    assert edit(server, "user_edit", user=done["user"], attribute="name")["value"].split(" ")[0] == "Kim"
    user = server.get(f"/users/{done['user']}").json()["data"]
    assert (user["email"], user["username"], user["accessRole"]) == ("kim@elsewhere.example", "kim", "admin")
    assert server.control("truth")["user_addresses"][user["name"]] == "kim@elsewhere.example"
    edit(server, "user_deactivate", user=done["user"])
    assert done["user"] not in {row["id"] for row in server.walk("/users")}
    edit(server, "user_reactivate", user=done["user"])
    assert done["user"] in {row["id"] for row in server.walk("/users")}
    notes = server.control("edits", "POST", {"n": 60, "seed": 1, "kinds": ["note_new"]})
    authors = {children(server, row["opportunity"], "notes")[row["id"]]["user"] for row in notes}
    assert done["user"] in authors


# ---- reading while they work ---------------------------------------------------------------------------------------
def test_who_moves_back_is_missed_and_who_moves_forward_comes_twice(server: Server) -> None:
    """The list is a walk over a moving order: this is why a crawl needs windows and passes."""
    first = server.get("/opportunities", [*ALL, ("limit", "20")]).json()
    rest = [row for row in server.walk("/opportunities", ALL) if row not in first["data"]]
    back = next(row for row in rest[3:] if row["archived"] is None)
    forth = next(row for row in first["data"] if row["archived"] is None)
    last = server.get("/stages").json()["data"][-1]["id"]
    edit(server, "stage", opportunity=back["id"], stage="lead-new")
    edit(server, "stage", opportunity=forth["id"], stage=last)
    tail = _onwards(server, first["next"])
    assert back["id"] not in {row["id"] for row in tail}
    assert forth["id"] in {row["id"] for row in tail}


def _onwards(server: Server, token: str) -> list[dict]:
    rows = []
    while token:
        answer = server.get("/opportunities", [*ALL, ("limit", "20"), ("offset", token)]).json()
        rows += answer["data"]
        token = answer.get("next")
    return rows


def test_a_deleted_row_shifts_no_page(server: Server) -> None:
    """The token is a seek key: nobody is skipped when the row it points to, or one before it, goes."""
    whole = [row["id"] for row in server.walk("/opportunities", ALL)]
    first = server.get("/opportunities", [*ALL, ("limit", "20")]).json()
    for place in (5, 20):
        edit(server, "opportunity_delete", opportunity=whole[place])
    tail = _onwards(server, first["next"])
    assert [row["id"] for row in tail] == whole[21:]


def test_tokens_of_other_lists_stay_good_as_well(server: Server) -> None:
    """Users leave between two pages of the list of users: the next page begins where it would have."""
    whole = [row["id"] for row in server.walk("/users")]
    answer = server.get("/users", {"limit": 3}).json()
    edit(server, "user_deactivate", user=whole[1])
    tail = server.get("/users", {"limit": 100, "offset": answer["next"]}).json()["data"]
    assert [row["id"] for row in tail] == whole[3:]


def test_windows_after_the_clock_find_exactly_what_was_edited(server: Server) -> None:
    """`updated_at_start` with the date of an earlier answer gives all that was touched since, and the deleted list."""
    before = server.get("/stages").headers["date"]
    start = int(parsedate_to_datetime(before).timestamp() * 1000)
    done = server.control("edits", "POST", {"n": 25, "seed": 8, "kinds": ["stage", "note_new", "tag", "archive"]})
    rows = server.walk("/opportunities", [*ALL, ("updated_at_start", str(start + 1))])
    assert {row["id"] for row in rows} == {one["opportunity"] for one in done}


# ---- clock ---------------------------------------------------------------------------------------------------------
def test_the_date_header_is_the_clock_of_the_records(server: Server) -> None:
    """Lever's answers carry the account's time, which moves with edits; Ashby's carry the machine's."""
    assert server.get("/stages").headers["date"] == "Tue, 31 Mar 2026 12:00:00 GMT"
    done = server.control("edits", "POST", {"wait_ms": 86_400_000, "n": 1})[0]
    assert 86_400_200 <= done["at"] - NOW_MS < 86_402_000
    assert server.get("/nothing").headers["date"] == "Wed, 01 Apr 2026 12:00:0" + f"{done['at'] // 1000 % 10} GMT"
    ashby = parsedate_to_datetime(server.ashby("apiKey.info", {}).headers["date"]).timestamp()
    assert abs(ashby - time.time()) < 60


def test_the_clock_can_be_the_machines(server: Server) -> None:
    """For clients that take their windows from a clock of their own."""
    server.control("switches", "POST", {"lever_clock": "machine"})
    begun = time.time() * 1000
    done = edit(server, "stage")
    assert begun - 1 <= done["at"] <= time.time() * 1000
    assert abs(parsedate_to_datetime(server.get("/stages").headers["date"]).timestamp() * 1000 - begun) < 60_000


# ---- seeds, streams, undoing ---------------------------------------------------------------------------------------
def test_the_same_seed_makes_the_same_edits() -> None:
    """Two companies, one seed: the same log and the same truth; another seed: another log."""
    logs, told = [], []
    for seed in (5, 5, 6):
        one = editor()
        logs.append(one.seeded(40, random.Random(seed), edits.weights(None)))
        told.append(truth(one.company))
    assert logs[0] == logs[1] != logs[2]
    assert told[0] == told[1] != told[2]
    times = [row["at"] for row in logs[0]]
    assert times == sorted(set(times))
    assert times[0] > NOW_MS


def test_a_reset_undoes_every_edit(server: Server) -> None:
    """Lists, truth, children and clock are those of the boot."""

    def whole() -> list[object]:
        rows = server.walk("/opportunities", WHOLE)
        below = [server.get(f"/opportunities/{row['id']}/notes").json() for row in rows[:20]]
        return [rows, below, server.control("truth"), server.control("edits"), server.walk("/tags")]

    pristine = whole()
    server.control("edits", "POST", {"n": 60, "seed": 2})
    assert whole()[:3] != pristine[:3]
    server.control("reset", "POST")
    assert whole() == pristine


def test_a_stream_of_edits_runs_until_it_is_told_to_stop(server: Server) -> None:
    """It makes the edits of its seed, at most so many, tells each, and ends with a reset."""
    wanted = {"per_second": 500, "seed": 4, "most": 30}
    assert server.control("live", "POST", wanted)["running"] is True
    told = _ended(server)
    assert (told["n"], told["stopped_by"], sum(told["applied"].values())) == (30, "most", 30)
    assert told["log"] == server.control("edits")["log"]
    server.control("reset", "POST")
    server.control("live", "POST", wanted)
    server.walk("/opportunities", [*ALL, ("limit", "10")])
    assert _ended(server)["log"] == told["log"]
    server.control("live", "POST", {"per_second": 200})
    assert server.control("live", "DELETE")["running"] is False
    n = len(server.control("edits")["log"])
    assert server.control("live")["running"] is False
    assert len(server.control("edits")["log"]) == n
    server.control("live", "POST", {"per_second": 200})
    server.control("reset", "POST")
    assert server.control("live") == {"running": False, "stopped_by": "", "n": 0, "applied": {}, "log": []}


def _ended(server: Server) -> dict:
    end = time.monotonic() + 20
    while (told := server.control("live"))["running"] and time.monotonic() < end:
        time.sleep(0.01)
    return told


def test_a_stream_ends_when_nothing_is_left_to_do(server: Server) -> None:
    """All users but three have left: said, not silently idle."""
    server.control("live", "POST", {"per_second": 1000, "kinds": ["user_deactivate"]})
    told = _ended(server)
    assert told["applied"] == {"user_deactivate": 6}
    assert "user_deactivate" in told["stopped_by"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("edits", {"edits": [{"kind": "explode"}]}),
        ("edits", {"edits": [{}]}),
        ("edits", {"edits": [{"kind": "stage", "opportunity": "nobody"}]}),
        ("edits", {"edits": [{"kind": "merge", "keep": "a", "gone": "b"}]}),
        ("edits", {"edits": [{"kind": "stage", "stage": "no-such"}]}),
        ("edits", {"edits": [{"kind": "contact_edit", "attribute": "shoe size"}]}),
        ("edits", {"edits": [{"kind": "application_edit", "attribute": "shoe size"}]}),
        ("edits", {"edits": [{"kind": "user_edit", "attribute": "shoe size"}]}),
        ("edits", {"edits": [{"kind": "interview_edit", "attribute": "shoe size"}]}),
        ("edits", {"edits": [{"kind": "confidentiality", "value": "secret"}]}),
        ("edits", {"edits": [{"kind": "repost", "posting": "nowhere"}]}),
        ("edits", {"edits": [{"kind": "person_new", "posting": "nowhere"}]}),
        ("edits", {"edits": [{"kind": "offer_status", "status": "framed"}]}),
        ("edits", {"kinds": ["explode"]}),
        ("edits", {"kinds": []}),
        ("edits", {"colour": "red"}),
        ("edits", {"n": "many"}),
        ("edits", {"n": 10_001}),
        ("edits", {"n": -1}),
        ("edits", {"wait_ms": -1}),
        ("edits", [1]),
        ("live", {"per_second": 0}),
        ("live", {"most": 0}),
        ("live", {"kinds": ["explode"]}),
        ("live", {"colour": "red"}),
    ],
)
def test_what_makes_no_sense_is_refused(server: Server, path: str, body: object) -> None:
    """A reason, and nothing was edited."""
    told = server.control(path, "POST", body)
    assert told["ok"] is False
    assert told["message"]
    assert server.control("edits")["log"] == []
    assert server.control("edits")["now_ms"] == NOW_MS


def test_a_kind_for_which_nothing_fits_gives_way_to_another() -> None:
    """A company whose candidacies are all closed sees no hiring."""
    one = editor(people=8)
    while True:
        try:
            one.apply({"kind": "archive"})
        except EditError:
            break
    done = one.seeded(5, random.Random(1), edits.weights(["hire", "tag"]))
    assert [row["kind"] for row in done] == ["tag"] * 5
    with pytest.raises(EditError):
        one.seeded(1, random.Random(1), edits.weights(["hire"]))


# ---- the truth after any sequence ----------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(12))
def test_the_truth_stays_whole_after_any_sequence_of_edits(seed: int) -> None:
    """Who must arrive is right whatever was edited in which order."""
    one = editor(seed=seed, people=(8, 12, 30, 60)[seed % 4])
    weights = edits.weights(list(edits.WEIGHTS)) if seed % 2 else edits.weights(None)
    log = one.seeded(150, random.Random(seed), weights)
    _check(one.company, truth(one.company), log)


def _check(company: Company, told: dict, log: list[dict]) -> None:
    rows = {row["id"]: row for row in told["opportunities"]}
    assert rows.keys() == {item["id"] for item in company.opportunities}
    gone = {done["opportunity"] for done in log if done["kind"] == "opportunity_delete"}
    assert gone <= set(told["deleted_opportunities"])
    assert not gone & rows.keys()
    held = [contact for person in told["people"] for contact in person["contacts"]]
    assert len(held) == len(set(held))
    assert {row["contact"] for row in rows.values()} <= set(held)
    person_of = {contact: person for person in told["people"] for contact in person["contacts"]}
    for item in company.opportunities:
        expected = person_of[item["contact"]]["expected"]
        assert (expected == "never:anonymised") is item["isAnonymized"]
        assert rows[item["id"]]["expected"].startswith("never") is (expected != "load")
        refused = item["dataProtection"] and item["dataProtection"]["store"]["allowed"] is False
        assert not refused or rows[item["id"]]["expected"].startswith("never")
        contact = company.contacts[item["contact"]]
        assert (item["name"], item["emails"], item["phones"]) == (contact["name"], contact["emails"], contact["phones"])
    lost = {done["gone"] for done in log if done["kind"] == "merge"}
    assert told["merged_contacts"].keys() == lost
    assert not lost & set(held)
    for person in told["people"]:
        assert (person["expected"] == "never:deleted") is all(
            contact not in {row["contact"] for row in rows.values()} for contact in person["contacts"]
        )
        for group in person["silent_groups"]:
            assert len(group) > 1
            assert set(group) <= set(person["contacts"])
    for left, right in told["must_not_merge"]:
        keys = {person_of[one]["key"].partition(":")[0] for one in (left, right) if one in person_of}
        assert len(keys) != 1 or not {left, right} <= person_of.keys()
    for group in {tuple(sorted([row["id"], *row["repeats"]])) for row in rows.values() if row["repeats"]}:
        assert [rows[one]["expected"] for one in group].count("application") == 1
    files = {row["id"] for kind in ("resumes", "files") for held in getattr(company, kind).values() for row in held}
    assert {row["id"] for row in told["files"] if row["kind"] != "offer"} == files
    times = [item[name] or 0 for item in company.opportunities for name in DATES]
    assert max(times) <= log[-1]["at"]
