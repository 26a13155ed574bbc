"""Step 4: what every Lever record becomes, what does not arrive, and when the step refuses."""

import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from mapping_world import (
    ARCHIVED,
    DAY,
    FORM,
    GONE,
    HIRED,
    INES,
    LEAD,
    NOW,
    ONSITE,
    PLACE,
    PLAN,
    REASON,
    REVIEW,
    SCREEN,
    SOURCE,
    T0,
    TEAM,
    World,
    bodies,
    form_field,
    notes,
    opportunity,
    posting,
    uid,
)

from lib.decisions import DecisionTable
from lib.errors import ConfigError, ContractError, GateError
from lib.mapping import Losses, compile_plan, decide, plan_hash, propose, shown
from lib.mapping.plan import Chain, link
from lib.normalize import ms_to_iso
from lib.params import Policy


def change(stage: str, at: int, user: str | None = None) -> dict[str, Any]:
    found = {"toStageId": stage, "toStageIndex": 0, "updatedAt": at}
    return found | ({"userId": user} if user else {})


def history(rows: list[Any]) -> list[tuple[str, int, str | None]]:
    body = bodies(rows, "application.create")[0]
    return [
        (event["stageId"], event["enteredStageAt"], event.get("archiveReasonId"))
        for event in body["applicationHistory"]
    ]


# ---- rows and order


def test_one_person_becomes_a_chain_in_the_agreed_order():
    """Candidate, values, tag, application with its marker, notes, files, résumé last."""
    world = World(opportunity("o-1"))
    world.give("notes", "o-1", {"id": "n-1", "fields": [{"value": "hi"}], "user": "u-ines", "createdAt": T0})
    world.give("resumes", "o-1", {"id": "r-1", "createdAt": T0, "file": {"name": "cv.pdf", "ext": "pdf"}})
    world.give("files", "o-1", {"id": "f-1", "name": "letter.pdf", "ext": ".pdf", "uploadedAt": T0})
    world.store("r-1")
    world.store("f-1")
    kinds = [row.kind for row in world.plan() if row.person == "c-1"]
    assert kinds == [
        "candidate.create",
        "customField.setValues",
        "candidate.addTag",
        "application.create",
        "customField.setValues",
        "candidate.createNote",
        "candidate.uploadFile",
        "candidate.uploadResume",
    ]


def test_set_up_comes_first_and_every_need_is_met_by_an_earlier_row():
    """A row never waits for one that comes later."""
    rows, seen = World(opportunity("o-1"), opportunity("o-2", contact="c-2")).plan(), set()
    for row in rows:
        assert set(row.needs) <= seen
        seen.add(row.row_id)
    assert [row.person for row in rows] == sorted(row.person for row in rows)
    assert len(seen) == len(rows)


def test_the_plan_does_not_depend_on_the_order_of_people():
    """Same raw answers, same decisions: one hash, whatever order the tables have."""
    world = World(*(opportunity(f"o-{number}", contact=f"c-{number}") for number in range(8)))
    expected = plan_hash(world.plan())
    decisions = decide(world.tables(), world, policy=world.policy, now_ms=NOW)
    people, members = (table.sample(frac=1, random_state=3) for table in world.people())
    rows = compile_plan(world, people=people, members=members, decisions=decisions, policy=world.policy, now_ms=NOW)
    assert plan_hash(rows) == expected


def test_a_body_against_the_contract_stops_the_plan_without_showing_its_values():
    """The error names the endpoint and the member, never what stands in it."""
    chain = Chain("p", known={"candidate:p": ("row",)})
    with pytest.raises(ContractError) as caught:
        chain.add("candidate.addTag", "person", "p", body={"candidateId": link("candidate:p"), "tagId": "Mara Secret"})
    assert "candidate.addTag" in str(caught.value)
    assert "Mara" not in str(caught.value)


def test_a_reference_that_nobody_makes_is_an_error():
    """A dangling reference is found when the row is made."""
    with pytest.raises(ContractError):
        Chain("p").add("candidate.addTag", "person", "p", body={"candidateId": link("candidate:p"), "tagId": uid(1)})


# ---- the candidate


def test_people_without_address_and_equal_name_and_time_are_told_apart():
    """One of two equal fingerprints moves by a millisecond and is listed."""
    one, two = (opportunity(f"o-{c}", contact=c, emails=[]) for c in ("c-1", "c-2"))
    world = World(one, two)
    created = [body["createdAt"] for body in bodies(world.plan(), "candidate.create")]
    assert created == [ms_to_iso(T0), ms_to_iso(T0 + 1)]
    assert [count for count, *_ in world.lost("contact", "createdAt")] == [1]


def test_what_has_no_place_of_its_own_goes_into_custom_fields():
    """Headline, other phones, raw location, other links and consent stand beside the marker in one call."""
    consent = {"store": {"allowed": True, "expiresAt": NOW + DAY}, "contact": {"allowed": False, "expiresAt": None}}
    world = World(opportunity("o-1", dataProtection=consent))
    world.people_cells["c-1"] = {
        "headline": "Fjordworks", "other_phones": ["+47 1", "+47 2"], "location": "Oslo, Norway",
        "other_links": ["https://example.org/x"], "city": "Oslo", "country": "Norway",
    }  # fmt: skip
    rows = world.plan()
    values = bodies([row for row in rows if row.lever_type == "person"], "customField.setValues")
    assert len(values) == 1
    told = {value["fieldId"]["$link"].split(":")[-1]: value["fieldValue"] for value in values[0]["values"]}
    assert told == {
        "Lever contact ID": "c-1",
        "Lever headline": "Fjordworks",
        "Lever other phones": "+47 1; +47 2",
        "Lever location": "Oslo, Norway",
        "Lever other links": "https://example.org/x",
        "Lever consent": f"store: yes until {ms_to_iso(NOW + DAY)[:10]}; contact: no",
    }
    assert bodies(rows, "candidate.create")[0]["location"] == {"city": "Oslo", "country": "Norway"}


def test_each_kind_of_consent_is_told_as_it_was_said_last():
    """An older opportunity, or the contact, may tell a kind that the newest opportunity does not repeat."""
    both = {"store": {"allowed": True, "expiresAt": None}, "contact": {"allowed": True, "expiresAt": None}}
    older = opportunity("o-1", dataProtection=both)
    newer = opportunity(
        "o-2", createdAt=older["createdAt"] + DAY, dataProtection={"contact": {"allowed": False, "expiresAt": None}}
    )
    for one in (older, newer):
        one["contact"]["dataProtection"] = {"interviewIntelligence": {"allowed": True, "expiresAt": None}}
    rows = World(older, newer).plan()
    values = bodies([row for row in rows if row.lever_type == "person"], "customField.setValues")[0]["values"]
    told = {value["fieldId"]["$link"].split(":")[-1]: value["fieldValue"] for value in values}
    assert told["Lever consent"] == "store: yes; contact: no; interviewIntelligence: yes"


def test_social_links_need_an_update_that_repeats_the_other_links_and_notifies_nobody():
    """`socialLinks` replaces everything, so all links are in it."""
    world = World(opportunity("o-1"))
    social = [{"type": "Twitter", "url": "https://twitter.com/m"}]
    world.people_cells["c-1"] = {"linkedin": "https://www.linkedin.com/in/m", "social": social}
    assert bodies(world.plan(), "candidate.update") == [
        {
            "candidateId": {"$link": "candidate:c-1"},
            "socialLinks": [{"type": "LinkedIn", "url": "https://www.linkedin.com/in/m"}, *social],
            "sendNotifications": False,
        }
    ]


def test_contacts_of_one_person_are_joined_in_the_marker():
    """The marker names every contact, the person's own first."""
    world = World(opportunity("o-1", contact="c-2"), opportunity("o-2", contact="c-1", posting=None))
    world.groups = {"c-2": ["c-1", "c-2"]}
    marker = bodies([row for row in world.plan() if row.lever_type == "person"], "customField.setValues")[0]
    assert marker["values"][0]["fieldValue"] == "c-2,c-1"


@pytest.mark.parametrize(("policy", "n_updates"), [("link", 0), ("link_and_fill", 1)])
def test_somebody_in_ashby_already_is_adopted(policy: str, n_updates: int):
    """No second candidate; what is empty there is filled only when the policy says so."""
    world = World(opportunity("o-1"), policy=Policy(existing_candidates=policy))
    stands = {"id": uid(70), "name": "Mara", "createdAt": "2020-01-01T00:00:00.000Z", "emailAddresses": []}
    world.target["candidates"] = [stands]
    world.people_cells["c-1"] = {"ashby_id": uid(70), "match": "exists"}
    rows = world.plan()
    assert bodies(rows, "candidate.create") == []
    assert len(bodies(rows, "candidate.update")) == n_updates
    assert [row.body["ashbyId"] for row in rows if row.link == "candidate:c-1"] == [uid(70)]


def test_people_still_under_review_stop_the_step():
    """Nobody is written while a match with an existing candidate is undecided."""
    world = World(opportunity("o-1"))
    world.people_cells["c-1"] = {"match": "review"}
    with pytest.raises(GateError, match="c-1"):
        world.plan()


def test_under_the_review_policy_an_adoption_needs_a_verdict():
    """A verdict "same" in people.csv that names the candidate opens the way."""
    world = World(opportunity("o-1"), policy=Policy(existing_candidates="review"))
    world.people_cells["c-1"] = {"ashby_id": uid(70), "match": "exists"}
    with pytest.raises(GateError, match=uid(70)):
        world.plan()
    world.more_tables["people"] = DecisionTable("people", Path("people.csv"), [{"id": f"c-1|{uid(70)}"}])
    world.more_tables["people"].rows[0]["verdict"] = "same"
    assert [row.link for row in world.plan() if row.kind == "link"] == ["candidate:c-1"]


def test_a_contact_that_belongs_to_no_person_stops_the_step():
    """People older than the extract would leave somebody out silently."""
    world = World(opportunity("o-1"), opportunity("o-2", contact="c-2"))
    world.groups = {"c-1": ["c-1"]}
    with pytest.raises(GateError, match="c-2"):
        world.plan()


# ---- jobs


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("published", ["Open"]),
        ("internal", ["Open"]),
        ("closed", ["Open", "Closed"]),
        ("draft", []),
        ("pending", []),
        ("rejected", []),
    ],
)
def test_jobs_reach_the_status_that_the_posting_asks_for(state: str, expected: list[str]):
    """A new job is a draft and goes on step by step."""
    world = World(opportunity("o-1"))
    world.lever["postings"] = [posting("p-1"), posting("p-2", state=state, text="Other")]
    rows = [row for row in world.plan() if row.lever_id == "p-2"]
    assert [row.body["status"] for row in rows if row.kind == "job.setStatus"] == expected


def test_a_draft_with_candidacies_is_closed_and_listed():
    """Applications on drafts may be refused, so the job is opened and closed before them."""
    world = World(opportunity("o-1"))
    world.lever["postings"] = [posting("p-1", state="draft")]
    rows = world.plan()
    assert [body["status"] for body in bodies(rows, "job.setStatus")] == ["Open", "Closed"]
    create = next(row for row in rows if row.kind == "application.create")
    assert "job.setStatus/posting/p-1/Closed" in create.needs
    assert [count for count, *_ in world.lost("posting", "state")] == [1]


