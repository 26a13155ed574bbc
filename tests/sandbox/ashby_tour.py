"""One successful call of every endpoint of the Ashby side, for comparing its answers with the vendor's documents."""

from __future__ import annotations

from typing import Any

from ashby_kit import Desk

from sandbox.ashby import others
from sandbox.ashby.bodies import endpoints

JAN, FEB = "2021-01-04T09:00:00.123Z", "2021-02-01T10:30:00.000Z"
REFUSING = frozenset(("notetakerTranscript.info",))
"""Endpoints that can only refuse here."""


class Tour:
    """Calls every endpoint once with success, keeping the answers."""

    def __init__(self) -> None:
        self.desk = Desk(write_answers="full")
        self.answers: dict[str, dict[str, Any]] = {}

    def go(self, endpoint: str, **body: Any) -> Any:
        answer = self.desk.ask(endpoint, body).json
        assert answer.get("success", True) is True, (endpoint, answer)
        self.answers[endpoint] = answer
        return answer["results"]

    def candidates(self) -> str:
        go = self.go
        person = go(
            "candidate.create", name="A", email="a@x.example", phoneNumber="1", createdAt=JAN,
            linkedInUrl="https://linkedin.com/in/a", location={"city": "Oslo", "country": "Norway"},
            sourceId=go("source.list")[0]["id"], creditedToUserId=go("user.list")[0]["id"],
        )["id"]  # fmt: skip
        tag = go("candidateTag.create", title="T")["id"]
        go("candidate.addTag", candidateId=person, tagId=tag)
        go("candidate.createNote", candidateId=person, note="n", isPrivate=True, createdAt=FEB)
        go("candidate.listNotes", candidateId=person)
        for context, endpoint, member in (
            ("CandidateResume", "candidate.uploadResume", "resumeHandle"),
            ("CandidateFiles", "candidate.uploadFile", "fileHandle"),
        ):
            handle = self.desk.upload(context, "cv.pdf", b"Company: X\nPosition: Y\nSchool: Z\n")
            go(endpoint, candidateId=person, **{member: handle})
        go(
            "file.createFileUploadHandle", fileUploadContext="CandidateFiles", filename="a", contentType="b",
            contentLength=1,
        )  # fmt: skip
        fields = [
            ("String", "x"), ("Boolean", True), ("Number", 2.5), ("Date", "2024-01-01T00:00:00.000Z"),
            ("Currency", {"value": 1, "currencyCode": "EUR"}), ("MultiValueSelect", ["1"]), ("ValueSelect", "1"),
        ]  # fmt: skip
        values = []
        for kind, value in fields:
            options = {"selectableValues": [{"label": "One", "value": "1"}]} if kind.endswith("Select") else {}
            field = go("customField.create", fieldType=kind, objectType="Candidate", title=kind, **options)["id"]
            values.append({"fieldId": field, "fieldValue": value})
        go("customField.updateSelectableValues", customFieldId=field, selectableValues=[{"label": "1", "value": "1"}])
        go("customField.info", customFieldId=field)
        go("customField.setValues", objectId=person, objectType="Candidate", values=values)
        go("customField.setValue", objectId=person, objectType="Candidate", **values[-1])
        go("candidate.update", candidateId=person, name="B", sendNotifications=False)
        shown = go("candidate.info", id=person)
        go("file.info", fileHandle=shown["resumeFileHandle"]["handle"])
        go("candidate.search", email="a@x.example")
        go("candidate.listProjects", candidateId=person)
        go("candidateTag.archive", tagId=tag)
        go("candidate.removeTag", candidateId=person, tagId=tag)
        return person

    def jobs(self) -> dict[str, Any]:
        go = self.go
        place = go("location.create", name="L", type="Location", workplaceType="Remote", extraData={"k": "v"})
        team = go("department.create", name="D", externalName="E")
        go("department.info", departmentId=team["id"])
        go("location.info", locationId=place["id"])
        plan = go("interviewPlan.list")[0]["id"]
        job = go("job.create", title="J", teamId=team["id"], locationId=place["id"], defaultInterviewPlanId=plan)
        go("job.update", jobId=job["id"], title="K")
        go("job.setStatus", jobId=job["id"], status="Open")
        go("opening.create", identifier="1", jobIds=[job["id"]], openingState="Open", targetHireDate="2026-01-01")
        go("opening.search", identifier="1")
        go("job.search", title="K")
        go("jobInterviewPlan.info", jobId=job["id"])
        stages = go("interviewStage.list", interviewPlanId=plan)
        go("interviewStage.info", interviewStageId=stages[0]["id"])
        return go("job.info", id=job["id"], expand=["location", "openings"])

    def applications(self, person: str, job: dict[str, Any]) -> str:
        go = self.go
        stages = {stage["type"]: stage for stage in self.answers["interviewStage.list"]["results"]}
        reason = go("archiveReason.list")[0]["id"]
        events = [
            {"stageId": stages["Lead"]["id"], "stageNumber": 0, "enteredStageAt": JAN},
            {"stageId": stages["Archived"]["id"], "stageNumber": 1, "enteredStageAt": FEB, "archiveReasonId": reason},
        ]
        item = go("application.create", candidateId=person, jobId=job["id"], createdAt=JAN, applicationHistory=events)[
            "id"
        ]
        go("application.updateHistory", applicationId=item, applicationHistory=events)
        go("application.listHistory", applicationId=item)
        go("application.changeSource", applicationId=item, sourceId=go("source.list")[0]["id"])
        go("application.update", applicationId=item, createdAt=JAN, sendNotifications=False)
        role, user = go("applicationHiringTeamRole.list")[0]["id"], go("user.list")[0]["id"]
        member = {"applicationId": item, "teamMemberId": user, "roleId": role}
        go("application.addHiringTeamMember", **member)
        go("application.info", applicationId=item, expand=["openings", "referrals"])
        go("application.list")
        go("application.removeHiringTeamMember", **member)
        active = stages["Active"]["id"]
        go("application.changeStage", applicationId=item, interviewStageId=active)
        go(
            "application.transfer", applicationId=item, jobId=job["id"], startAutomaticActivities=False,
            interviewPlanId=job["defaultInterviewPlanId"], interviewStageId=active,
        )  # fmt: skip
        return item

    def feedback(self, item: str) -> None:
        form = self.go("feedbackFormDefinition.list")[0]
        self.go("feedbackFormDefinition.info", feedbackFormDefinitionId=form["id"])
        answers = [
            {"path": entry["field"]["path"], "value": "x"}
            for entry in form["formDefinition"]["sections"][0]["fields"]
            if entry["field"]["type"] == "LongText"
        ]
        self.go(
            "applicationFeedback.submit", applicationId=item, formDefinitionId=form["id"],
            feedbackForm={"fieldSubmissions": answers},
        )  # fmt: skip
        self.go("applicationFeedback.list", applicationId=item)
        person = self.answers["application.info"]["results"]["candidate"]["id"]
        self.go("candidate.update", candidateId=person, name="C", sendNotifications=False)
        self.go("candidate.info", id=person)

    def around(self, person: str, item: str) -> None:
        go = self.go
        project = go("project.list")[0]
        go("project.info", projectId=project["id"])
        go("project.search", title=project["title"])
        go("candidate.addProject", candidateId=person, projectId=project["id"])
        go("candidate.listProjects", candidateId=person)
        go("candidate.removeProject", candidateId=person, projectId=project["id"])
        go(
            "candidate.addEmailMessage", candidateId=person, emailProviderEmailId="m-1", subject="s", to="a@x.example",
            body="<p>b</p>", sentAt=JAN, **{"from": "b@x.example"},
        )  # fmt: skip
        go("candidate.setFraudStatus", candidateId=person, fraudStatus="NotFraudulent")
        go("candidate.listClientInfo", candidateId=person)
        go("candidate.listFraudChecks", candidateId=person)
        go("application.listCriteriaEvaluations", applicationId=item)
        go("candidate.anonymize", candidateId=go("candidate.create", name="Gone")["id"])
        role, user = go("hiringTeamRole.list", namesOnly=False)[0]["id"], go("user.list")[0]["id"]
        for end in ("hiringTeam.addMember", "hiringTeam.removeMember"):
            go(end, jobId=go("job.list")[0]["id"], teamMemberId=user, roleId=role)
        stage = self.desk.ok("application.info", applicationId=item)["currentInterviewStage"]["id"]
        go("application.change_stage", applicationId=item, interviewStageId=stage)
        go("application.change_source", applicationId=item, sourceId=None)

    def places(self) -> None:
        go = self.go
        team, top = go("department.create", name="Sub")["id"], go("department.list")[0]["id"]
        go("department.update", departmentId=team, name="Sub 2", extraData={"k": "v"})
        go("department.move", departmentId=team, parentId=top)
        go("department.archive", departmentId=team)
        go("department.restore", departmentId=team)
        place = go("location.create", name="Side door", type="Location")["id"]
        level = next(
            one["id"]
            for one in go("location.list", includeLocationHierarchy=True)
            if one["type"] == "LocationHierarchy"
        )
        go("location.move", locationId=place, parentLocationHierarchyId=level)
        go("location.updateAddress", locationId=place, address={"postalAddress": {"addressLocality": "Oslo"}})
        go("location.updateName", locationId=place, name="Back door")
        go("location.updateExternalName", locationId=place, externalName="Oslo")
        go("location.updateWorkplaceType", locationId=place, workplaceType="Hybrid")
        go("location.archive", locationId=place)
        go("location.restore", locationId=place)

    def users(self) -> None:
        go = self.go
        user = go("user.list")[0]["id"]
        go("user.interviewerSettings", userId=user)
        go("user.updateInterviewerSettings", userId=user, dailyLimit=2, weeklyLimit=None)
        pause = go("user.createInterviewerPause", userId=user, startsAt=JAN, endsAt=FEB, comment="c")["id"]
        go("user.listInterviewerPauses", userId=user)
        go("user.deleteInterviewerPause", interviewerPauseId=pause)
        field = go("customField.create", fieldType="String", objectType="Employee", title="Desk")["id"]
        go("user.setCustomFieldValue", userId=user, fieldId=field, fieldValue="12")
        go("user.setCustomFieldValues", userId=user, values=[{"fieldId": field, "fieldValue": "13"}])
        go("user.info", userId=user)
        go("interviewerPool.info", interviewerPoolId=go("interviewerPool.list")[0]["id"])

    def pages(self) -> None:
        go = self.go
        listed = go("jobPosting.list")[0]
        posting, place = listed["id"], listed["locationIds"]["primaryLocationId"]
        address = {"postalAddress": {"addressLocality": "Oslo", "addressCountry": "Norway"}}
        go("location.updateAddress", locationId=place, address=address)
        info = go("jobPosting.info", jobPostingId=posting, expand=["job"])
        go("jobPosting.update", jobPostingId=posting, description={"type": "text/html", "content": "<p>x</p>"})
        names = {"_systemfield_name": "Ida Form", "_systemfield_email": "ida@x.example"}
        answers = [{"path": path, "value": value} for path, value in names.items()]
        form = {"fieldSubmissions": answers}
        sent = go("applicationForm.submit", jobPostingId=posting, applicationForm=form, utmData={"utm_source": "x"})
        self.desk.ok(
            "application.info",
            submittedFormInstanceId=sent["submittedFormInstance"]["id"],
            expand=["applicationFormSubmissions"],
        )
        job = {"path": "_systemfield_job", "value": {"title": info["title"], "value": info["jobId"]}}
        user = go("user.list")[0]["id"]
        go(
            "referral.create", id=go("referralForm.info")["id"], creditedToUserId=user,
            fieldSubmissions=[answers[0], job], createdAt=JAN,
        )  # fmt: skip
        pay = {"compensationType": "Salary", "interval": "1 YEAR", "currencyCode": "EUR", "minValue": 1, "maxValue": 2}
        go("job.updateCompensation", jobId=info["jobId"], compensationTiers=[{"title": "T", "components": [pay]}])

    def openings(self) -> None:
        go = self.go
        made, job, place = (
            go("opening.create", identifier="2")["id"],
            go("job.list")[0]["id"],
            go("location.list")[0]["id"],
        )
        go("opening.update", openingId=made, description="d", employmentType="Contract", isBackfill=True)
        go("opening.addJob", openingId=made, jobId=job)
        go("opening.removeJob", openingId=made, jobId=job)
        go("opening.addLocation", openingId=made, locationId=place)
        go("opening.removeLocation", openingId=made, locationId=place)
        reason = go("closeReason.list")[0]["id"]
        go("opening.setOpeningState", openingId=made, openingState="Closed", closeReasonId=reason)
        go("opening.setArchived", openingId=made, archive=True)
        go("opening.info", openingId=made)

    def interviews(self, item: str, form: str) -> None:
        go = self.go
        user, interview = go("user.list")[0], go("interview.list")[0]["id"]
        slot = {
            "startTime": JAN, "endTime": FEB, "interviewId": interview, "extraData": {"k": "v"},
            "interviewers": [{"email": user["email"], "feedbackRequired": True}],
        }  # fmt: skip
        made = go("interviewSchedule.create", applicationId=item, interviewEvents=[slot, slot])
        first, second = (event["id"] for event in made["interviewEvents"])
        update = {"interviewScheduleId": made["id"], "interviewEvent": {**slot, "interviewEventId": first}}
        go("interviewSchedule.update", **update)
        go("interviewSchedule.update", interviewScheduleId=made["id"], interviewEventIdToCancel=second)
        asked = go(
            "applicationFeedbackRequest.create", applicationId=item, interviewId=interview, interviewerUserId=user["id"]
        )
        path = self.path(form, "Feedback")
        go(
            "applicationFeedback.submit", applicationId=item, formDefinitionId=form, userId=user["id"],
            feedbackForm={"fieldSubmissions": [{"path": path, "value": "Good."}]},
            interviewEventId=asked["interviewEventId"],
        )  # fmt: skip
        go("applicationFeedback.list", applicationId=item)
        go("interviewEvent.list", interviewScheduleId=made["id"], expand=["interview"])
        parts = ["feedbackFormDefinition", "application", "candidate", "job", "interview", "interviewers"]
        go("interviewBriefing.info", interviewEventId=first, expand=parts)
        go("interviewSchedule.list", applicationId=item)
        go("interviewSchedule.cancel", id=made["id"])

    def path(self, form: str, title: str) -> str:
        """Return the path of a feedback form's field."""
        definition = self.desk.ok("feedbackFormDefinition.info", feedbackFormDefinitionId=form)["formDefinition"]
        fields = [entry["field"] for section in definition["sections"] for entry in section["fields"]]
        return next(field["path"] for field in fields if field["title"] == title)

    def surveys(self, person: str, item: str) -> None:
        go = self.go
        survey = go("surveyFormDefinition.list")[0]
        assert survey["surveyType"] == "CandidateExperience"
        go("surveyFormDefinition.info", surveyFormDefinitionId=survey["id"])
        about = {"candidateId": person, "applicationId": item, "surveyFormDefinitionId": survey["id"]}
        go("surveyRequest.create", **about)
        go("surveyRequest.list", surveyType="CandidateExperience", candidateId=person)
        rating = survey["formDefinition"]["sections"][0]["fields"][0]["field"]["path"]
        go("surveySubmission.create", **about, submittedValues={rating: {"score": 4}})
        go("surveySubmission.list", surveyType="CandidateExperience")

    def office(self) -> None:
        go = self.go
        go("offer.info", offerId=go("offer.list")[0]["id"])
        report = next(iter(self.desk.side.state.reports))
        go("report.synchronous", reportId=report)
        run = go("report.generate", reportId=report)["requestId"]
        go("report.generate", reportId=report, requestId=run)
        hook = go("webhook.create", webhookType="candidateMerge", requestUrl="https://h.example/x", secretToken="t")[
            "id"
        ]
        go("webhook.info", webhookId=hook)
        go("webhook.update", webhookId=hook, enabled=False)
        go("webhook.delete", webhookId=hook)

    def rest(self) -> None:
        user = self.go("user.list", includeDeactivated=True)[0]
        self.go("user.info", userId=user["id"])
        self.go("user.search", email=user["email"])
        self.go("interview.info", id=self.go("interview.list")[0]["id"])
        self.go("customField.list", includeArchived=True)
        for endpoint in set(endpoints()) - set(self.answers) - REFUSING:
            self.go(endpoint)


