"""The invented company: the same on every run, with every kind of record and every trap."""

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from sandbox.company import NOW_MS, Company, build
from sandbox.company.history import JUNE_2020_MS
from sandbox.company.truth import MOVED_AFTER_CLOSING, canonical, moved_after_closing, truth

FINGERPRINT = """
import hashlib, json, dataclasses
from sandbox.company import build
company = build(seed=3, people=90)
print(hashlib.sha256(json.dumps(dataclasses.asdict(company), sort_keys=True, default=sorted).encode()).hexdigest())
"""

OPPORTUNITY = {
    "id", "name", "headline", "contact", "emails", "phones", "confidentiality", "location", "links", "createdAt",
    "updatedAt", "lastInteractionAt", "lastAdvancedAt", "snoozedUntil", "archived", "stage", "stageChanges", "owner",
    "followers", "tags", "sources", "origin", "sourcedBy", "applications", "urls", "dataProtection", "isAnonymized",
}  # fmt: skip
"""The attributes of an opportunity in recorded answers (``opportunityLocation`` only with a posting)."""


@pytest.fixture(scope="module")
def company() -> Company:
    return build(seed=7, people=320)


@pytest.fixture(scope="module")
def known(company: Company) -> dict:
    return truth(company)


def every(company: Company, kind: str) -> list[dict]:
    return [item for items in getattr(company, kind).values() for item in items]


def test_the_same_seed_gives_the_same_bytes_under_any_hash_seed():
    """Two processes with different hash seeds build the same company."""
    prints = []
    for hash_seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.getcwd(), "TZ": f"UTC-{hash_seed}"}
        prints.append(subprocess.check_output([sys.executable, "-c", FINGERPRINT], env=env, text=True))
    assert prints[0] == prints[1]


def test_another_seed_gives_another_company(company: Company):
    """No id is shared between two seeds."""
    other = build(seed=8, people=30)
    assert {row["id"] for row in other.opportunities}.isdisjoint(row["id"] for row in company.opportunities)


def test_the_demo_size_holds_what_was_promised(company: Company):
    """320 people, at least 560 candidacies, the shares of the brief."""
    items = company.opportunities
    hired = {reason["id"] for reason in company.archive_reasons if reason["type"] == "hired"}

    def share(rows: list) -> float:
        return len(rows) / len(items)

    assert len(company.people) == 320
    assert len(items) >= 560
    assert 0.45 < share([row for row in items if row["archived"]]) < 0.7
    assert 0.04 < share([row for row in items if row["archived"] and row["archived"]["reason"] in hired]) < 0.09
    assert 0.02 < share([row for row in items if not row["applications"]]) < 0.07
    assert 0.01 < share([row for row in items if row["confidentiality"] == "confidential"]) < 0.06
    assert max(Counter(row["contact"] for row in items).values()) == 20
    assert {row["origin"] for row in items} == {"agency", "applied", "internal", "referred", "sourced", "university"}


def test_opportunities_carry_exactly_the_recorded_attributes(company: Company):
    """No attribute is missing and none is invented."""
    for row in company.opportunities:
        assert set(row) - {"opportunityLocation"} == OPPORTUNITY
        assert ("opportunityLocation" in row) == bool(row["applications"])


def test_history_is_in_order_and_ends_before_now(company: Company):
    """Stage changes never go back in time, start with the creation, and nothing lies in the company's future."""
    for row in company.opportunities:
        times = [change["updatedAt"] for change in row["stageChanges"]]
        assert times == sorted(times)
        assert times[0] == row["createdAt"]
        assert row["stageChanges"][-1]["toStageId"] == row["stage"]
        assert times[-1] <= row["lastAdvancedAt"] <= row["lastInteractionAt"] <= NOW_MS


def test_old_records_have_no_updated_at(company: Company):
    """Most records that rest since before June 2020 have null, all later ones have a number."""
    old = [row for row in company.opportunities if row["lastInteractionAt"] < JUNE_2020_MS]
    assert sum(row["updatedAt"] is None for row in old) > len(old) / 2 > 10
    assert all(row["updatedAt"] for row in company.opportunities if row["lastInteractionAt"] >= JUNE_2020_MS)