def test_an_existing_job_is_adopted_and_carries_all_its_postings():
    """Two postings on one job: no job is made, its status stays, one marker names both."""
    world = World(opportunity("o-1"), opportunity("o-2", contact="c-2", posting="p-2"))
    world.lever["postings"] = [posting("p-1"), posting("p-2", state="closed")]
    plans = {"defaultInterviewPlanId": PLAN, "interviewPlanIds": [PLAN]}
    world.target["jobs"] = [{"id": uid(60), "title": "Engineer", "departmentId": TEAM, "status": "Open", **plans}]
    world.verdicts["postings"] = {"p-1": "Engineer", "p-2": uid(60)}
    rows = world.plan()
    assert bodies(rows, "job.create") + bodies(rows, "job.setStatus") == []
    markers = [body for body in bodies(rows, "customField.setValues") if body["objectType"] == "Job"]
    assert [body["values"][0]["fieldValue"] for body in markers] == ["p-1,p-2"]


# ---- applications and their history


def test_history_has_true_times_and_ends_archived_with_its_reason():
    """Each stage change stands at its own time; the archiving is the last event."""
    moves = [change("lead-new", T0), change("applicant-new", T0 + DAY), change("s-phone", T0 + 2 * DAY, "u-ines")]
    archived = {"reason": "r-filled", "archivedAt": T0 + 3 * DAY}
    rows = World(opportunity("o-1", stage="s-phone", stageChanges=moves, archived=archived)).plan()
    assert history(rows) == [
        (LEAD, ms_to_iso(T0), None),
        (REVIEW, ms_to_iso(T0 + DAY), None),
        (SCREEN, ms_to_iso(T0 + 2 * DAY), None),
        (ARCHIVED, ms_to_iso(T0 + 3 * DAY), REASON),
    ]
    assert "Phone interview, by Ines Okafor <ines@example.com>" in notes(rows, "Lever history o-1")[0]


def test_a_hire_is_known_by_the_type_of_the_reason():
    """The last event is the Hired stage, without an archive reason."""
    archived = {"reason": "r-hired", "archivedAt": T0 + DAY}
    rows = World(opportunity("o-1", archived=archived)).plan()
    assert history(rows)[-1] == (HIRED, ms_to_iso(T0 + DAY), None)


def test_equal_times_are_moved_by_a_millisecond_and_listed():
    """Order is kept; nothing else changes."""
    moves = [change("lead-new", T0), change("applicant-new", T0), change("s-phone", T0)]
    world = World(opportunity("o-1", stage="s-phone", stageChanges=moves))
    assert [at for _, at, _ in history(world.plan())] == [ms_to_iso(T0), ms_to_iso(T0 + 1), ms_to_iso(T0 + 2)]
    assert (1, "moved changed", "equal times: moved by a millisecond each") in world.lost("opportunity", "stageChanges")


def test_stage_changes_out_of_order_are_put_in_order():
    """The history is by time, whatever order Lever gave."""
    moves = [change("s-phone", T0 + DAY), change("applicant-new", T0)]
    rows = World(opportunity("o-1", stage="s-phone", stageChanges=moves)).plan()
    assert [stage for stage, *_ in history(rows)] == [REVIEW, SCREEN]


def test_a_stage_that_lever_no_longer_has_is_told_in_the_note_and_not_invented():
    """No event stands for it."""
    moves = [change("applicant-new", T0), change("s-dead", T0 + 1), change("s-phone", T0 + 2)]
    world = World(opportunity("o-1", stage="s-phone", stageChanges=moves))
    rows = world.plan()
    assert [stage for stage, *_ in history(rows)] == [REVIEW, SCREEN]
    assert "stage s-dead (no longer in Lever)" in notes(rows, "Lever history o-1")[0]
    assert (1, "note", "a stage that Lever no longer has") in world.lost("opportunity", "stageChanges")


def test_reopened_candidacies_go_back_and_forth():
    """A stage may occur again."""
    moves = [change("s-phone", T0), change("applicant-new", T0 + 1), change("s-phone", T0 + 2)]
    rows = World(opportunity("o-1", stage="s-phone", stageChanges=moves)).plan()
    assert [stage for stage, *_ in history(rows)] == [SCREEN, REVIEW, SCREEN]


def test_two_lever_stages_on_one_ashby_stage_give_one_event():
    """The first time stands; the second is told in the note."""
    moves = [change("s-phone", T0), change("s-onsite", T0 + 5)]
    world = World(opportunity("o-1", stage="s-onsite", stageChanges=moves))
    world.verdicts["stages"] = {f"{PLAN}/s-onsite": "Phone Interview"}
    assert history(world.plan()) == [(SCREEN, ms_to_iso(T0), None)]


def test_a_stage_change_after_the_archiving_stays_out_of_the_history():
    """The archiving is last, at its own date."""
    moves = [change("applicant-new", T0), change("s-phone", T0 + 9)]
    archived = {"reason": "r-filled", "archivedAt": T0 + 5}
    world = World(opportunity("o-1", stage="s-phone", stageChanges=moves, archived=archived))
    assert history(world.plan()) == [(REVIEW, ms_to_iso(T0), None), (ARCHIVED, ms_to_iso(T0 + 5), REASON)]
    assert (1, "note", "a stage change after the archiving") in world.lost("opportunity", "stageChanges")


def test_an_application_is_never_younger_than_its_first_event():
    """createdAt moves to the first event, not the other way round."""
    moves = [change("applicant-new", T0 - DAY)]
    rows = World(opportunity("o-1", stageChanges=moves)).plan()
    assert bodies(rows, "application.create")[0]["createdAt"] == ms_to_iso(T0 - DAY)
    assert history(rows) == [(REVIEW, ms_to_iso(T0 - DAY), None)]


def test_an_active_candidacy_ends_in_its_current_stage():
    """A current stage that no change leads to is added at lastAdvancedAt."""
    rows = World(opportunity("o-1", stage="s-onsite", lastAdvancedAt=T0 + DAY)).plan()
    assert history(rows)[-1] == (ONSITE, ms_to_iso(T0 + DAY), None)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"sourcedBy": "u-ines", "owner": "u-old"}, INES),
        ({"sourcedBy": "u-none", "owner": "u-ines"}, None),
        ({"owner": "u-old"}, GONE),
        ({"owner": None}, None),
    ],
)
def test_credit_goes_to_who_deserves_it_or_to_nobody(more: dict[str, Any], expected: str | None):
    """Who sourced comes before the owner; a user without counterpart is not replaced by another."""
    rows = World(opportunity("o-1", **more)).plan()
    assert bodies(rows, "application.create")[0].get("creditedToUserId") == expected


def test_who_is_not_known_to_have_referred_does_not_lend_the_credit_to_the_owner():
    """A name typed into the form stands in its note; nobody is credited."""
    for item in (opportunity("o-1", origin="referred", owner="u-ines"), opportunity("o-1", owner="u-ines")):
        world = World(item)
        if item["origin"] != "referred":
            form = {"id": "rf-1", "type": "referral", "text": "Referral", "fields": [], "referrer": None}
            world.give("referrals", "o-1", form | {"createdAt": T0, "completedAt": T0})
        assert "creditedToUserId" not in bodies(world.plan(), "application.create")[0]


def test_what_hangs_on_an_older_candidacy_is_decided_although_consent_came_later():
    """Denied then, allowed now: both move, and the older one's reason and tag have rows of their own."""
    denied = {"store": {"allowed": False}}
    old = opportunity("o-1", archived=ARCHIVED_AT, tags=["Rare"], dataProtection=denied)
    new = opportunity("o-2", createdAt=T0 + DAY, dataProtection={"store": {"allowed": True}})
    world = World(old, new, policy=Policy(repeat_candidacy="application"))
    found = world.propose()
    assert [row["n_records"] for row in found["archive_reasons"] if row["id"] == "r-filled"] == [1]
    assert [row["id"] for row in found["tags"]] == ["Rare"]
    assert len(bodies(world.plan(), "application.create")) == 2
    world.opportunities["o-2"]["dataProtection"] = denied
    assert world.propose()["tags"] == []


@pytest.mark.parametrize(("kind", "expected"), [("referral", GONE), ("user", INES)])
def test_the_user_of_an_application_is_credited_only_for_a_referral(kind: str, expected: str):
    """Who typed it in by hand is not credited; the owner is."""
    item = opportunity("o-1")
    item["applications"][0] |= {"type": kind, "user": "u-old"}
    assert bodies(World(item).plan(), "application.create")[0]["creditedToUserId"] == expected


def test_the_first_source_with_a_counterpart_is_taken_and_the_others_are_told():
    """One source per application."""
    world = World(opportunity("o-1", sources=["Fair", "Job site"]))
    rows = world.plan()
    assert bodies(rows, "application.create")[0]["sourceId"] == SOURCE
    assert "Sources: Fair; Job site" in notes(rows, "Lever history o-1")[0]


def test_of_repeated_candidacies_the_newest_is_the_application():
    """The older one becomes a note, and its feedback goes to the application and says so."""
    old, new = opportunity("o-1"), opportunity("o-2", createdAt=T0 + DAY, stageChanges=[])
    world = World(old, new)
    world.give("feedback", "o-1", feedback())
    rows = world.plan()
    assert [row.lever_id for row in rows if row.kind == "application.create"] == ["o-2"]
    assert len(notes(rows, "Lever opportunity o-1")) == 1
    submit = bodies(rows, "applicationFeedback.submit")[0]
    assert submit["applicationId"] == {"$link": "application:o-2"}
    assert "earlier candidacy (Lever opportunity o-1)" in answer(submit, "Feedback")


ARCHIVED_AT = {"reason": "r-filled", "archivedAt": T0 + 2 * DAY}
HIRED_AT = {"reason": "r-hired", "archivedAt": T0 + 2 * DAY}


@pytest.mark.parametrize(
    ("first", "second", "wins", "why"),
    [
        (None, ARCHIVED_AT, "o-1", "another candidacy of the same person on the same job is active"),
        (HIRED_AT, ARCHIVED_AT, "o-1", "another candidacy of the same person on the same job ended in a hire"),
        (HIRED_AT, None, "o-2", "another candidacy of the same person on the same job is active"),
        (ARCHIVED_AT, ARCHIVED_AT, "o-2", "a newer candidacy of the same person on the same job"),
    ],
)
def test_a_running_candidacy_is_never_hidden_by_a_closed_one(first: Any, second: Any, wins: str, why: str):
    """Active before hired before archived; of equals the newest."""
    world = World(opportunity("o-1", archived=first), opportunity("o-2", createdAt=T0 + DAY, archived=second))
    rows = world.plan()
    assert [row.lever_id for row in rows if row.kind == "application.create"] == [wins]
    (lost,) = world.lost("opportunity", "(repeat candidacy)")
    assert lost[2].startswith(why)


def test_repeated_candidacies_may_each_be_an_application():
    """The policy decides; their moments differ so that each can be found again."""
    world = World(opportunity("o-1"), opportunity("o-2"), policy=Policy(repeat_candidacy="application"))
    created = [body["createdAt"] for body in bodies(world.plan(), "application.create")]
    assert created == [ms_to_iso(T0), ms_to_iso(T0 - 1)]


def test_a_candidacy_without_posting_becomes_a_note_and_lends_its_source_to_the_candidate():
    """Policy candidate_only."""
    rows = World(opportunity("o-1", posting=None)).plan()
    assert bodies(rows, "application.create") == []
    assert len(notes(rows, "Lever opportunity o-1")) == 1
    assert bodies(rows, "candidate.create")[0]["sourceId"] == SOURCE


