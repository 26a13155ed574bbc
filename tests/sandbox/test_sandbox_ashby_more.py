"""What other clients than a move ask of the Ashby side: places, teams, openings, postings, interviews, reports."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from ashby_kit import Desk

JAN, FEB = "2021-01-04T09:00:00.123Z", "2021-02-01T10:30:00.456Z"
LATER = "2999-01-01T00:00:00.000Z"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- what is not there ----------------------------------------------------------------------------------------


def test_an_endpoint_that_is_not_imitated_says_so(desk: Desk) -> None:
    """501 with the reason, and a line in the journal: never an invention."""
    answer = desk.ask("offer.create", {"offerProcessId": NOBODY})
    assert (501, "not_imitated") == (answer.status, answer.json["errorInfo"]["code"])
    assert [{"api": "ashby", "path": "POST /offer.create"}] == desk.journal.unknown_paths
    assert "notetaker_transcript_not_enabled" == desk.refused("notetakerTranscript.info", notetakerTranscriptId=NOBODY)


def test_old_spellings_do_the_same(desk: Desk) -> None:
    """application.change_stage and application.change_source."""
    item, stage = desk.application()["id"], desk.stage("Active")["id"]
    assert "Active" == desk.ok("application.change_stage", applicationId=item, interviewStageId=stage)["status"]
    assert None is desk.ok("application.change_source", applicationId=item, sourceId=None)["source"]


# --- deprecated uploads ---------------------------------------------------------------------------------------


def form(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, str]:
    """A multipart body and its content type."""
    body = b""
    for name, filename, data in parts:
        file = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: application/pdf'
        body += f'--edge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"
    return body + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def send_form(desk: Desk, endpoint: str, *parts: tuple[str, str | None, bytes]) -> dict[str, Any]:
    """POST a multipart body with the key."""
    body, kind = form(*parts)
    return desk.ask_raw(endpoint, body, kind).json


def test_files_can_be_sent_as_forms(desk: Desk) -> None:
    """Deprecated, and still documented: parts `resume` and `file` beside candidateId."""
    made = desk.candidate()["id"]
    person = ("candidateId", None, made.encode())
    resume = send_form(desk, "candidate.uploadResume", person, ("resume", "cv.pdf", b"Company: Fjordworks\n"))
    assert ("Fjordworks", "cv.pdf") == (resume["results"]["company"], resume["results"]["resumeFileHandle"]["name"])
    data = bytes(range(256)) + b"\r\n--edg"
    answer = send_form(desk, "candidate.uploadFile", person, ("file", "ålesund.pdf", data))
    assert ["cv.pdf", "ålesund.pdf"] == [one["name"] for one in answer["results"]["fileHandles"]]
    (person_state,) = [one for one in desk.side.dump()["candidates"] if one["id"] == made]
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (
        person_state["files"][1]["sha256"], person_state["files"][1]["size"],
    )  # fmt: skip


def test_a_form_that_does_not_fit_is_refused(desk: Desk) -> None:
    """No file, another part, no end, an endpoint that takes no forms."""
    person, file = ("candidateId", None, desk.candidate()["id"].encode()), ("file", "a", b"x")
    for endpoint, parts in (
        ("candidate.uploadFile", (person,)),
        ("candidate.uploadFile", (file,)),
        ("candidate.uploadFile", (person, file, ("why", None, b"x"))),
        ("candidate.uploadResume", (person, file)),
        ("candidate.createNote", (person,)),
    ):
        assert ["invalid_input"] == send_form(desk, endpoint, *parts)["errors"]
    assert ["invalid_input"] == desk.ask_raw(
        "candidate.uploadFile", b"--edge\r\n", "multipart/form-data; boundary=edge"
    ).json["errors"]
    assert ["invalid_input"] == desk.ask_raw("candidate.uploadFile", b"", "multipart/form-data").json["errors"]


# --- candidates -----------------------------------------------------------------------------------------------


def test_anonymizing_needs_closed_applications_and_forgets_who_it_was(desk: Desk) -> None:
    """Irreversible; id and application stay."""
    made = desk.candidate(name="Nova Private", email="n@x.example", phoneNumber="1")["id"]
    item = desk.ok("application.create", candidateId=made, jobId=desk.job()["id"])["id"]
    desk.ok("candidate.createNote", candidateId=made, note="private matters")
    assert "invalid_input" == desk.refused("candidate.anonymize", candidateId=made)
    stage = {"interviewStageId": desk.stage("Archived")["id"], "archiveReasonId": desk.reason()}
    desk.ok("application.changeStage", applicationId=item, **stage)
    shown = desk.ok("candidate.anonymize", candidateId=made)
    assert ([item], [], []) == (shown["applicationIds"], shown["emailAddresses"], shown["phoneNumbers"])
    assert [] == desk.ok("candidate.search", name="Nova Private")
    (state,) = [one for one in desk.side.dump()["candidates"] if one["id"] == made]
    assert "rivate" not in json.dumps(state).replace("isPrivate", "")


def test_an_email_is_kept_once_per_providers_id(desk: Desk) -> None:
    """The nearest thing to an idempotency key."""
    made = desk.candidate()["id"]
    mail = {
        "candidateId": made, "emailProviderEmailId": "m-1", "subject": "s", "from": "a@x.example", "to": "b@x.example",
        "body": "<p>b</p>", "sentAt": JAN,
    }  # fmt: skip
    sent = desk.ok("candidate.addEmailMessage", **mail)
    assert (JAN, False) == (sent["sentAt"], sent["isPrivate"])
    assert "email_already_exists" == desk.refused("candidate.addEmailMessage", **mail)
    assert "invalid_input" == desk.refused("candidate.addEmailMessage", **{**mail, "attachments": []})
    assert ["m-1"] == [one["emailProviderEmailId"] for one in desk.side.dump()["emails"]]


def test_candidates_come_into_projects_and_leave_them(desk: Desk) -> None:
    """A confidential project is hidden from a key without the toggle."""
    made, project = desk.candidate()["id"], desk.ok("project.list")[0]["id"]
    for _ in range(2):
        desk.ok("candidate.addProject", candidateId=made, projectId=project)
    assert [project] == [one["id"] for one in desk.ok("candidate.listProjects", candidateId=made)]
    desk.ok("candidate.removeProject", candidateId=made, projectId=project)
    assert [] == desk.ok("candidate.listProjects", candidateId=made)
    desk.side.state.projects[project]["confidential"] = True
    poor = desk.settings.ashby_key_limited
    assert [] == desk.ask("project.list", key=poor).json["results"]
    assert ["project_not_found"] == desk.ask("project.info", {"projectId": project}, key=poor).json["errors"]
    assert [project] == [one["id"] for one in desk.ok("project.search", title="talent POOL")]


def test_private_values_are_seen_and_set_by_keys_with_the_toggle_only(desk: Desk) -> None:
    """A private custom field does not exist for the others."""
    item = desk.application()["id"]
    field = next(one for one in desk.ok("customField.list") if one["isPrivate"])
    value = {"value": 5, "currencyCode": "EUR"}
    target = {"objectId": item, "objectType": "Application", "fieldId": field["id"], "fieldValue": value}
    desk.ok("customField.setValue", **target)
    poor = desk.settings.ashby_key_limited
    seen = [
        desk.ask("application.info", {"applicationId": item}, key=key).json["results"]["customFields"]
        for key in (None, poor)
    ]
    assert ([value], []) == ([one["value"] for one in seen[0]], seen[1])
    assert field["id"] not in [one["id"] for one in desk.ask("customField.list", key=poor).json["results"]]
    desk.settings.switches["key_toggles"] = "confidential"
    assert "custom_field_not_found" == desk.refused("customField.setValue", **target)


# --- places and teams -----------------------------------------------------------------------------------------


def test_departments_are_renamed_moved_and_archived(desk: Desk) -> None:
    """Never below themselves; archived ones leave the list and take no jobs."""
    one, two = (desk.ok("department.create", name=name)["id"] for name in ("One", "Two"))
    assert one == desk.ok("department.move", departmentId=two, parentId=one)["parentId"]
    assert "invalid_input" == desk.refused("department.move", departmentId=one, parentId=two)
    assert "Uno" == desk.ok("department.update", departmentId=one, name="Uno")["name"]
    assert desk.ok("department.archive", departmentId=one)["isArchived"]
    assert one not in [item["id"] for item in desk.ok("department.list")]
    job = {"title": "J", "teamId": one, "locationId": desk.job()["locationId"]}
    assert "invalid_input" == desk.refused("job.create", **job)
    desk.ok("department.restore", departmentId=one)
    desk.ok("job.create", **job)
    assert "department_not_found" == desk.refused("department.archive", departmentId="somewhere")


def test_locations_are_changed_part_by_part(desk: Desk) -> None:
    """The workplace type decides whether a place is remote; parents are levels of the hierarchy."""
    made = desk.ok("location.create", name="L", type="Location")["id"]
    assert True is desk.ok("location.updateWorkplaceType", locationId=made, workplaceType="Remote")["isRemote"]
    address = {"postalAddress": {"addressLocality": "Oslo"}}
    assert address == desk.ok("location.updateAddress", locationId=made, address=address)["address"]
    assert "M" == desk.ok("location.updateName", locationId=made, name="M")["name"]
    other = desk.ok("location.list")[0]["id"]
    assert "invalid_input" == desk.refused("location.move", locationId=made, parentLocationHierarchyId=other)
    top = desk.ok("location.create", name="T", type="LocationHierarchy")["id"]
    assert top == desk.ok("location.move", locationId=made, parentLocationHierarchyId=top)["parentLocationId"]
    desk.ok("location.archive", locationId=made)
    assert made not in [item["id"] for item in desk.ok("location.list")]
    desk.ok("location.restore", locationId=made)
    assert made in [item["id"] for item in desk.ok("location.list")]


def test_people_join_teams_of_applications_jobs_and_openings(desk: Desk) -> None:
    """Exactly one of the three is named."""
    user, role = desk.ok("user.list")[0]["id"], desk.ok("applicationHiringTeamRole.list")[0]["id"]
    who = {"teamMemberId": user, "roleId": role}
    item, job = desk.application()["id"], desk.job()["id"]
    opening = desk.ok("opening.create", identifier="O")["id"]
    for target in ({"applicationId": item}, {"jobId": job}, {"openingId": opening}):
        member = desk.ok("hiringTeam.addMember", **target, **who)
        desk.ok("hiringTeam.addMember", **target, **who)
    assert [member] == desk.ok("application.info", applicationId=item)["hiringTeam"]
    assert member in desk.ok("job.info", id=job)["hiringTeam"]
    assert [member] == desk.ok("opening.info", openingId=opening)["latestVersion"]["hiringTeam"]
    desk.ok("hiringTeam.removeMember", applicationId=item, **who)
    assert [] == desk.ok("application.info", applicationId=item)["hiringTeam"]
    assert "invalid_input" == desk.refused("hiringTeam.addMember", applicationId=item, jobId=job, **who)


def test_users_have_settings_pauses_and_values(desk: Desk) -> None:
    """One pause at a time; only Employee fields."""
    user = desk.ok("user.list")[0]["id"]
    assert None is desk.ok("user.interviewerSettings", userId=user)["dailyLimit"]
    assert 3 == desk.ok("user.updateInterviewerSettings", userId=user, dailyLimit=3)["dailyLimit"]
    pause = desk.ok("user.createInterviewerPause", userId=user)
    assert "interviewer_pause_already_exists" == desk.refused("user.createInterviewerPause", userId=user)
    assert [pause] == desk.ok("user.listInterviewerPauses", userId=user)
    desk.ok("user.deleteInterviewerPause", interviewerPauseId=pause["id"])
    field = {"fieldType": "Number", "title": "Desk"}
    good = desk.ok("customField.create", **field, objectType="Employee")["id"]
    bad = desk.ok("customField.create", **field, objectType="Candidate")["id"]
    assert 7 == desk.ok("user.setCustomFieldValue", userId=user, fieldId=good, fieldValue=7)["value"]
    assert [7] == [one["value"] for one in desk.ok("user.info", userId=user)["customFields"]]
    assert "invalid_input" == desk.refused("user.setCustomFieldValue", userId=user, fieldId=bad, fieldValue=7)


# --- jobs, openings, postings ---------------------------------------------------------------------------------


def test_an_opening_goes_through_its_states(desk: Desk) -> None:
    """A close reason only with Closed; versions change with every update."""
    made = desk.ok("opening.create", identifier="O")
    job, place = desk.job()["id"], desk.ok("location.list")[0]["id"]
    for verb, member in (("Job", {"jobId": job}), ("Location", {"locationId": place})):
        desk.ok(f"opening.add{verb}", openingId=made["id"], **member)
    shown = desk.ok("opening.update", openingId=made["id"], description="d", employmentType="Contract")["latestVersion"]
    assert ([job], [place], "d", "Contract") == (
        shown["jobIds"], shown["locationIds"], shown["description"], shown["employmentType"],
    )  # fmt: skip
    assert made["latestVersion"]["id"] != shown["id"]
    assert [made["id"]] == [one["id"] for one in desk.ok("job.info", id=job, expand=["openings"])["openings"]]
    reason = desk.ok("closeReason.list")[0]["id"]
    state = {"openingId": made["id"], "closeReasonId": reason}
    assert "invalid_input" == desk.refused("opening.setOpeningState", **state, openingState="Open")
    closed = desk.ok("opening.setOpeningState", **state, openingState="Closed")
    assert (reason, True) == (closed["closeReasonId"], closed["closedAt"] is not None)
    assert desk.ok("opening.setArchived", openingId=made["id"], archive=True)["isArchived"]
    assert "invalid_input" == desk.refused("opening.setArchived", archive=True)


def test_a_job_gets_compensation_tiers(desk: Desk) -> None:
    """The whole list is replaced; intervals are those of the contract."""
    part = {"compensationType": "Salary", "interval": "1 YEAR", "currencyCode": "EUR", "minValue": 1, "maxValue": None}
    made = desk.ok("job.updateCompensation", jobId=desk.job()["id"], compensationTiers=[{"components": [part]}])
    assert [part["interval"]] == [one["interval"] for one in made["compensationTiers"][0]["components"]]
    wrong = {**part, "interval": "per year"}
    assert "invalid_input" == desk.refused(
        "job.updateCompensation", jobId=desk.job()["id"], compensationTiers=[{"components": [wrong]}]
    )


def test_published_postings_are_those_of_open_jobs(desk: Desk) -> None:
    """Closing a job takes its posting off the list; listedOnly hides the unlisted."""
    everything = desk.ok("jobPosting.list")
    assert (2, 1) == (len(everything), len(desk.ok("jobPosting.list", listedOnly=True)))
    one = everything[0]
    assert [one["id"]] == desk.ok("job.info", id=one["jobId"])["jobPostingIds"]
    assert one["id"] in [item["id"] for item in desk.ok("jobPosting.list", department=one["departmentName"])]
    assert [] == desk.ok("jobPosting.list", location="Nowhere")
    board = {item["isInternal"]: item["id"] for item in desk.ok("jobBoard.list")}
    assert (2, 0) == tuple(len(desk.ok("jobPosting.list", jobBoardId=board[kind])) for kind in (False, True))
    desk.ok("job.setStatus", jobId=one["jobId"], status="Closed")
    assert one["id"] not in [item["id"] for item in desk.ok("jobPosting.list")]
    for wanted, ids in ((None, []), (False, []), (True, [one["id"]])):
        flag = {} if wanted is None else {"includeUnpublishedJobPostingsIds": wanted}
        assert ids == desk.ok("job.info", id=one["jobId"], **flag)["jobPostingIds"]
        listed = {job["id"]: job["jobPostingIds"] for job in desk.ok("job.list", **flag)}
        assert ids == listed[one["jobId"]]
    changed = desk.ok(
        "jobPosting.update", jobPostingId=one["id"], description={"type": "text/html", "content": "<p>A <b>b</b></p>"}
    )
    assert "A b" == changed["descriptionPlain"]


def test_a_job_may_have_several_interview_plans(desk: Desk) -> None:
    """An application may stand in any of them, and in no other; without a choice it is the default one."""
    job = desk.job()
    first, second = job["interviewPlanIds"]
    assert first == job["defaultInterviewPlanId"]
    body = {"candidateId": desk.candidate()["id"], "jobId": job["id"]}
    for asked, plan in (({}, first), ({"interviewPlanId": first}, first), ({"interviewPlanId": second}, second)):
        item = desk.ok("application.create", **body, **asked)["id"]
        stage = desk.ok("application.info", applicationId=item)["currentInterviewStage"]
        assert (plan, "Lead") == (stage["interviewPlanId"], stage["type"])
    other = next(one for one in desk.ok("job.list", status=["Open"]) if one["id"] != job["id"])
    assert [first] == other["interviewPlanIds"]
    strange = {**body, "jobId": other["id"], "interviewPlanId": second}
    assert "interview_plan_not_found" == desk.refused("application.create", **strange)
    stages = {plan: desk.ok("interviewStage.list", interviewPlanId=plan)[0]["id"] for plan in (first, second)}
    moves = {"applicationId": item, "startAutomaticActivities": False}
    move = {**moves, "jobId": other["id"], "interviewPlanId": second, "interviewStageId": stages[second]}
    assert "interview_plan_not_found" == desk.refused("application.transfer", **move)
    moved = desk.ok(
        "application.transfer", **moves, jobId=job["id"], interviewPlanId=first, interviewStageId=stages[first]
    )
    assert first == moved["currentInterviewStage"]["interviewPlanId"]


def test_a_job_keeps_its_plan_when_it_gets_another_default(desk: Desk) -> None:
    """Applications stand in it."""
    plans = {one["title"]: one["id"] for one in desk.ok("interviewPlan.list")}
    model = desk.job()
    body = {"title": "New", "teamId": model["departmentId"], "locationId": model["locationId"]}
    made = desk.ok("job.create", **body)
    assert (None, []) == (made["defaultInterviewPlanId"], made["interviewPlanIds"])
    for title, count in (("Standard hiring", 1), ("Leadership", 2), ("Leadership", 2)):
        shown = desk.ok("job.update", jobId=made["id"], defaultInterviewPlanId=plans[title])
        assert (plans[title], count) == (shown["interviewPlanIds"][0], len(shown["interviewPlanIds"]))
        assert plans[title] == shown["defaultInterviewPlanId"]


def test_groups_of_stages_are_those_of_a_plan(desk: Desk) -> None:
    """In order; all of them when no plan is named; an unknown plan is refused."""
    plans = desk.ok("interviewPlan.list", includeArchived=True)
    everything = desk.ok("interviewStageGroup.list")
    orders = [one["order"] for one in everything]
    assert sorted(orders) == orders
    for plan in plans:
        stages = desk.ok("interviewStage.list", interviewPlanId=plan["id"])
        groups = desk.ok("interviewStageGroup.list", interviewPlanId=plan["id"])
        used = {one["interviewStageGroupId"] for one in stages}
        assert [one for one in everything if one["id"] in used] == groups
    assert min(len(desk.ok("interviewStageGroup.list", interviewPlanId=one["id"])) for one in plans) < len(everything)
    assert "interview_plan_not_found" == desk.refused("interviewStageGroup.list", interviewPlanId=NOBODY)


def submission(**more: Any) -> dict[str, Any]:
    """A filled application form."""
    values = {"_systemfield_name": "Ida Form", "_systemfield_email": "ida@x.example", **more}
    return {"fieldSubmissions": [{"path": path, "value": value} for path, value in values.items()]}


def test_an_application_form_makes_candidate_and_application_now(desk: Desk) -> None:
    """As on the careers page; the form is found again on the application."""
    posting = desk.ok("jobPosting.list")[0]
    tag = desk.ok("candidateTag.list")[0]["id"]
    body = {"jobPostingId": posting["id"], "tagIds": [tag]}
    sent = desk.ok("applicationForm.submit", **body, applicationForm=submission())
    found = desk.ok(
        "application.info",
        submittedFormInstanceId=sent["submittedFormInstance"]["id"],
        expand=["applicationFormSubmissions"],
    )
    assert ("Active", posting["id"], posting["jobId"]) == (
        found["status"], found["appliedViaJobPostingId"], found["job"]["id"],
    )  # fmt: skip
    assert [sent["submittedFormInstance"]] == found["applicationFormSubmissions"]
    person = desk.ok("candidate.info", id=found["candidate"]["id"])
    assert ("Ida Form", [tag]) == (person["name"], [one["id"] for one in person["tags"]])
    assert 1 == desk.journal.notified
    assert "invalid_input" == desk.refused("applicationForm.submit", **body, applicationForm={"fieldSubmissions": []})
    fail = submission(_systemfield_email="testing-fail-validation@example.com")
    assert "invalid_input" == desk.refused("applicationForm.submit", **body, applicationForm=fail)
    desk.ok("job.setStatus", jobId=posting["jobId"], status="Closed")
    strict = {**body, "allowSubmissionForUnpublishedJobPosting": False}
    assert "job_posting_not_published" == desk.refused("applicationForm.submit", **strict, applicationForm=submission())


def test_an_application_form_may_carry_its_resume(desk: Desk) -> None:
    """In the same multipart body, the part named by the answer."""
    posting = desk.ok("jobPosting.list")[0]["id"]
    answer = send_form(
        desk, "applicationForm.submit", ("jobPostingId", None, posting.encode()),
        ("applicationForm", None, json.dumps(submission(_systemfield_resume="file_1")).encode()),
        ("file_1", "cv.pdf", b"School: NTNU\n"),
    )  # fmt: skip
    assert answer["success"] is True, answer
    (person,) = desk.ok("candidate.search", email="ida@x.example")
    assert ("cv.pdf", "NTNU") == (person["resumeFileHandle"]["name"], person["school"])


def test_a_referral_needs_an_open_job_and_credits_its_user(desk: Desk) -> None:
    """Back-dated if wanted, unlike a submitted form."""
    form_id, user, job = desk.ok("referralForm.info")["id"], desk.ok("user.list")[0]["id"], desk.job()
    secret = next(one for one in desk.ok("job.list") if one["status"] == "Closed")

    def fields(chosen: dict[str, Any]) -> list[dict[str, Any]]:
        chosen_job = {"title": chosen["title"], "value": chosen["id"]}
        return [{"path": "_systemfield_name", "value": "Ida"}, {"path": "_systemfield_job", "value": chosen_job}]

    body = {"id": form_id, "creditedToUserId": user}
    made = desk.ok("referral.create", **body, fieldSubmissions=fields(job), createdAt=JAN)
    read = desk.ok("application.info", applicationId=made["id"], expand=["referrals"])
    assert (JAN, user, "Referral") == (read["createdAt"], read["creditedToUser"]["id"], read["source"]["title"])
    assert [(user, JAN)] == [(one["user"]["id"], one["referredAt"]) for one in read["referrals"]]
    assert "invalid_input" == desk.refused("referral.create", **body, fieldSubmissions=fields(secret))
    assert "referral_form_not_found" == desk.refused(
        "referral.create", **{**body, "id": NOBODY}, fieldSubmissions=fields(job)
    )


# --- interviews -----------------------------------------------------------------------------------------------


def slot(desk: Desk, **more: Any) -> dict[str, Any]:
    """An interview of the first user, long ago."""
    interviewer = {"email": desk.ok("user.list")[0]["email"], "feedbackRequired": True}
    return {"startTime": JAN, "endTime": FEB, "interviewers": [interviewer], **more}


def test_interviews_are_scheduled_changed_and_cancelled(desk: Desk) -> None:
    """Own data survives; the status follows from time and feedback."""
    item = desk.application()["id"]
    given = slot(desk, extraData={"leverInterviewId": "x"})
    made = desk.ok("interviewSchedule.create", applicationId=item, interviewEvents=[given])
    (event,) = made["interviewEvents"]
    assert ("WaitingOnFeedback", {"leverInterviewId": "x"}, JAN) == (
        made["status"], event["extraData"], event["startTime"],
    )  # fmt: skip
    later = slot(desk, startTime=FEB, endTime=LATER, interviewEventId=event["id"])
    moved = desk.ok("interviewSchedule.update", interviewScheduleId=made["id"], interviewEvent=later)
    assert ("Scheduled", [FEB]) == (moved["status"], [one["startTime"] for one in moved["interviewEvents"]])
    both = desk.ok("interviewSchedule.update", interviewScheduleId=made["id"], interviewEvent=[slot(desk)])
    assert 2 == len(both["interviewEvents"])
    assert "Cancelled" == desk.ok("interviewSchedule.cancel", id=made["id"])["status"]
    assert [made["id"]] == [one["id"] for one in desk.ok("interviewSchedule.list", applicationId=item)]
    assert 4 == desk.journal.notified


def test_a_schedule_that_cannot_be_is_refused(desk: Desk) -> None:
    """Strangers, times that run backwards, schedules of somebody else, events of another schedule."""
    item = desk.application()["id"]
    create = {"applicationId": item}
    stranger = slot(desk, interviewers=[{"email": "nobody@x.example"}])
    assert "user_not_found" == desk.refused("interviewSchedule.create", **create, interviewEvents=[stranger])
    backwards = slot(desk, startTime=FEB, endTime=JAN)
    assert "invalid_input" == desk.refused("interviewSchedule.create", **create, interviewEvents=[backwards])
    planted = desk.ok("interviewSchedule.list")[0]["id"]
    assert "interview_schedule_not_found" == desk.refused(
        "interviewSchedule.update", interviewScheduleId=planted, interviewEvent=slot(desk)
    )
    one, two = (
        desk.ok("interviewSchedule.create", **create, interviewEvents=[slot(desk)]) for _ in range(2)
    )  # fmt: skip
    assert "interview_event_not_found" == desk.refused(
        "interviewSchedule.update",
        interviewScheduleId=one["id"],
        interviewEventIdToCancel=two["interviewEvents"][0]["id"],
    )


def test_feedback_of_an_interview_goes_only_with_leave(desk: Desk) -> None:
    """It needs an interviewer of the event; cancelling the event deletes it when that is allowed."""
    item, user = desk.application()["id"], desk.ok("user.list")
    schedule = desk.ok("interviewSchedule.create", applicationId=item, interviewEvents=[slot(desk)])
    event = schedule["interviewEvents"][0]["id"]
    forms = desk.ok("feedbackFormDefinition.list")
    chosen = next(one for one in forms if one["title"] == "Migrated feedback")
    fields = chosen["formDefinition"]["sections"][0]["fields"]
    path = next(one["field"]["path"] for one in fields if one["field"]["title"] == "Feedback")
    body = {
        "applicationId": item, "formDefinitionId": chosen["id"], "interviewEventId": event,
        "feedbackForm": {"fieldSubmissions": [{"path": path, "value": "Good."}]},
    }  # fmt: skip
    assert "invalid_input" == desk.refused("applicationFeedback.submit", **body, userId=user[1]["id"])
    desk.ok("applicationFeedback.submit", **body, userId=user[0]["id"])
    (listed,) = desk.ok("applicationFeedback.list", applicationId=item)
    assert event == listed["interviewEventId"]
    assert "Complete" == desk.ok("interviewSchedule.list", applicationId=item)[0]["status"]
    briefing = desk.ok("interviewBriefing.info", interviewEventId=event)
    assert (True, True) == (briefing["hasSubmittedFeedback"], briefing["interviewers"][0]["hasSubmittedFeedback"])
    cancel = {"interviewScheduleId": schedule["id"], "interviewEventIdToCancel": event}
    assert "invalid_input" == desk.refused("interviewSchedule.update", **cancel)
    desk.ok("interviewSchedule.update", **cancel, allowFeedbackDeletion=True)
    assert [] == desk.ok("applicationFeedback.list", applicationId=item)


def test_interviews_and_offers_of_confidential_jobs_are_hidden(desk: Desk) -> None:
    """From a key without the toggle."""
    poor = desk.settings.ashby_key_limited
    item = desk.ok("offer.list")[0]["applicationId"]
    job = desk.side.state.applications[item].job
    assert 1 == len(desk.ask("offer.list", key=poor).json["results"])
    desk.side.state.jobs[job].confidential = True
    assert ([], []) == tuple(
        desk.ask(name, key=poor).json["results"] for name in ("offer.list", "interviewSchedule.list")
    )
    offer = next(iter(desk.side.state.offers))
    assert ["offer_not_found"] == desk.ask("offer.info", {"offerId": offer}, key=poor).json["errors"]


def test_offers_are_filtered_and_shown_with_all_versions(desk: Desk) -> None:
    """The list has the newest version only."""
    (offer,) = desk.ok("offer.list", offerStatus=["WaitingOnCandidateResponse"], approvalStatus=["Approved"])
    assert [] == desk.ok("offer.list", acceptanceStatus=["Accepted"])
    info = desk.ok("offer.info", offerId=offer["id"])
    assert (2, offer["latestVersion"]) == (len(info["versions"]), info["versions"][0])
    assert "formDefinition" not in desk.ok("offer.info", offerId=offer["id"], excludeFormDefinition=True)


# --- surveys, reports -----------------------------------------------------------------------------------------


def test_a_survey_is_asked_and_answered(desk: Desk) -> None:
    """Candidate and application must belong together; answers must fit the form."""
    item, survey = desk.application(), desk.ok("surveyFormDefinition.list")[0]
    about = {
        "candidateId": item["candidate"]["id"],
        "applicationId": item["id"],
        "surveyFormDefinitionId": survey["id"],
    }
    desk.ok("surveyRequest.create", **about)
    assert 1 == len(desk.ok("surveyRequest.list", surveyType="CandidateExperience", applicationId=item["id"]))
    assert [] == desk.ok("surveyRequest.list", surveyType="CandidateExperience", candidateId=NOBODY)
    other = {**about, "candidateId": desk.candidate()["id"]}
    assert "invalid_input" == desk.refused("surveyRequest.create", **other)
    assert "invalid_input" == desk.refused("surveySubmission.create", **about, submittedValues={})
    path = survey["formDefinition"]["sections"][0]["fields"][0]["field"]["path"]
    desk.ok("surveySubmission.create", **about, submittedValues={path: {"score": 4}})
    assert [{path: {"score": 4}}] == [
        one["submittedValues"] for one in desk.ok("surveySubmission.list", surveyType="CandidateExperience")
    ]
    assert [] == desk.ok("surveySubmission.list", surveyType="Questionnaire")


def test_reports_count_what_is_there_and_have_limits_of_their_own(desk: Desk) -> None:
    """15 starts a minute and 3 at once for the organization; looking is free."""
    report = next(key for key, kind in desk.side.state.reports.items() if kind == "applications")
    made = desk.ok("report.synchronous", reportId=report)["reportData"]
    assert (made["columnNames"], len(desk.side.state.applications)) == (
        made["data"][0],
        sum(row[-1] for row in made["data"][1:]),
    )
    runs = [desk.ok("report.generate", reportId=report)["requestId"] for _ in range(3)]
    busy = desk.ask("report.generate", {"reportId": report})
    assert (429, "concurrent_limit_exceeded") == (busy.status, busy.json["errorInfo"]["code"])
    for run in runs:
        done = desk.ok("report.generate", reportId=report, requestId=run, includeHeadersInData=False)
        assert ("complete", made["data"][1:]) == (done["status"], done["reportData"]["data"])
    for _ in range(11):
        desk.ok("report.synchronous", reportId=report)
    answer = desk.ask("report.synchronous", {"reportId": report}, key=desk.settings.ashby_key_limited)
    assert (429, ["Report limit exceeded. Please try again later."]) == (answer.status, answer.json["errors"])
    assert "report_not_found" == desk.refused("report.synchronous", reportId=NOBODY)