def test_odd_histories_are_planted(company: Company):
    """Equal times twice, a stage that no longer exists, re-opened candidacies, a deleted posting."""
    stages = {stage["id"] for stage in company.stages}
    postings = {posting["id"] for posting in company.postings}
    changes = [row["stageChanges"] for row in company.opportunities]
    pairs = [(one, two) for row in changes for one, two in itertools.pairwise(row)]
    assert sum(one["updatedAt"] == two["updatedAt"] for one, two in pairs) >= 2
    assert sum(change["toStageId"] not in stages for row in changes for change in row) == 2
    assert sum(two["toStageIndex"] < one["toStageIndex"] for one, two in pairs) >= 3
    assert sum(item["posting"] not in postings for item in company.applications.values()) == 1


def test_every_field_type_is_answered_somewhere(company: Company):
    """Forms, feedback, referrals and questions together use every type of the reference, and one unknown type."""
    forms = [form for kind in ("feedback", "forms", "referrals") for form in every(company, kind)]
    forms += [form for item in company.applications.values() for form in item["customQuestions"]]
    types = {field["type"] for form in forms for field in form["fields"]}
    assert types == {
        "text", "textarea", "yes-no", "dropdown", "multiple-choice", "multiple-select", "date", "currency",
        "score-system", "score", "scorecard", "code", "file-upload", "university", "rating-matrix",
    }  # fmt: skip


def test_children_have_their_odd_cases(company: Company):
    """Threads, secret and deleted notes, a very long one, drafts, deleted feedback, canceled interviews."""
    notes, feedback = every(company, "notes"), every(company, "feedback")
    assert {len(note["fields"]) for note in notes} == {1, 2, 3, 4}
    assert sum(note["secret"] for note in notes) > 20
    assert sum(note["deletedAt"] is not None for note in notes) == 1
    assert max(len(note["fields"][0]["value"]) for note in notes) == 25_000
    assert {form["type"] for form in feedback} == {"interview", "assignment", "share"}
    assert any(form["completedAt"] is None for form in feedback)
    assert sum(form["deletedAt"] is not None for form in feedback) == 1
    assert any(interview["canceledAt"] for interview in every(company, "interviews"))
    assert any(row["referrer"] is None for row in every(company, "referrals"))
    assert len({offer["status"] for offer in every(company, "offers")}) >= 5


def test_ids_are_unique(company: Company):
    """No two objects share an id."""
    kinds = ("notes", "feedback", "forms", "resumes", "files", "offers", "interviews", "panels", "referrals")
    ids = [item["id"] for kind in kinds for item in every(company, kind)]
    ids += [row["id"] for row in company.opportunities] + list(company.contacts) + list(company.applications)
    assert len(ids) == len(set(ids))


def test_files_have_the_bytes_their_metadata_says(company: Company):
    """Sizes agree, hashes agree with the truth, odd names and an empty, a big and two lost files exist."""
    resumes = [row for row in every(company, "resumes") if row["file"]]
    assert all(len(company.file_bytes(row["id"])) == row["file"]["size"] for row in resumes)
    files = every(company, "files")
    assert all(len(company.file_bytes(row["id"])) == int(row["size"]) for row in files)
    assert {"../../etc/passwd", "CON.pdf", "empty.txt"} <= {row["name"] for row in files}
    assert max(row["file"]["size"] for row in resumes) > 2_900_000
    assert any(row["file"] is None for row in every(company, "resumes"))
    assert len(company.lost_files) == 3
    assert all(row["ext"].startswith(".") for row in files)


def test_every_contact_belongs_to_one_person(company: Company):
    """The truth covers every contact exactly once, and every contact has a candidacy."""
    owned = [contact for person in company.people for contact in person.contacts]
    assert sorted(owned) == sorted(company.contacts)
    assert {row["contact"] for row in company.opportunities} == set(company.contacts)


def test_all_traps_are_planted(known: dict):
    """Each trap of the brief has its people."""
    assert known["counts"]["traps"] == {
        "agency-mailbox": 6, "anonymised": 3, "busy": 2, "case-variant": 4, "changed-surname": 2, "consent-expired": 2,
        "consent-none": 2, "couple-one-phone": 2, "exists-in-ashby": 5, "family": 4, "hostile": 3,
        "moved-after-closing": 2, "namesake": 7, "no-email": 5, "placeholder": 7, "plus-address": 2, "same-email": 4,
        "transliterated": 2,
    }  # fmt: skip