def test_a_candidacy_without_posting_may_join_the_talent_pool():
    """Policy talent_pool: an application on the chosen job."""
    world = World(
        opportunity("o-1", posting=None), policy=Policy(without_posting="talent_pool", talent_pool_job="Pool")
    )
    plans = {"defaultInterviewPlanId": PLAN, "interviewPlanIds": [PLAN]}
    world.target["jobs"] = [{"id": uid(61), "title": "Pool", "status": "Open", **plans}]
    rows = world.plan()
    assert bodies(rows, "application.create")[0]["jobId"] == {"$link": "job:talent_pool"}
    assert history(rows) == [(REVIEW, ms_to_iso(T0), None)]


def test_a_candidacy_without_posting_may_stay_in_the_archive():
    """Policy archive_only: people who have nothing else are not created."""
    world = World(opportunity("o-1", posting=None), policy=Policy(without_posting="archive_only"))
    assert [row for row in world.plan() if row.person] == []
    assert world.lost("opportunity", "(no job)") == [(1, "archived only", "without posting in Lever (policy)")]


def test_a_deleted_application_counts_as_no_posting():
    """The application is in Lever's list of deleted ones."""
    world = World(opportunity("o-1"))
    world.lever["applications_deleted"] = [{"id": "a-o-1"}]
    assert bodies(world.plan(), "application.create") == []


def test_a_candidacy_that_has_been_loaded_keeps_its_application():
    """Somebody applies again after a load: no row of the first candidacy changes, and no row id means two things."""
    moves = [change("applicant-new", T0), change("s-phone", T0 + 5, "u-ines")]
    world = World(opportunity("o-2", stage="s-phone", stageChanges=moves)).give("feedback", "o-2", feedback())
    world.give("notes", "o-2", thread_note())
    before = [row for row in world.plan() if row.person and row.lever_type != "person"]
    world.loaded = {"o-2"}
    world.opportunities["o-1"] = opportunity("o-1", createdAt=T0 + DAY, stageChanges=[])
    world.give("feedback", "o-1", feedback(id="fb-2"))
    rows = {row.row_id: row for row in world.plan()}
    assert [(row.body, row.needs) for row in before] == [(rows[r.row_id].body, rows[r.row_id].needs) for r in before]
    assert [row.lever_id for row in rows.values() if row.kind == "application.create"] == ["o-2"]
    assert "candidate.createNote/opportunity/o-1/opportunity" in rows
    submit = rows["applicationFeedback.submit/feedback/fb-2"].body
    assert submit["applicationId"] == {"$link": "application:o-2"}
    assert "Given on a later candidacy (Lever opportunity o-1)." in answer(submit, "Feedback")
    reason = "an earlier candidacy of the same person on the same job has the application already (policy)"
    assert world.lost("opportunity", "(repeat candidacy)") == [(1, "note", reason)]


def test_without_a_load_the_newest_candidacy_is_the_application_also_beside_a_loaded_plan():
    """What is loaded is the newest of the first plan, so a second plan of the same answers is the same."""
    world = World(opportunity("o-1"), opportunity("o-2", createdAt=T0 + DAY, stageChanges=[]))
    expected = plan_hash(world.plan())
    world.loaded = {"o-2"}
    assert plan_hash(world.plan()) == expected


def test_the_history_note_and_the_note_for_the_whole_have_ids_of_their_own():
    """A candidacy that turns from an application into a note must not look as if it were written already."""
    moves = [change("applicant-new", T0, "u-ines")]
    item = opportunity("o-1", stageChanges=moves)
    first = [row.row_id for row in World(item).plan() if row.kind == "candidate.createNote"]
    second = [row.row_id for row in World(item | {"applications": []}).plan() if row.kind == "candidate.createNote"]
    assert first == ["candidate.createNote/opportunity/o-1/history"]
    assert second == ["candidate.createNote/opportunity/o-1/opportunity"]


# ---- confidential candidacies


def confidential(policy: Policy) -> World:
    """A confidential candidacy with one of everything that becomes a note, and one that is public."""
    moves = [change("applicant-new", T0, "u-ines")]
    secret = opportunity("o-1", confidentiality="confidential", stageChanges=moves)
    secret["applications"][0]["comments"] = "hush-application"
    world = World(secret, opportunity("o-2", posting="p-2", stageChanges=moves), policy=policy)
    world.lever["postings"] = [posting("p-1", confidentiality="confidential"), posting("p-2", text="Other")]
    plans = {"defaultInterviewPlanId": PLAN, "interviewPlanIds": [PLAN], "confidential": True}
    world.target["jobs"] = [{"id": uid(62), "title": "Hidden", "departmentId": TEAM, "status": "Open", **plans}]
    world.verdicts["postings"] = {"p-1": "Hidden"}
    world.give("notes", "o-1", thread_note())
    world.give("interviews", "o-1", {"id": "i-1", "subject": "hush-interview", "date": T0, "createdAt": T0})
    world.give("offers", "o-1", {"id": "of-1", "createdAt": T0, "status": "hush-offer", "fields": []})
    world.give("forms", "o-1", form(field("text", "hush-form")))
    world.give("feedback", "o-1", feedback())
    world.verdicts["feedback_forms"] = {"t-1": "note"}
    return world


def test_every_note_of_a_confidential_candidacy_is_private():
    """Notes sit on the candidate, where everybody reads them; the public candidacy's notes stay public."""
    made = bodies(confidential(Policy()).plan(), "candidate.createNote")
    private = {body["note"]["value"].rsplit("\n", 1)[1]: body.get("isPrivate", False) for body in made}
    assert private == {
        "[Lever history o-1]": True,
        "[Lever history o-2]": False,
        "[Lever note n-1]": True,
        "[Lever interviews o-1]": True,
        "[Lever offers o-1]": True,
        "[Lever form fm-1]": True,
        "[Lever form a-o-1]": True,
        "[Lever feedback fb-1]": True,
    }


def test_notes_of_a_confidential_candidacy_are_withheld_and_counted_under_the_policy():
    """Nothing of them is in any note, and each kind stands in the loss list."""
    world = confidential(Policy(secret_notes="withhold"))
    made = bodies(world.plan(), "candidate.createNote")
    assert [body["note"]["value"].rsplit("\n", 1)[1] for body in made] == ["[Lever history o-2]"]
    fields = [
        ("note", "(note)"), ("interview", "(interview)"), ("offer", "(offer)"), ("form", "fields: Q"),
        ("application", "(note)"), ("feedback", "(feedback)"),
    ]  # fmt: skip
    assert [[loss[:2] for loss in world.lost(*name)] for name in fields] == [[(1, "never")]] * len(fields)
    assert (1, "never", "who moved the candidate cannot be written") in world.lost("opportunity", "stageChanges")


def test_a_confidential_candidacy_without_job_is_told_in_a_private_note_or_in_none():
    """The note that stands for the whole candidacy is no exception."""
    item = opportunity("o-1", posting=None, confidentiality="confidential")
    assert [body["isPrivate"] for body in bodies(World(item).plan(), "candidate.createNote")] == [True]
    world = World(item, policy=Policy(secret_notes="withhold"))
    assert bodies(world.plan(), "candidate.createNote") == []
    assert [loss[:2] for loss in world.lost("opportunity", "(no job)")] == [(1, "never")]


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("new", r"params/test/postings.csv:2: the posting is confidential in Lever, .* make the job in Ashby, tick"),
        ("Hidden", r"params/test/postings.csv:2: .* that job is not confidential in Ashby: tick it"),
    ],
)
def test_a_confidential_posting_needs_a_confidential_job(verdict: str, told: str):
    """The API cannot make one, so a person must; a policy may accept that everybody sees it."""
    world = confidential(Policy())
    assert world.propose()["postings"][0]["proposal"] == ""
    world.target["jobs"][0]["confidential"] = False
    world.verdicts["postings"] = {"p-1": verdict}
    with pytest.raises(GateError, match=told):
        world.plan()
    world.policy = Policy(confidential_as_new=True)
    assert world.plan()
    expected = [(1, "moved changed")] if verdict == "new" else []
    assert [loss[:2] for loss in world.lost("posting", "confidentiality")] == expected


def test_a_posting_that_turns_confidential_after_its_job_was_made_needs_that_job_ticked():
    """No second job is wanted; once the one that was made is confidential, the verdict stays as it was."""
    world = confidential(Policy())
    job = {"id": "made-1", "confidential": False}
    world.ashby_id = lambda kind, lever_id: {("job", "p-1"): "made-1"}[kind, lever_id]  # type: ignore[attr-defined]
    world.standing_too = lambda kind: [job]  # type: ignore[attr-defined]
    world.verdicts["postings"] = {"p-1": "new"}
    with pytest.raises(GateError, match=r"postings.csv:2: the posting has become confidential in Lever, and the job"):
        world.plan()
    job["confidential"] = True
    assert world.plan()


# ---- who never moves


@pytest.mark.parametrize(
    ("more", "policy", "rule"),
    [
        ({"isAnonymized": True}, {}, "anonymised in Lever"),
        ({"dataProtection": {"store": {"allowed": False}}}, {}, "consent denied"),
        ({"dataProtection": {"store": {"allowed": True, "expiresAt": NOW}}}, {}, "consent expired"),
        ({}, {"scope": {"created_from": "2024-01-01"}}, "out of scope: created_from"),
        ({}, {"scope": {"created_to": "2023-01-01"}}, "out of scope: created_to"),
        ({}, {"scope": {"states": ["hired"]}}, "out of scope: states"),
        ({}, {"scope": {"postings": ["p-9"]}}, "out of scope: postings"),
        ({}, {"scope": {"departments": ["design"]}}, "out of scope: departments"),
        ({"applications": []}, {"scope": {"departments": ["R&D"]}}, "out of scope: departments"),
        ({"applications": []}, {"scope": {"departments": ["None"]}}, "out of scope: departments"),
        ({}, {"scope": {"locations": ["Lima"]}}, "out of scope: locations"),
        ({"confidentiality": "confidential"}, {"scope": {"include_confidential": False}}, "out of scope: confidential"),
    ],
)
def test_who_may_not_move_gets_no_row_and_is_counted(more: dict[str, Any], policy: dict[str, Any], rule: str):
    """The rule stands in the loss list."""
    world = World(opportunity("o-1", **more), policy=Policy(**policy))
    elsewhere = {"team": None, "department": "Design", "location": "Oporto", "allLocations": ["Oporto", "Lima"]}
    world.lever["postings"].append(posting("p-9", text="Other") | {"categories": elsewhere})
    world.lever["postings"].append(posting("p-8", text="Odd") | {"categories": {"team": "None"}})
    assert [row for row in world.plan() if row.person] == []
    assert world.lost("opportunity", "(opportunity)") == [(1, "never", rule)]