def eventful(desk: Desk) -> None:
    """Let everything happen that a webhook may tell of."""
    state = desk.side.state
    archived, hired = desk.stage("Archived")["id"], desk.stage("Hired")["id"]
    item = desk.application()
    stage = {"applicationId": item["id"], "interviewStageId": archived, "archiveReasonId": desk.reason()}
    desk.ok("application.changeStage", **stage)
    desk.ok("application.changeStage", applicationId=item["id"], interviewStageId=hired)
    desk.ok("application.changeSource", applicationId=item["id"], sourceId=None)
    slot = {"startTime": JAN, "endTime": FEB, "interviewers": [{"email": desk.ok("user.list")[0]["email"]}]}
    made = desk.ok("interviewSchedule.create", applicationId=item["id"], interviewEvents=[slot])
    desk.ok("interviewSchedule.cancel", id=made["id"])
    survey = desk.ok("surveyFormDefinition.list")[1]["id"]
    about = {"candidateId": item["candidate"]["id"], "applicationId": item["id"]}
    desk.ok("surveySubmission.create", **about, surveyFormDefinitionId=survey, submittedValues={})
    desk.ok("jobPosting.update", jobPostingId=desk.ok("jobPosting.list")[0]["id"], title="T")
    keep = desk.candidate()["id"]
    others.merge(state, keep, item["candidate"]["id"])
    others.delete_candidate(state, keep)