def test_two_candidacies_were_moved_after_they_were_closed(company: Company, known: dict):
    """Seconds later, as recorded; they stay closed, their people are ordinary ones, and nothing else is different."""
    rows = [row for row in company.opportunities if moved_after_closing(row)]
    assert [row["stageChanges"][-1]["updatedAt"] - row["archived"]["archivedAt"] for row in rows] == [8575, 8575]
    told = {row["id"]: row for row in known["opportunities"]}
    for row in rows:
        last = row["stageChanges"][-1]
        assert (row["stage"], row["lastAdvancedAt"]) == (last["toStageId"], last["updatedAt"])
        assert row["stage"] == row["stageChanges"][-3]["toStageId"]
        assert row["updatedAt"] >= row["lastInteractionAt"] >= last["updatedAt"]
        assert (told[row["id"]]["expected"], told[row["id"]]["repeats"]) == ("application", [])
        assert told[row["id"]]["path"][-1]["by"] == "Ines Okafor"
    trapped = [person for person in known["people"] if MOVED_AFTER_CLOSING in person["traps"]]
    assert {contact for person in trapped for contact in person["contacts"]} >= {row["contact"] for row in rows}
    assert [person["traps"] for person in trapped] == [[MOVED_AFTER_CLOSING]] * 2


def test_shared_addresses_are_only_those_of_traps(company: Company, known: dict):
    """Two people share an address only where a trap says so, and the truth lists the pair."""
    owner = {contact: person for person in company.people for contact in person.contacts}
    forbidden = {tuple(pair) for pair in known["must_not_merge"]}
    for one in company.contacts.values():
        for two in company.contacts.values():
            same = {canonical(mail) for mail in one["emails"]} & {canonical(mail) for mail in two["emails"]}
            if one["id"] < two["id"] and same and owner[one["id"]] is not owner[two["id"]]:
                assert (one["id"], two["id"]) in forbidden
                assert set(owner[one["id"]].traps) & {"agency-mailbox", "placeholder", "family"}


def test_silent_groups_and_review_pairs_are_of_one_person(company: Company, known: dict):
    """What may be joined is one person, and never also forbidden."""
    owner = {contact: person.key for person in company.people for contact in person.contacts}
    forbidden = {tuple(sorted(pair)) for pair in known["must_not_merge"]}
    groups = [group for person in known["people"] for group in person["silent_groups"]] + known["same_person_review"]
    assert len(groups) == 14
    for group in groups:
        assert len({owner[contact] for contact in group}) == 1
        assert tuple(sorted(group[:2])) not in forbidden


def test_two_people_without_address_share_name_and_date(company: Company):
    """The hardest fingerprint: same name, no address, same creation time, different people."""
    people = [person for person in company.people if set(person.traps) >= {"no-email"}]
    names = Counter(person.name for person in people)
    twins = [person for person in people if names[person.name] == 2]
    created = [
        row["createdAt"] for row in company.opportunities if row["contact"] in twins[0].contacts + twins[1].contacts
    ]
    assert created == [1_583_020_800_000, 1_583_020_800_000]


def test_people_who_must_not_load_are_marked(company: Company, known: dict):
    """Erased people have nothing left but their metadata; refused or ended consent is on each candidacy."""
    expected = Counter(person["expected"] for person in known["people"])
    assert expected == {"load": 313, "never:anonymised": 3, "never:consent": 4}
    owner = {contact: person for person in company.people for contact in person.contacts}
    for row in company.opportunities:
        if row["isAnonymized"]:
            assert (row["name"], row["emails"], row["phones"], row["links"]) == ("", [], [], [])
            assert not company.notes.get(row["id"])
        if owner[row["contact"]].expected == "never:consent":
            store = row["dataProtection"]["store"]
            assert store["allowed"] is False or store["expiresAt"] < NOW_MS


def test_exactly_one_of_repeated_candidacies_is_an_application(known: dict):
    """Of several candidacies of one person on one posting the latest is the application, the others are notes."""
    by_id = {row["id"]: row for row in known["opportunities"]}
    repeated = [row for row in known["opportunities"] if row["repeats"]]
    assert len([row for row in repeated if row["expected"] == "note (repeat)"]) >= 2
    for row in repeated:
        group = [row, *(by_id[other] for other in row["repeats"])]
        assert [item["expected"] for item in group].count("application") == 1


def test_automatic_tags_are_on_every_candidacy_with_a_posting(company: Company):
    """Title and team of the posting come along as tags, beside the ones people chose."""
    postings = {posting["id"]: posting for posting in company.postings}
    for row in company.opportunities:
        posting = postings.get(company.applications[row["applications"][0]]["posting"]) if row["applications"] else None
        if posting:
            assert {posting["text"], posting["categories"]["team"]} <= set(row["tags"])
    texts = {tag["text"] for tag in company.tags}
    assert {"Full-time", "Full-Time", "Robotics meetup 🤖"} <= texts