@pytest.mark.parametrize(
    "scope",
    [{"departments": ["platform"]}, {"locations": [" OSLO "]}, {"locations": ["Lima"]}, {"tags": ["rust", "python"]}],
)
def test_a_scope_is_met_in_any_case_by_one_of_several(scope: dict[str, Any]):
    """A team as well as a department; each place of a posting; one of the tags. What is outside needs no job."""
    world = World(opportunity("o-1", tags=["Python"]), opportunity("o-2", contact="c-2", posting="p-9", tags=["Rest"]))
    world.opportunities["o-2"]["emails"] = ["other@example.org"]
    world.opportunities["o-2"]["tags"].append("Rust" if "tags" in scope else "Python")
    world.lever["postings"][0]["categories"]["allLocations"] = ["Oslo", "Lima"]
    elsewhere = {"team": "Sales", "department": "Trade", "location": "Oporto"}
    world.lever["postings"].append(posting("p-9", text="Seller") | {"categories": elsewhere})
    world.policy = Policy(scope=scope)
    assert {row.person for row in world.plan() if row.person} == ({"c-1", "c-2"} if "tags" in scope else {"c-1"})
    needs = {row["id"]: row["n_records"] for row in world.propose()["postings"]}
    assert (needs["p-9"] > 0) is ("tags" in scope)


def test_a_word_of_the_scope_that_occurs_nowhere_is_an_error():
    """By a slip, a whole department would stay behind. A posting that Lever does not list may be meant, if used."""
    scope = {"departments": ["Platfrom"], "locations": ["Osol"], "tags": ["Pyton"], "postings": ["p-gone", "p-none"]}
    world = World(opportunity("o-1", tags=["Python"]), opportunity("o-2", contact="c-2", posting="p-gone"))
    world.policy = Policy(scope=scope)
    with pytest.raises(ConfigError) as caught:
        world.plan()
    told = str(caught.value)
    assert (
        "policy.scope.departments: 'Platfrom' is no department or team of a posting in Lever; nearest: 'Platform'"
        in told
    )
    assert "policy.scope.locations: 'Osol' is no location of a posting in Lever; nearest: 'Oslo'." in told
    assert "policy.scope.tags: 'Pyton' is no tag of a candidacy in Lever; nearest: 'Python'." in told
    assert "'p-none' is no posting in Lever" in told
    assert "p-gone' is" not in told


def test_deleted_opportunities_never_move_and_are_counted_once():
    """Lever's deleted list wins over a body that is still there."""
    world = World(opportunity("o-1"), opportunity("o-2", contact="c-2"))
    world.lever["opportunities_deleted"] = [{"id": "o-1"}]
    assert {row.person for row in world.plan()} == {"", "c-2"}
    assert world.lost("opportunity", "(opportunity)") == [(1, "never", "deleted in Lever")]


def test_one_refusal_keeps_the_whole_person_out():
    """Merged fields cannot be taken apart again, so the stricter consent wins."""
    denied = opportunity("o-1", contact="c-1", dataProtection={"store": {"allowed": False}})
    world = World(denied, opportunity("o-2", contact="c-2"))
    world.groups = {"c-1": ["c-1", "c-2"]}
    assert [row for row in world.plan() if row.person] == []


# ---- notes


def thread_note(**more: Any) -> dict[str, Any]:
    fields = [
        {"type": "note", "value": "=call <b>her</b>\x00", "createdAt": T0, "user": "u-ines", "score": 3},
        {"type": "note", "value": "Done", "createdAt": T0 + DAY, "user": "u-none", "score": None},
    ]
    return {"id": "n-1", "text": "Note", "fields": fields, "user": "u-ines", "createdAt": T0, **more}


def test_a_thread_is_one_note_with_authors_dates_scores_and_the_marker_last():
    """Written out whole."""
    world = World(opportunity("o-1")).give("notes", "o-1", thread_note(secret=False))
    body = next(b for b in bodies(world.plan(), "candidate.createNote") if "[Lever note" in b["note"]["value"])
    assert body == {
        "candidateId": {"$link": "candidate:c-1"},
        "note": {
            "type": "text/plain",
            "value": "Lever note by Ines Okafor <ines@example.com>, 2023-11-14 22:13:20 UTC, Engineer\n"
            "=call <b>her</b> [score 3]\n\n"
            "Comment by Nobody There <nobody@example.com>, 2023-11-15 22:13:20 UTC:\nDone\n"
            "[Lever note n-1]",
        },
        "sendNotifications": False,
        "createdAt": ms_to_iso(T0),
    }


def test_secret_notes_are_private_or_withheld():
    """Never public."""
    item = thread_note(secret=True)
    private = World(opportunity("o-1")).give("notes", "o-1", item)
    assert [b.get("isPrivate") for b in bodies(private.plan(), "candidate.createNote") if "n-1" in str(b)] == [True]
    withheld = World(opportunity("o-1"), policy=Policy(secret_notes="withhold")).give("notes", "o-1", item)
    assert notes(withheld.plan(), "Lever note") == []
    assert withheld.lost("note", "(note)") == [(1, "never", "secret in Lever; withheld by policy")]


def test_deleted_notes_are_left_out():
    """And counted."""
    world = World(opportunity("o-1")).give("notes", "o-1", thread_note(deletedAt=T0))
    assert notes(world.plan(), "Lever note") == []
    assert world.lost("note", "(note)") == [(1, "never", "deleted in Lever")]


def test_a_long_note_is_split_into_numbered_parts_that_lose_nothing():
    """Each part keeps within the limit and carries its number in the marker."""
    text = " ".join(f"word{number}" for number in range(1500))
    item = {"id": "n-1", "fields": [{"value": text, "createdAt": T0, "user": None}], "createdAt": T0}
    world = World(opportunity("o-1"), policy=Policy(note_limit=4000)).give("notes", "o-1", item)
    parts = notes(world.plan(), "Lever note n-1")
    assert max(map(len, parts)) <= 4000
    assert [part.rsplit("\n", 1)[1] for part in parts] == [f"[Lever note n-1 {n + 1}/{len(parts)}]" for n in range(4)]
    assert "".join(part.split("\n", 1)[1].rsplit("\n", 1)[0] for part in parts).split() == text.split()


# ---- feedback


def feedback(**more: Any) -> dict[str, Any]:
    options = [{"text": text} for text in ("4 - Strong Hire", "3 - Hire", "2 - No Hire", "1 - Strong No Hire")]
    fields = [
        {"type": "score-system", "text": "Rating", "options": options, "value": "3 - Hire"},
        {"type": "dropdown", "text": "Seniority", "value": "senior"},
        {"type": "yes-no", "text": "Again?", "value": "no"},
        {
            "type": "scorecard", "text": "Skills", "scores": [{"text": "Care"}, {"text": "Speed"}],
            "value": [{"score": 3, "comment": "good"}, {"score": None, "comment": ""}],
        },
        {"type": "hologram", "text": "New type", "value": {"a": 1}},
        {"type": "text", "text": "Empty", "value": None},
    ]  # fmt: skip
    return {
        "id": "fb-1", "type": "interview", "text": "On-site", "fields": fields, "baseTemplateId": "t-1",
        "user": "u-ines", "createdAt": T0, "completedAt": T0 + 5000, "deletedAt": None, **more,
    }  # fmt: skip


def answer(submit: dict[str, Any], path: str) -> Any:
    return {one["path"]: one["value"] for one in submit["feedbackForm"]["fieldSubmissions"]}.get(path)


def test_feedback_is_shown_field_by_field_and_fills_fields_of_the_same_title():
    """Written out whole; scores as they were; unknown types as text."""
    world = World(opportunity("o-1")).give("feedback", "o-1", feedback())
    submit = bodies(world.plan(), "applicationFeedback.submit")[0]
    assert (submit["userId"], submit["formDefinitionId"]) == (INES, FORM)
    assert answer(submit, "Lever feedback ID") == "fb-1"
    assert answer(submit, "Overall rating") == {"score": 3}
    assert answer(submit, "Seniority") == "v-Senior"
    assert answer(submit, "Again?") is False
    assert answer(submit, "Feedback") == (
        "Lever feedback: On-site (interview)\n"
        "By Ines Okafor <ines@example.com>, 2023-11-14 22:13:25 UTC, Engineer\n\n"
        "Rating: 3 - Hire\nSeniority: senior\nAgain?: no\nSkills:\n- Care: 3 (good)\n"
        'New type: {"a": 1}\n[Lever feedback fb-1]'
    )


@pytest.mark.parametrize("value", ["4.5", "10 - best", "Great", "3/5"])
def test_scores_off_the_scale_are_never_rescaled(value: str):
    """The Score field stays empty; the text shows the value as it was."""
    item = feedback(fields=[{"type": "score-system", "text": "Rating", "value": value}])
    submit = bodies(World(opportunity("o-1")).give("feedback", "o-1", item).plan(), "applicationFeedback.submit")[0]
    assert answer(submit, "Overall rating") is None
    assert f"Rating: {value}" in answer(submit, "Feedback")


@pytest.mark.parametrize("user", ["u-old", "u-none", None])
def test_feedback_of_an_author_without_active_ashby_user_is_never_credited_to_the_key(user: str | None):
    """A note that names the author; a submission where the policy names who stands for such authors."""
    world = World(opportunity("o-1")).give("feedback", "o-1", feedback(user=user))
    rows = world.plan()
    assert bodies(rows, "applicationFeedback.submit") == []
    assert len(notes(rows, "Lever feedback fb-1")) == 1
    assert "no active Ashby user" in world.lost("feedback", "(feedback)")[0][2]
    world.policy = Policy(placeholder_user="Ines@example.com")
    assert bodies(world.plan(), "applicationFeedback.submit")[0]["userId"] == INES
    assert [count for count, *_ in world.lost("feedback", "user")] == [1]


@pytest.mark.parametrize(("name", "why"), [("old@example.com", "is deactivated"), ("nobody@here", "no user has")])
def test_who_stands_for_unknown_authors_must_be_an_active_user(name: str, why: str):
    world = World(opportunity("o-1"), policy=Policy(placeholder_user=name))
    with pytest.raises(GateError, match=f"policy.placeholder_user: .*{why}"):
        world.plan()


@pytest.mark.parametrize("earlier", [None, GONE])
def test_feedback_that_an_earlier_version_has_submitted_stays_as_it_is(earlier: str | None):
    """It is neither told again in a note, nor changed."""
    world = World(opportunity("o-1")).give("feedback", "o-1", feedback(user="u-none"))
    world.policy = Policy(placeholder_user=INES)
    row = next(row for row in world.plan() if row.kind == "applicationFeedback.submit")
    body = {name: value for name, value in row.body.items() if name != "userId"}
    body |= {"userId": earlier} if earlier else {}
    world.policy = Policy()
    carried = SimpleNamespace(of=lambda _person: {row.row_id: body}, stands=lambda key: key == row.row_id)
    rows = world.plan(carried=carried)
    assert [one.body for one in rows if one.kind == "applicationFeedback.submit"] == [body]
    assert notes(rows, "Lever feedback fb-1") == []


@pytest.mark.parametrize(
    ("more", "reason"), [({"completedAt": None}, "a draft"), ({"deletedAt": T0}, "deleted in Lever")]
)
def test_drafts_and_deleted_feedback_are_not_written(more: dict[str, Any], reason: str):
    """And counted."""
    world = World(opportunity("o-1")).give("feedback", "o-1", feedback(**more))
    assert "fb-1" not in json.dumps([row.body for row in world.plan()])
    assert world.lost("feedback", "(feedback)") == [(1, "never", reason)]


def test_feedback_becomes_a_note_when_a_required_field_cannot_be_filled():
    """A submission that Ashby would refuse is not planned."""
    world = World(opportunity("o-1")).give("feedback", "o-1", feedback())
    sections = world.target["feedback_forms"][0]["formDefinition"]["sections"]
    sections[0]["fields"].append(form_field("Must", "Number", required=True))
    rows = world.plan()
    assert bodies(rows, "applicationFeedback.submit") == []
    assert len(notes(rows, "Lever feedback fb-1")) == 1


# ---- answers


def form(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "fm-1", "type": "form", "text": "Details", "baseTemplateId": "t-9", "fields": list(fields),
        "user": "u-ines", "createdAt": T0, "completedAt": T0, "deletedAt": None, **more,
    }  # fmt: skip


def field(kind: str, value: Any, *, text: str = "Q", **more: Any) -> dict[str, Any]:
    return {"type": kind, "text": text, "value": value, **more}


@pytest.mark.parametrize(
    ("kind", "value", "more", "expected"),
    [
        ("text", "hi", {}, "hi"),
        ("yes-no", "yes", {}, True),
        ("date", T0, {}, ms_to_iso(T0)),
        ("currency", 100, {"currency": "EUR"}, {"value": 100, "currencyCode": "EUR"}),
        ("score", 3, {}, 3),
    ],
)
def test_answers_are_converted_to_the_type_of_their_field(kind: str, value: Any, more: dict[str, Any], expected: Any):
    """The value stands on the object that the verdict names; no note repeats it."""
    world = World(opportunity("o-1")).give("forms", "o-1", form(field(kind, value, **more)))
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Application:My field"}
    rows = world.plan()
    values = next(b for b in bodies(rows, "customField.setValues") if b["objectType"] == "Application")["values"]
    assert values[1] == {"fieldId": {"$link": "custom_field:Application:My field"}, "fieldValue": expected}
    assert notes(rows, "Lever form") == []


def test_options_of_a_new_select_field_are_created_with_stable_values():
    """Options come from the question and from the answers."""
    item = field("multiple-select", ["Go", "Rust"], options=[{"text": "Go"}, {"text": "Python"}])
    world = World(opportunity("o-1")).give("forms", "o-1", form(item))
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Candidate:Languages"}
    rows = world.plan()
    create = next(body for body in bodies(rows, "customField.create") if body["title"] == "Languages")
    values = {one["label"]: one["value"] for one in create["selectableValues"]}
    assert sorted(values) == ["Go", "Python", "Rust"]
    told = bodies([row for row in rows if row.lever_type == "person"], "customField.setValues")[0]["values"][-1]
    assert told["fieldValue"] == [values["Go"], values["Rust"]]


def test_options_of_an_existing_field_are_kept_when_new_ones_are_added():
    """Ashby archives what an update leaves out, so all stand in it, archived ones archived."""
    world = World(opportunity("o-1")).give("forms", "o-1", form(field("dropdown", "Blue")))
    stands = [
        {"label": "Red", "value": "r", "isArchived": False},
        {"label": "Green", "value": "g", "isArchived": True},
    ]
    existing = {"id": uid(80), "title": "Colour", "objectType": "Candidate", "fieldType": "ValueSelect"}
    world.target["custom_fields"] = [existing | {"isArchived": False, "selectableValues": stands}]
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Candidate:colour"}
    rows = world.plan()
    update = bodies(rows, "customField.updateSelectableValues")[0]["selectableValues"]
    assert [(one["label"], one["isArchived"]) for one in update] == [("Red", False), ("Green", True), ("Blue", False)]
    values = next(row for row in rows if row.kind == "customField.setValues" and row.lever_type == "person")
    assert "customField.updateSelectableValues/custom_field/Candidate:Colour" in values.needs


def test_an_answer_that_does_not_fit_goes_to_a_note_and_is_listed():
    """Nothing is bent to fit."""
    world = World(opportunity("o-1")).give("forms", "o-1", form(field("text", "soon")))
    existing = {"id": uid(81), "title": "Start", "objectType": "Candidate", "fieldType": "Date", "isArchived": False}
    world.target["custom_fields"] = [existing]
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Candidate:Start"}
    assert "Q: soon" in notes(world.plan(), "Lever form fm-1")[0]
    assert world.lost("form", "fields: Q") == [(1, "note", "the answer does not fit the type Date")]


def test_answers_of_secret_forms_stay_private():
    """They never reach a custom field."""
    world = World(opportunity("o-1")).give("forms", "o-1", form(field("text", "hush"), secret=True))
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Candidate:Secret"}
    rows = world.plan()
    assert "hush" not in json.dumps(bodies(rows, "customField.setValues"))
    assert [b["isPrivate"] for b in bodies(rows, "candidate.createNote") if "hush" in b["note"]["value"]] == [True]


def test_of_two_answers_for_one_field_the_newest_stays():
    """The older one goes to a note."""
    older, newer = form(field("text", "old")), form(field("text", "new"), id="fm-2", completedAt=T0 + 1)
    world = World(opportunity("o-1")).give("forms", "o-1", older, newer)
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Candidate:Word"}
    rows = world.plan()
    assert bodies(rows, "customField.setValues")[-2]["values"][-1]["fieldValue"] == "new"
    assert "Q: old" in notes(rows, "Lever form fm-1")[0]


@pytest.mark.parametrize(("verdict", "kept"), [("note", "a note"), ("Candidate:Work", "a custom field")])
def test_a_file_that_was_uploaded_as_an_answer_is_counted(verdict: str, kept: str):
    """Only its name is here; when the candidacy has the same file, it moves as that file."""
    upload = field("file-upload", {"id": "up-1", "name": "work.pdf", "ext": "pdf"})
    world = World(opportunity("o-1")).give("forms", "o-1", form(upload))
    world.verdicts["custom_fields"] = {"form:t-9:Q": verdict}
    assert "file work.pdf (up-1)" in json.dumps([row.body for row in world.plan()])
    reason = f"the download of a file answer is not documented; the name is kept in {kept}"
    assert world.lost("form", "fields: Q (bytes)") == [(1, "archived only", reason)]
    world.give("files", "o-1", {"id": "up-1", "name": "work.pdf", "ext": ".pdf", "uploadedAt": T0}).store("up-1")
    assert [row.lever_id for row in world.plan() if row.kind == "candidate.uploadFile"] == ["up-1"]
    assert world.lost("form", "fields: Q (bytes)") == []


def test_dropped_answers_are_counted():
    """Verdict drop."""
    world = World(opportunity("o-1")).give("forms", "o-1", form(field("text", "x")))
    world.verdicts["custom_fields"] = {"form:t-9:Q": "drop"}
    assert notes(world.plan(), "Lever form") == []
    assert world.lost("form", "fields: Q") == [(1, "never", "verdict drop")]


def test_what_a_candidate_typed_when_applying_is_kept():
    """Comments and an address the contact lacks go to a note; technical data does not."""
    item = opportunity("o-1")
    item["applications"][0] |= {"comments": "Hello!", "email": "new@example.org", "ipAddress": "192.0.2.1"}
    world = World(item)
    text = notes(world.plan(), "Lever form a-o-1")[0]
    assert "Comments: Hello!" in text
    assert "E-mail given: new@example.org" in text
    assert "192.0.2.1" not in text


# ---- summaries, files, tags


def test_interviews_and_offers_become_one_note_each_and_offers_are_private():
    """Dated, with names; pay is not for everybody."""
    world = World(opportunity("o-1"))
    people = [{"id": "u-ines", "name": "Ines Okafor", "email": "ines@example.com"}]
    talk = {"id": "i-1", "subject": "Chat", "date": T0 + DAY, "duration": 30, "interviewers": people, "createdAt": T0}
    world.give("interviews", "o-1", talk, talk | {"id": "i-2", "canceledAt": T0})
    pay = [{"text": "Salary", "identifier": "salary_amount", "value": 100}]
    world.give("offers", "o-1", {"id": "of-1", "createdAt": T0, "status": "signed", "fields": pay})
    rows = world.plan()
    (interviews,) = notes(rows, "Lever interviews o-1")
    assert "2023-11-15 22:13:20 UTC, 30 minutes: Chat" in interviews
    assert "canceled" in interviews
    offers = [b for b in bodies(rows, "candidate.createNote") if "[Lever offers o-1]" in b["note"]["value"]]
    assert [b["isPrivate"] for b in offers] == [True]
    assert "Salary: 100" in offers[0]["note"]["value"]


def test_files_have_unique_names_and_the_newest_resume_comes_last():
    """Older résumés are files; what has no bytes is counted."""
    world = World(opportunity("o-1"))
    file = {"name": "../cv", "ext": "pdf"}
    world.give("resumes", "o-1", {"id": "r-1", "createdAt": T0, "file": file})
    world.give("resumes", "o-1", {"id": "r-2", "createdAt": T0 + 5, "file": file})
    world.give("resumes", "o-1", {"id": "r-3", "createdAt": T0 + 9, "file": None})
    world.give("files", "o-1", {"id": "f-1", "name": "cv.pdf", "ext": ".pdf", "uploadedAt": str(T0 + 20)})
    world.give("files", "o-1", {"id": "f-2", "name": "lost.pdf", "ext": ".pdf", "uploadedAt": T0})
    for lever_id in ("r-1", "r-2", "f-1"):
        world.store(lever_id)
    world.store("f-2", state="unavailable")
    rows = [row for row in world.plan() if row.kind.startswith("candidate.upload")]
    assert [(row.kind, row.lever_id) for row in rows] == [
        ("candidate.uploadFile", "r-1"),
        ("candidate.uploadFile", "f-1"),
        ("candidate.uploadResume", "r-2"),
    ]
    names = [next(iter(row.body[key] for key in row.body if key.endswith("Handle")))["$file"] for row in rows]
    assert len({name["filename"] for name in names}) == 3
    assert all("/" not in name["filename"] for name in names)
    assert [name["context"] for name in names] == ["CandidateFiles", "CandidateFiles", "CandidateResume"]
    assert world.lost("file", "(bytes)") == [(1, "never", "the file is unavailable at the source")]
    assert [count for count, *_ in world.lost("resume", "file")] == [1]


DOCUMENT = {"fileName": "offer.pdf", "uploadedAt": T0, "downloadUrl": ""}


def offers(policy: Policy, **more: Any) -> World:
    world = World(opportunity("o-1"), policy=policy)
    world.give("offers", "o-1", {"id": "of-1", "createdAt": T0, "status": "signed", "fields": [], **more})
    for name in ("of-1:sent", "of-1:signed"):
        world.store(name)
    return world


def test_a_signed_offer_is_uploaded_and_the_missing_privacy_is_told():
    """Its bytes stand under the key of the signed document; files have no private flag."""
    world = offers(Policy(), sentDocument=DOCUMENT, signedDocument=DOCUMENT)
    rows = [row for row in world.plan() if row.kind == "candidate.uploadFile"]
    assert [(row.lever_id, row.body["fileHandle"]["$file"]["lever_id"]) for row in rows] == [("of-1", "of-1:signed")]
    reason = "files have no private flag: who sees the candidate sees them"
    assert world.lost("offer", "(privacy)") == [(1, "moved changed", reason)]


def test_a_signed_offer_is_withheld_with_its_note():
    """Pay does not reach Ashby by the back door."""
    world = offers(Policy(secret_notes="withhold"), signedDocument=DOCUMENT)
    assert [row for row in world.plan() if row.kind == "candidate.uploadFile"] == []
    reason = "pay is for few eyes; withheld by policy"
    assert world.lost("offer", "(signed document)") == [(1, "never", reason)]