@pytest.mark.parametrize("people", [1, 8, 40])
def test_small_companies_work(people: int):
    """Any size can be built; what does not fit is left out."""
    company = build(seed=1, people=people)
    assert len(company.people) == people
    assert truth(company)["counts"]["people"] == people


def test_canonical_unwraps_addresses():
    """Wrapping, spaces and capitals go; tags and dots stay."""
    written = ("mailto:Ada.B@x.example", "Ada B <ada.b@X.example>", " ada.b@x.example ", "ada.b+jobs@x.example")
    assert [canonical(text) for text in written] == ["ada.b@x.example"] * 3 + ["ada.b+jobs@x.example"]


def test_bytes_are_plausible_files(company: Company):
    """A PDF starts and ends like one; the hash of the truth is the hash of the bytes."""
    resume = next(row for row in every(company, "resumes") if row["file"] and row["id"] not in company.lost_files)
    body = company.file_bytes(resume["id"])
    assert body.startswith(b"%PDF-1.4")
    assert body.endswith(b"%%EOF\n")
    row = next(row for row in truth(company)["files"] if row["id"] == resume["id"])
    assert row["sha256"] == hashlib.sha256(body).hexdigest()
    assert json.dumps(row)


def test_some_resumes_say_what_a_parser_reads_of_people_whom_lever_knows_well_and_badly(company: Company):
    """Each line stands on its own in the bytes, as the truth tells it; nobody else has the address it says."""
    known = {item["id"]: company.contacts[item["contact"]] for item in company.opportunities}
    says = [row for row in truth(company)["files"] if row["says"]]
    for row in says:
        lines = company.file_bytes(row["id"]).decode("latin-1").splitlines()
        assert {f"{name}: {value}" for name, value in row["says"].items()} <= set(lines)
        assert set(row["says"]) == {"Position", "Company", "School", "Email", "Phone", "City"}
    people = [known[row["opportunity"]] for row in says]
    assert {bool(one["emails"]) for one in people} == {bool(one["phones"]) for one in people} == {True, False}
    assert len({row["says"]["Email"] for row in says}) == len({one["id"] for one in people})
    spoken = {row["says"]["Email"] for row in says}
    assert not spoken & {email for one in company.contacts.values() for email in one["emails"]}


def test_states_that_are_seldom_seen_are_there(company: Company):
    """A file that is not processed yet or of which nothing is said, a role of the account's own, a second consent."""
    papers = [row["file"] for row in every(company, "resumes") if row["file"]] + list(every(company, "files"))
    assert {"processed", "processing", None, "error", "unsupported"} == {row["status"] for row in papers}
    assert 1 == sum(re.fullmatch("[0-9a-f-]{36}", user["accessRole"]) is not None for user in company.users)
    protected = [one["dataProtection"] for one in company.contacts.values() if "dataProtection" in one]
    assert protected
    assert all(set(one) == {"interviewIntelligence"} for one in protected)


def test_the_truth_holds_every_text_that_must_be_found(company: Company) -> None:
    """Texts, answers and steps of the truth are those of the company, record by record."""
    told = truth(company)
    assert {one["id"]: one["emails"] for one in told["contacts"]} == {
        key: contact["emails"] for key, contact in company.contacts.items()
    }
    comments = {one["id"]: [comment["text"] for comment in one["comments"]] for one in told["notes"]}
    assert comments == {
        note["id"]: [field["value"] for field in note["fields"]] for notes in company.notes.values() for note in notes
    }
    for kind in ("feedback", "forms"):
        answers = {one["id"]: [answer["value"] for answer in one["answers"]] for one in told[kind]}
        assert answers == {
            form["id"]: [field["value"] for field in form["fields"] if field.get("value") not in (None, "", [])]
            for forms in getattr(company, kind).values()
            for form in forms
        }
    for kind in ("interviews", "offers"):
        assert len(told[kind]) == sum(map(len, getattr(company, kind).values()))
    paths = {one["id"]: [step["at"] for step in one["path"]] for one in told["opportunities"]}
    assert paths == {item["id"]: [it["updatedAt"] for it in item["stageChanges"]] for item in company.opportunities}


def test_the_truth_tells_tags_of_people_from_those_lever_sets(company: Company) -> None:
    """A tag that repeats something of the posting is not a person's."""
    postings = {posting["id"]: posting for posting in company.postings}
    for one in truth(company)["opportunities"]:
        assert set(one["tags"]) <= set(one["all_tags"])
        if one["posting"] in postings:
            assert not {one["title"], postings[one["posting"]]["categories"]["location"]} & set(one["tags"])
            assert len(one["all_tags"]) > len(one["tags"])