def test_an_offer_that_was_only_sent_stays_in_the_archive():
    """Nobody signed it, so it is no document of the candidate."""
    world = offers(Policy(), sentDocument=DOCUMENT, signedDocument=None)
    assert [row for row in world.plan() if row.kind == "candidate.uploadFile"] == []
    assert world.lost("offer", "sentDocument") == [(1, "archived only", "only a signed document is uploaded")]


def test_automatic_tags_are_left_out_and_real_ones_kept_once():
    """Title, team, department, place and commitment of the own posting are noise; the run has its tag."""
    tags = ["Engineer", "Platform", "R&D", "Oslo", "Full-time", "Gem 💎", "Gem 💎"]
    world = World(opportunity("o-1", tags=tags), opportunity("o-2", tags=["Gem 💎"], createdAt=T0 + 1))
    rows = world.plan()
    assert sorted(body["title"] for body in bodies(rows, "candidateTag.create")) == ["Gem 💎", "Migrated from Lever"]
    told = [body["tagId"]["$link"] for body in bodies(rows, "candidate.addTag")]
    assert told == ["tag:Gem 💎", "tag:Migrated from Lever"]


def test_keep_manual_drops_a_tag_only_where_lever_set_it():
    """The same word may be noise on one candidacy and a mark on another."""
    world = World(
        opportunity("o-1", tags=["Oslo"]), opportunity("o-2", contact="c-2", posting=None, tags=["Oslo"])
    )  # fmt: skip
    assert {row["id"]: row["proposal"] for row in world.propose()["tags"]} == {"Oslo": "keep manual"}
    tagged = [row.person for row in world.plan() if row.kind == "candidate.addTag" and "Oslo" in row.row_id]
    assert tagged == ["c-2"]


def test_a_tag_that_stands_in_ashby_is_not_made_again():
    """Its id is adopted."""
    world = World(opportunity("o-1", tags=["Gem"]))
    world.target["tags"] = [{"id": uid(90), "title": "Gem", "isArchived": False}]
    rows = world.plan()
    assert [body["title"] for body in bodies(rows, "candidateTag.create")] == ["Migrated from Lever"]
    assert [row.body["ashbyId"] for row in rows if row.link == "tag:Gem"] == [uid(90)]


# ---- losses


def test_an_attribute_nobody_knows_is_counted():
    """New attributes of Lever are never lost silently."""
    world = World(opportunity("o-1", brandNew={"x": 1}))
    world.plan()
    assert world.lost("opportunity", "brandNew") == [
        (1, "archived only", "an attribute that the mapping does not know")
    ]


def test_losses_show_at_most_three_examples():
    """Counts are complete, examples are few."""
    losses = Losses()
    for number in range(5):
        losses.add("note", "user", lever_id=f"n-{number}", treatment="note", where="w", reason="r")
    assert losses.rows() == [
        {
            "field": "user",
            "lever_type": "note",
            "n_records": 5,
            "treatment": "note",
            "where": "w",
            "reason": "r",
            "examples": ["n-0", "n-1", "n-2"],
        }
    ]


# ---- decisions


def test_all_open_and_wrong_verdicts_are_told_at_once_with_file_and_line():
    """The message names each line and the nearest valid values."""
    world = World(opportunity("o-1", archived={"reason": "r-filled", "archivedAt": T0}))
    world.verdicts["stages"] = {f"{PLAN}/applicant-new": "Aplication Review"}
    world.verdicts["archive_reasons"] = {"r-filled": ""}
    world.verdicts["sources"] = {"Job site": "Jobsite"}
    with pytest.raises(GateError) as caught:
        decide(world.tables(), world, policy=world.policy, now_ms=NOW)
    told = str(caught.value)
    assert "params/test/stages.csv:3: 'Aplication Review' in the column verdict is no stage" in told
    assert "'Application Review'" in told
    assert "params/test/archive_reasons.csv:2: no verdict, and 1 records depend on it" in told
    assert (
        "params/test/sources.csv:2: 'Jobsite' in the column verdict is no source in Ashby; nearest: 'Job site'" in told
    )


def test_a_record_without_a_row_in_its_table_is_told():
    """Something new in Lever since the tables were made."""
    world = World(opportunity("o-1"))
    tables = world.tables()
    world.opportunities["o-2"] = opportunity("o-2", contact="c-2", sources=["Brand new"])
    with pytest.raises(GateError, match=r"sources\.csv:1: no row 'Brand new'"):
        decide(tables, world, policy=world.policy, now_ms=NOW)


def test_a_stage_of_type_archived_is_refused():
    """Only archiving leads there."""
    world = World(opportunity("o-1"))
    world.verdicts["stages"] = {f"{PLAN}/applicant-new": "Archived"}
    with pytest.raises(GateError, match="only archiving leads there"):
        world.plan()


def test_a_new_job_needs_team_place_and_plan():
    """Each missing cell is told."""
    world = World(opportunity("o-1"))
    tables = world.tables()
    tables["postings"].rows[0] |= {"team_verdict": "", "location_verdict": "", "plan_verdict": ""}
    with pytest.raises(GateError) as caught:
        decide(tables, world, policy=world.policy, now_ms=NOW)
    assert str(caught.value).count("a new job needs a") == 3


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("Person:Word", "is none of Candidate:<title>"),
        ("Candidate:Lever headline", "belongs to the workbook itself"),
        ("Candidate:Old field", "is archived in Ashby"),
    ],
)
def test_custom_field_verdicts_are_checked(verdict: str, told: str):
    """Wrong targets are told, not guessed."""
    world = World(opportunity("o-1")).give("forms", "o-1", form(field("text", "x")))
    world.target["custom_fields"] = [
        {"id": uid(82), "title": "Old field", "objectType": "Candidate", "fieldType": "String", "isArchived": True}
    ]
    world.verdicts["custom_fields"] = {"form:t-9:Q": verdict}
    with pytest.raises(GateError, match=told):
        world.plan()


def test_users_are_proposed_by_address_and_then_by_name_without_showing_either():
    """The table holds roles and ids only."""
    world = World(opportunity("o-1", owner="u-ines"))
    world.target["users"][1]["email"] = "other@example.com"
    world.lever["users"][2]["accessRole"] = "8f6d2b1c-0000-4000-8000-57049158d3f3"  # a role that the account has made
    rows = {row["id"]: row for row in world.propose()["users"]}
    assert [rows[key]["label"] for key in ("u-ines", "u-old", "u-none")] == [
        "admin, active", "no role, deactivated", "custom role, active",
    ]  # fmt: skip
    assert [rows[key]["proposal"] for key in ("u-ines", "u-old", "u-none")] == [INES, GONE, "none"]
    assert "Ines" not in str(rows)
    assert "@" not in str(rows)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Referral: mara.l+x@example.org", "Referral: [masked]"),
        ("call +47 22 12 34 56 (mobile)", "call [masked] (mobile)"),
        ("(555) 010-2030", "[masked]"),
        ("mailto:mara@büro.example", "mailto:[masked]"),
        ("2024/Q3 pool", "2024/Q3 pool"),
        ("Top 100 @ Oslo", "Top 100 @ Oslo"),
        ("https://jobs.board.example/robots", "https://jobs.board.example/robots"),
    ],
)
def test_addresses_and_phone_numbers_in_tags_and_sources_never_reach_the_tables(text: str, shown: str):
    """The row goes by a hash; verdicts hold for the text as Lever has it."""
    world = World(opportunity("o-1", tags=[text], sources=[text]))
    world.target["sources"][0]["title"] = "Board"
    made = world.propose()
    row_id = text if shown == text else "text:" + hashlib.sha256(text.encode()).hexdigest()[:16]
    for name in ("tags", "sources"):
        assert [(row["label"], row["n_records"]) for row in made[name] if row["id"] == row_id] == [(shown, 1)]
        assert (text in str(made[name])) == (shown == text)
    world.verdicts = {"tags": {row_id: "keep"}, "sources": {row_id: "Board"}}
    rows = world.plan()
    assert {body["title"] for body in bodies(rows, "candidateTag.create")} == {"Migrated from Lever", text}
    assert bodies(rows, "application.create")[0]["sourceId"] == SOURCE


def test_a_personal_tag_without_a_row_is_told_without_its_text():
    """Errors go into logs; they name the row's id."""
    world = World(opportunity("o-1"))
    tables = world.tables()
    world.opportunities["o-2"] = opportunity("o-2", contact="c-2", tags=["mara@example.org", "MARA@example.org"])
    with pytest.raises(GateError, match=r"tags\.csv:1: no row 'text:") as caught:
        decide(tables, world, policy=world.policy, now_ms=NOW)
    assert "example.org" not in str(caught.value)
    world.target["tags"] = [{"id": uid(91), "title": "mara@example.org", "isArchived": True}]
    assert "example.org" not in str(world.propose()["tags"])


def test_proposals_follow_type_and_name():
    """Stages by pipeline group and title, hired reasons by type, the right form for feedback."""
    world = World(opportunity("o-1")).give("feedback", "o-1", feedback())
    made = world.propose()
    assert {row["id"].split("/")[1]: row["proposal"] for row in made["stages"]} == {
        "lead-new": "New Lead",
        "applicant-new": "Application Review",
        "s-phone": "Phone Interview",
        "s-onsite": "Onsite",
        "offer": "Offer",
    }
    assert [row["proposal"] for row in made["archive_reasons"]] == ["Position Filled", "hired"]
    assert [(row["id"], row["proposal"]) for row in made["feedback_forms"]] == [("t-1", "Migrated feedback")]
    assert [(row["id"], row["n_records"]) for row in made["postings"]] == [("p-1", 2)]


# ---- slips
def test_a_slip_in_a_tag_makes_no_tag():
    """What is meant is said with new: before it; what Ashby or Lever has needs no such word."""
    world = World(opportunity("o-1", tags=["Gems", "Rust", "Oslo!"]))
    world.target["tags"] = [{"id": uid(90), "title": "Backend", "isArchived": False}]
    world.verdicts["tags"] = {"Gems": "dropp", "Rust": "Back-end", "Oslo!": "no"}
    with pytest.raises(GateError) as caught:
        world.plan()
    told = str(caught.value)
    assert "'dropp' is no tag yet, and much like 'drop'. If it is to be made, write 'new:dropp'." in told
    assert "'Back-end' is no tag yet, and much like 'Backend'" in told
    assert "'no' is no tag yet. If" in told
    world.verdicts["tags"] = {"Gems": "new:dropp", "Rust": "backend", "Oslo!": "Gem stone"}
    assert sorted(row.body["title"] for row in world.plan() if row.kind == "candidateTag.create") == [
        "Gem stone",
        "Migrated from Lever",
        "dropp",
    ]


def test_a_slip_in_a_title_makes_no_second_custom_field():
    world = World(opportunity("o-1")).give("forms", "o-1", form(field("text", "hi")))
    world.target["custom_fields"] = [
        {"id": uid(70), "objectType": "Candidate", "title": "Salary expectation", "fieldType": "String"}
    ]
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Candidate:Salary expectaton"}
    with pytest.raises(GateError, match=r"much like 'Salary expectation'.*'new:Candidate:Salary expectaton'"):
        world.plan()
    world.verdicts["custom_fields"] = {"form:t-9:Q": "new:Candidate:Salary expectaton"}
    titles = [body["title"] for body in bodies(world.plan(), "customField.create")]
    assert "Salary expectaton" in titles


@pytest.mark.parametrize(
    ("kind", "value", "more"), [("currency", 100, {"currency": "EUR"}), ("date", T0, {})], ids=["amount", "moment"]
)
def test_an_amount_and_a_moment_are_no_mere_numbers(kind: str, value: Any, more: dict[str, Any]):
    """Without its currency, or in milliseconds, it would be another answer: a note, and counted."""
    world = World(opportunity("o-1")).give("forms", "o-1", form(field(kind, value, **more)))
    world.target["custom_fields"] = [
        {"id": uid(70), "objectType": "Candidate", "title": "Figure", "fieldType": "Number"}
    ]
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Candidate:Figure"}
    rows = world.plan()
    assert "Figure" not in json.dumps([row.body for row in rows if row.kind == "customField.setValues"])
    assert len(notes(rows, "Lever form fm-1")) == 1
    assert world.lost("form", "fields: Q") == [(1, "note", "the answer does not fit the type Number")]


def test_a_selection_that_comes_as_one_text_is_taken_apart():
    """An example of Lever's reference has a text with commas; an option that has a comma itself stays whole."""
    options = [{"text": text} for text in ("Python", "Go", "Rust, mostly")]
    world = World(opportunity("o-1")).give(
        "forms", "o-1",
        form(field("multiple-select", "Python, Go", options=options)),
        form(field("multiple-select", "Rust, mostly", options=options), id="fm-2"),
    )  # fmt: skip
    (row,) = world.propose()["custom_fields"]
    assert row["options"] == "Python; Go; Rust, mostly"
    world.verdicts["custom_fields"] = {"form:t-9:Q": "Application:Languages"}
    made = [row.body for row in world.plan() if row.kind == "customField.create" and row.body["title"] == "Languages"]
    assert [one["label"] for one in made[0]["selectableValues"]] == ["Go", "Python", "Rust, mostly"]


@pytest.mark.parametrize("text", ["3-4", "MARCH1", "Jan 2024", "007", "true", "1/2", " x"])
def test_what_a_spreadsheet_would_change_is_no_id(text: str):
    """A verdict would belong to no row any more once somebody has saved the table there."""
    assert shown.row_id(text).startswith("text:")
    assert shown.by_row_id([text]) == {shown.row_id(text): text}


@pytest.mark.parametrize("text", ["C++", "Marching band", "Q3 hires", "E-commerce", "Go", "5 stars?"])
def test_plain_words_are_their_own_id(text: str):
    assert shown.row_id(text) == text


def test_a_new_job_is_as_sure_as_its_team_its_place_and_its_plan():
    """Accepting what is sure never puts a job into a city that is only like the right one."""
    world = World(opportunity("o-1"))
    assert [row["confidence"] for row in world.propose()["postings"]] == ["high"]
    world.target["locations"] = [{"id": uid(5), "name": "Osla", "isArchived": False}]
    (row,) = world.propose()["postings"]
    assert (row["proposal"], row["confidence"]) == ("new", "medium")
    assert "location: likely by name" in row["reason"]
    world.target["locations"] = [{"id": uid(5), "name": "Bern", "isArchived": False}]
    assert [row["confidence"] for row in world.propose()["postings"]] == ["low"]


def test_two_namesakes_in_ashby_are_a_question():
    world = World(opportunity("o-1", owner="u-none"))
    world.target["users"] += [
        {"id": uid(n), "firstName": "Nobody", "lastName": "There", "email": f"n{n}@example.com", "isEnabled": True}
        for n in (71, 72)
    ]
    row = next(row for row in world.propose()["users"] if row["id"] == "u-none")
    assert (row["proposal"], row["confidence"]) == ("none", "low")
    assert "2 users in Ashby have this name" in row["reason"]


@pytest.mark.parametrize(
    ("ashby_type", "kind", "value", "proposal", "words"),
    [
        ("ValueSelect", "dropdown", "Go", "Application:Q", "a field of the same title"),
        ("ValueSelect", "multiple-select", ["Go", "C"], "Application:Q", "1 of 1 answers name several values"),
        ("Number", "text", "many", "note", "of type Number: not all answers would fit"),
        ("LongText", "text", "many", "Application:Q", "a field of the same title"),
    ],
)
def test_a_field_of_the_same_title_is_proposed_with_what_would_not_fit(
    ashby_type: str, kind: str, value: Any, proposal: str, words: str
):
    """Never as sure: whoever sees the candidate sees the answers."""
    world = World(opportunity("o-1")).give("forms", "o-1", form(field(kind, value)))
    world.target["custom_fields"] = [
        {"id": uid(70), "objectType": "Application", "title": "q", "fieldType": ashby_type, "isArchived": False}
    ]
    (row,) = world.propose()["custom_fields"]
    assert (row["proposal"].casefold(), row["confidence"]) == (proposal.casefold(), "medium")
    assert words in row["reason"]


def test_stages_show_their_types_and_their_share():
    """What a history note would leave out of Ashby's history is said in records."""
    rows = World(opportunity("o-1")).propose()["stages"]
    assert {row["id"].split("/")[1]: (row["pipeline"], row["ashby_type"]) for row in rows}["s-onsite"] == (
        "onsite",
        "Active",
    )
    assert {row["share"] for row in rows} == {"100.0%", "0.0%"}


def _two_postings(*more: dict[str, str]) -> tuple[World, dict[str, Any]]:
    """Two postings on one interview plan, both with a candidacy on site; rows are added to stages.csv."""
    moves = [change("applicant-new", T0), change("s-onsite", T0 + 5)]
    on_site = {"stage": "s-onsite", "stageChanges": moves}
    world = World(opportunity("o-1", **on_site), opportunity("o-2", contact="c-2", posting="p-2", **on_site))
    world.opportunities["o-2"]["emails"] = ["other@example.org"]
    world.lever["postings"].append(posting("p-2", text="Designer"))
    tables = world.tables()
    tables["stages"] = replace(tables["stages"], rows=[*tables["stages"].rows, *more])
    world.more_tables["stages"] = tables["stages"].merge(world.propose(tables)["stages"])
    return world, {row["id"]: row for row in world.more_tables["stages"].rows}


def test_a_stage_may_be_another_one_for_a_single_posting():
    """A row that somebody adds, `<posting>/<stage>`, goes before the plan's; each record counts at one of them."""
    world, rows = _two_postings({"id": "p-2/s-onsite", "verdict": "Phone Interview"})
    assert (rows["p-2/s-onsite"]["n_records"], rows[f"{PLAN}/s-onsite"]["n_records"]) == ("1", "1")
    assert rows["p-2/s-onsite"]["plan"] == "Standard, posting Designer"
    made = {row.lever_id: row.body for row in world.plan() if row.kind == "application.create"}
    stages = {key: [one["stageId"] for one in body["applicationHistory"]] for key, body in made.items()}
    assert stages == {"o-1": [REVIEW, ONSITE], "o-2": [REVIEW, SCREEN]}


def test_a_stage_of_a_single_posting_may_be_left_to_the_note_or_taken_as_proposed():
    """And where all its records have such rows, the plan's row needs no verdict."""
    world, rows = _two_postings(
        {"id": "p-2/s-onsite", "verdict": "history note"}, {"id": "p-1/s-onsite", "verdict": "="}
    )
    assert rows["p-1/s-onsite"]["verdict"] == "Onsite"
    assert rows[f"{PLAN}/s-onsite"]["n_records"] == "0"
    rows[f"{PLAN}/s-onsite"]["verdict"] = ""
    made = {row.lever_id: row.body for row in world.plan() if row.kind == "application.create"}
    stages = {key: [one["stageId"] for one in body["applicationHistory"]] for key, body in made.items()}
    assert stages == {"o-1": [REVIEW, ONSITE], "o-2": [REVIEW]}


def test_an_added_row_waits_for_its_verdict_and_counts_for_a_job_only():
    """A row that is to be filled in the grid stays; of a posting without a job it says nothing."""
    world, rows = _two_postings({"id": "p-2/s-onsite", "verdict": ""})
    assert (rows["p-2/s-onsite"]["n_records"], rows["p-2/s-onsite"]["verdict"]) == ("1", "")
    with pytest.raises(GateError, match=r"stages\.csv:7: no verdict, and 1 records depend on it \(proposed: Onsite\)"):
        world.plan()
    world, rows = _two_postings({"id": "p-2/s-onsite", "verdict": "history note"})
    tables = world.tables()
    postings = next(row for row in tables["postings"].rows if row["id"] == "p-2")
    postings["verdict"] = "skip"
    decisions = decide(tables, world, policy=world.policy, now_ms=NOW)
    assert ("p-2", "s-onsite") not in decisions.stages


def test_an_added_row_that_names_nothing_is_told():
    """A posting, a stage, a verdict that do not exist: file, line, and what is near."""
    wrong = ({"id": "p-9/s-onsite", "verdict": "Onsite"}, {"id": "p-2/s-onsight", "verdict": "Onsite"})
    wrong = (*wrong, {"id": "p-8/s-onsite", "verdict": "history note"})
    world, _ = _two_postings(*wrong, {"id": "p-2/s-phone", "verdict": "Phone Intervew"})
    with pytest.raises(GateError) as caught:
        world.plan()
    told = str(caught.value)
    assert "stages.csv:7: 'Phone Intervew' in the column verdict is no stage of the plan" in told
    assert "stages.csv:8: 'p-9' is no interview plan in Ashby, and no posting in Lever." in told
    assert "stages.csv:10: 'p-8' is no interview plan in Ashby, and no posting in Lever." in told
    assert "stages.csv:9: 's-onsight' after the posting is no stage of Lever (its id); nearest: " in told


def test_of_many_problems_each_file_tells_the_first_and_the_number():
    """Hundreds of open tags do not hide that one stage is wrong."""
    world = World(opportunity("o-1", tags=[f"word {number}" for number in range(80)]))
    world.verdicts["stages"] = {f"{PLAN}/applicant-new": "Aplication Review"}
    world.verdicts["tags"] = {f"word {number}": "" for number in range(80)}
    with pytest.raises(GateError) as caught:
        world.plan()
    told = str(caught.value)
    assert told.startswith("81 decisions are open")
    assert "Aplication Review" in told
    assert "params/test/tags.csv: and 30 more." in told
    assert told.count("tags.csv:") == 51


# ---- what has no place of its own


def test_an_application_that_came_later_says_when():
    """Somebody was sourced first and applied days later: the date stands in a note, once."""
    one = opportunity("o-1")
    one["applications"][0]["createdAt"] = T0 + DAY
    world = World(one)
    [told] = notes(world.plan(), "Lever form a-o-1")
    assert "Applied: 2023-" in told
    assert world.lost("application", "type") == []
    one["applications"][0]["company"] = "ACME"
    [told] = notes(World(one).plan(), "Lever form a-o-1")
    assert "Applied: " not in told
    assert told.startswith("Lever application (posting), 2023-")


def test_an_application_that_says_nothing_more_costs_no_note_and_its_kind_is_counted():
    """Within a minute of the opportunity it was made with it."""
    one = opportunity("o-1")
    one["applications"][0]["createdAt"] = T0 + 59_000
    world = World(one)
    assert notes(world.plan(), "Lever form a-o-1") == []
    assert world.lost("application", "type") == [(1, "archived only", "nothing else is to be told of the application")]
    one["applications"][0]["type"] = None
    world = World(one)
    world.plan()
    assert world.lost("application", "type") == []


@pytest.mark.parametrize(("own", "n_lost"), [(None, 0), ({}, 0), ({"archivedAt": T0}, 0), ({"archivedAt": T0 + 5}, 1)])
def test_an_application_that_ended_otherwise_is_counted(own: Any, n_lost: int):
    """The opportunity's end is the one that is written."""
    one = opportunity("o-1", archived={"reason": "r-filled", "archivedAt": T0})
    one["applications"][0]["archived"] = own and {"reason": "r-filled", **own}
    world = World(one)
    world.plan()
    assert len(world.lost("application", "archived")) == n_lost


@pytest.mark.parametrize("verdict", ["new", "Engineer"])
def test_members_of_a_posting_that_no_job_takes_are_counted(verdict: str):
    """One by one, whether the job is made or was there; an empty member is no loss."""
    world = World(opportunity("o-1"))
    world.lever["postings"][0]["categories"] |= {"allLocations": ["Oslo", "Lima"], "level": None}
    if verdict != "new":
        world.target["jobs"] = [
            {"id": uid(88), "title": "Engineer", "status": "Open", "defaultInterviewPlanId": PLAN,
             "interviewPlanIds": [PLAN], "departmentId": TEAM, "locationId": PLACE, "confidential": False}
        ]  # fmt: skip
    world.verdicts["postings"] = {"p-1": verdict}
    world.plan()
    found = {row["field"] for row in world.losses.rows() if row["field"].startswith("categories.")}
    assert found == {"categories.allLocations", "categories.commitment", "categories.department"}


def test_objects_of_which_nothing_moves_count_once_each():
    """Forty lines of one requisition would hide the rest of the loss list."""
    world = World(opportunity("o-1"))
    world.lever["requisitions"] = [{"id": f"q-{n}", "name": "Opening", "status": "open", "extra": 1} for n in (1, 2)]
    world.plan()
    found = [row for row in world.losses.rows() if row["lever_type"] == "requisition"]
    assert [(row["field"], row["n_records"], row["ids"]) for row in found] == [("(requisition)", 2, ["q-1", "q-2"])]


def test_a_role_that_was_opened_again_gets_the_stages_of_its_living_job():
    """The archived job of that title has another plan: what is proposed can be decided in one round."""
    world = World(opportunity("o-1"))
    old_plan = uid(77)
    world.target["interview_plans"].append(
        {"id": old_plan, "title": "Old", "isArchived": False, "stages": world.target["interview_plans"][0]["stages"]}
    )
    job = {"title": "Engineer", "departmentId": TEAM, "locationId": PLACE, "confidential": False}
    world.target["jobs"] = [
        job | {"id": uid(88), "status": "Archived", "defaultInterviewPlanId": old_plan, "interviewPlanIds": [old_plan]},
        job | {"id": uid(89), "status": "Open", "defaultInterviewPlanId": PLAN, "interviewPlanIds": [PLAN]},
    ]
    rows = world.propose()
    assert rows["postings"][0]["proposal"] == "Engineer"
    assert {row["id"].partition("/")[0] for row in rows["stages"]} == {PLAN}
    assert history(world.plan())
    old = world.tables()
    old["postings"].rows[0] |= {"proposal": "new", "verdict": ""}  # a table of before the job was opened
    assert {row["id"].partition("/")[0] for row in world.propose(old)["stages"]} == {PLAN}


def test_a_job_that_is_archived_in_ashby_is_not_proposed():
    """It would be refused as a verdict; a living one of the same title, team and place is."""
    world = World(opportunity("o-1"))
    old = {
        "id": uid(88), "title": "Engineer", "status": "Archived", "defaultInterviewPlanId": PLAN, "departmentId": TEAM,
        "locationId": PLACE,
    }  # fmt: skip
    world.target["jobs"] = [old]
    row = world.propose()["postings"][0]
    assert (row["proposal"], row["confidence"]) == ("new", "low")
    assert row["reason"].startswith("the job of the same title, team and location is archived in Ashby")
    world.target["jobs"].append(old | {"id": uid(89), "status": "Open"})
    row = world.propose()["postings"][0]
    assert (row["proposal"], row["confidence"]) == ("Engineer", "high")


def test_html_of_what_stays_behind_is_not_counted_as_moved():
    """A secret answer that the policy withholds; what the candidate typed is counted where it is told."""
    one = opportunity("o-1")
    one["applications"][0]["comments"] = "<p>Hello</p><p>you</p>"
    world = World(one, policy=Policy(secret_notes="withhold"))
    form = {"id": "f-1", "text": "Form", "secret": True, "createdAt": T0, "completedAt": T0}
    world.give("forms", "o-1", form | {"fields": [{"type": "textarea", "text": "Why", "value": "<p>a</p><p>b</p>"}]})
    assert "Comments: Hello\n\nyou" in notes(world.plan(), "Lever form a-o-1")[0]
    assert world.lost("form", "fields (layout)") == []
    assert [row[:2] for row in world.lost("application", "fields (layout)")] == [(1, "moved changed")]


def test_a_place_of_its_own_is_counted_where_it_is_not_that_of_the_posting():
    """A posting at several places: the candidacy's own has no field."""
    world = World(opportunity("o-1", opportunityLocation="Oslo"))
    world.plan()
    assert world.lost("opportunity", "opportunityLocation") == []
    world = World(opportunity("o-1", opportunityLocation="Lima"))
    world.plan()
    assert [row[:2] for row in world.lost("opportunity", "opportunityLocation")] == [(1, "archived only")]


def test_types_of_phones_are_counted():
    """Ashby takes a number without its type."""
    world = World(opportunity("o-1", phones=[{"type": "mobile", "value": "+1 212 555 0100"}, {"value": "1"}]))
    world.plan()
    assert [row[:2] for row in world.lost("opportunity", "phones (type)")] == [(1, "archived only")]


def test_a_stage_change_without_a_time_is_told_in_the_note():
    """It has no place in a history, and is not dropped."""
    timeless = {"toStageId": "s-phone", "toStageIndex": 2, "updatedAt": None}
    moves = [change("applicant-new", T0), timeless, change("s-onsite", T0 + 5)]
    world = World(opportunity("o-1", stage="s-onsite", stageChanges=moves))
    rows = world.plan()
    assert [stage for stage, *_ in history(rows)] == [REVIEW, ONSITE]
    assert "date not recorded: Phone interview" in notes(rows, "Lever history o-1")[0]
    assert (1, "note", "a stage change without a time") in world.lost("opportunity", "stageChanges")


def test_a_note_that_is_html_becomes_lines_and_code_stays():
    """Only where the whole text is HTML; the change is counted."""
    world = World(opportunity("o-1"))
    by = {"user": "u-ines", "createdAt": T0}
    world.give(
        "notes", "o-1",
        {"id": "n-1", "createdAt": T0, "fields": [{"value": "<p>Good.</p><ul><li>Fast</li></ul>", **by}]},
        {"id": "n-2", "createdAt": T0, "fields": [{"value": "use <div> and </div>", **by}]},
    )  # fmt: skip
    answers = [
        {"type": "textarea", "text": "Why", "value": "<div>Kind<br>and <b>quick</b></div>"},
        {"type": "code", "text": "Code", "value": "<p>x</p>"},
    ]
    world.give("feedback", "o-1", {
        "id": "f-1", "text": "Form", "baseTemplateId": None, "fields": answers, "user": "u-ines", "createdAt": T0,
        "completedAt": T0,
    })  # fmt: skip
    rows = world.plan()
    assert "Good.\n\n- Fast" in notes(rows, "Lever note n-1")[0]
    assert "use <div> and </div>" in notes(rows, "Lever note n-2")[0]
    [text] = [
        one["value"] for body in bodies(rows, "applicationFeedback.submit")
        for one in body["feedbackForm"]["fieldSubmissions"] if "Kind" in str(one["value"])
    ]  # fmt: skip
    assert "Kind\nand quick" in text
    assert "<p>x</p>" in text
    assert [world.lost(kind, "fields (layout)")[0][:2] for kind in ("note", "feedback")] == [(1, "moved changed")] * 2


# ---- a whole company


@pytest.fixture(scope="module")
def sandbox_world() -> World:
    """The sandbox's generated company as a data source, with a small Ashby of our own."""
    from sandbox.company import build  # noqa: PLC0415  (a data source, and only for this fixture)

    company = build(seed=11, people=60)
    world = World()
    lists = ("users", "stages", "archive_reasons", "sources", "tags", "requisitions", "requisition_fields", "postings")
    world.lever |= {name: getattr(company, name) for name in (*lists, "feedback_templates", "form_templates")}
    world.lever["disposition_stages"] = [company.disposition]
    for item in company.opportunities:
        applications = [company.applications[one] for one in item["applications"]]
        whole = item | {"contact": company.contacts[item["contact"]], "applications": applications}
        world.opportunities[item["id"]] = whole
        for name in ("notes", "feedback", "forms", "resumes", "files", "offers", "interviews", "referrals"):
            world.give(name, item["id"], *sorted(getattr(company, name).get(item["id"], []), key=lambda one: one["id"]))
    for lever_id in sorted(company.file_kinds):
        world.store(lever_id)
    return world


def test_a_whole_company_compiles_the_same_twice_with_unique_rows(sandbox_world: World):
    """Every form field type, trap and odd text passes the contract; ids are unique; nobody is left out silently."""
    world = sandbox_world
    world.verdicts["archive_reasons"] = {
        row["id"]: row["proposal"] or "Position Filled" for row in world.propose()["archive_reasons"]
    }
    world.policy = Policy(confidential_as_new=True)
    world.verdicts["postings"] = {row["id"]: "new" for row in world.propose()["postings"]}
    rows = world.plan()
    assert plan_hash(rows) == plan_hash(world.plan())
    ids = [row.row_id for row in rows]
    assert len(set(ids)) == len(ids)
    moved = {row.lever_id for row in rows if row.kind == "application.create"}
    told = {line for row in rows for line in str(row.body).split("[Lever opportunity ")[1:]}
    noted = {line.split("]")[0] for line in told}
    kept_out = sum(count for count, *_ in world.lost("opportunity", "(opportunity)"))
    assert len(moved | noted) + kept_out == len(world.opportunities)


def test_shuffled_child_lists_give_the_same_plan():
    """The order in which Lever lists things does not matter."""
    items = [thread_note() | {"id": f"n-{number}", "createdAt": T0 + number % 2} for number in range(6)]
    hashes = set()
    for seed in range(3):
        random.Random(seed).shuffle(items)
        hashes.add(plan_hash(World(opportunity("o-1")).give("notes", "o-1", *items).plan()))
    assert len(hashes) == 1


def test_empty_tables_of_people_give_the_set_up_only():
    """Nobody to move is no error."""
    world = World()
    decisions = decide(world.tables(), world, policy=world.policy, now_ms=NOW)
    people, members = pd.DataFrame(columns=["person"]), pd.DataFrame(columns=["person", "contact", "why"])
    rows = compile_plan(world, people=people, members=members, decisions=decisions, policy=world.policy)
    assert {row.person for row in rows} == {""}


def test_proposals_are_the_same_each_time():
    """Tables are generated deterministically."""
    world = World(opportunity("o-1", tags=["b", "a"], sources=["z", "Job site"]))
    assert propose(world, policy=world.policy, now_ms=NOW) == propose(world, policy=world.policy, now_ms=NOW)
