"""Permission and body of what a move seldom calls and other clients do: places, hiring teams, openings, postings,
interviews, surveys, offers, users, reports, webhooks. Same source and notation as ``bodies``.
"""

from __future__ import annotations

PAGING = "cursor:str limit:limit"
SYNC = f"{PAGING} syncToken:str"
SINCE = f"{SYNC} createdAfter:ms"

_EMPLOYMENT = "=FullTime|PartTime|Intern|Contract|Temporary"
_WORKPLACE = "=OnSite|Hybrid|Remote"
_TEAM = "applicationId:uuid jobId:uuid openingId:uuid teamMemberId*:uuid roleId*:uuid ^applicationId,jobId,openingId"
_WEBHOOKS = (
    "=applicationSubmit|applicationUpdate|candidateHire|candidateStageChange|candidateDelete|candidateMerge"
    "|interviewPlanTransition|interviewScheduleCreate|interviewScheduleUpdate|jobPostingUpdate|jobPostingPublish"
    "|jobPostingUnpublish|offerCreate|offerUpdate|offerDelete|pushToHRIS|surveySubmit"
)
_OFFER_STATES = (
    "=WaitingOnApprovalStart|WaitingOnOfferApproval|WaitingOnApprovalDefinition|WaitingOnCandidateResponse"
    "|CandidateRejected|CandidateAccepted|OfferCancelled"
)

NESTED_MORE: dict[str, str] = {
    "utm": "utm_source:str utm_campaign:str utm_medium:str utm_term:str utm_content:str",
    "interviewer": "email*:text feedbackRequired:bool",
    "slot": (
        "interviewEventId:uuid startTime*:iso endTime*:iso interviewers*:[+]@interviewer interviewId:uuid"
        " extraData:extra"
    ),
    "description": "type*:=text/html content*:str",
    "component": (
        "compensationType*:=Salary|EquityPercentage|EquityCashValue|Commission|Bonus"
        " interval*:str currencyCode:str label:str minValue:num? maxValue:num?"
    ),
    "tier": "title:str additionalInformation:str components*:[]@component",
}

MORE: dict[str, tuple[str, str]] = {
    "candidate.addEmailMessage": (
        "candidatesWrite",
        "candidateId*:uuid emailProviderEmailId*:text subject*:str from*:str to*:str body*:str userId:uuid sentAt:iso"
        " cc:str messageUrl:url messageIdHeader:str threadId:str isPrivate:bool !",
    ),
    "candidate.addProject": ("candidatesWrite", "candidateId*:uuid projectId*:uuid"),
    "candidate.removeProject": ("candidatesWrite", "candidateId*:uuid projectId*:uuid !"),
    "candidate.anonymize": ("candidatesWrite", "candidateId*:uuid"),
    "candidate.listClientInfo": ("candidatesRead", f"candidateId*:uuid {SYNC}"),
    "candidate.listFraudChecks": ("candidatesRead", f"candidateId*:uuid {PAGING}"),
    "candidate.setFraudStatus": (
        "candidatesWrite",
        "candidateId*:uuid fraudStatus*:=Fraudulent|NotFraudulent|Unsure",
    ),
    "project.info": ("jobsRead", "projectId*:str"),
    "project.search": ("candidatesRead", "title:str"),
    "application.listCriteriaEvaluations": ("candidatesRead", f"applicationId*:uuid {PAGING}"),
    # Deprecated spellings in the vendor's index, not in the contract.
    "application.change_stage": (
        "candidatesWrite",
        "applicationId*:uuid interviewStageId*:uuid archiveReasonId:uuid archiveEmail:@mail",
    ),
    "application.change_source": ("candidatesWrite", "applicationId*:uuid sourceId*:uuid?"),
    "hiringTeam.addMember": ("organizationWrite", _TEAM),
    "hiringTeam.removeMember": ("organizationWrite", _TEAM),
    "applicationForm.submit": (
        "candidatesWrite",
        "jobPostingId*:uuid applicationForm*:@answers utmData:@utm tagIds:[]uuid"
        " allowSubmissionForUnpublishedJobPosting:bool",
    ),
    "applicationFeedbackRequest.create": (
        "candidatesWrite",
        "applicationId*:uuid interviewId*:uuid interviewerUserId*:uuid",
    ),
    "referralForm.info": ("hiringProcessMetadataRead", ""),
    "referral.create": (
        "candidatesWrite",
        "id*:uuid creditedToUserId*:uuid fieldSubmissions*:[]@answer createdAt:iso",
    ),
    "surveyFormDefinition.list": ("hiringProcessMetadataRead", SYNC),
    "surveyFormDefinition.info": ("hiringProcessMetadataRead", "surveyFormDefinitionId*:uuid"),
    "surveyRequest.create": (
        "candidatesWrite",
        "candidateId*:uuid applicationId*:uuid surveyFormDefinitionId*:uuid",
    ),
    "surveyRequest.list": (
        "candidatesRead",
        f"surveyType*:=CandidateExperience applicationId:uuid candidateId:uuid {SINCE}",
    ),
    "surveySubmission.create": (
        "candidatesWrite",
        "candidateId*:uuid applicationId*:uuid surveyFormDefinitionId*:uuid submittedValues*:any",
    ),
    "surveySubmission.list": ("candidatesRead", f"surveyType*:=CandidateExperience|Questionnaire {SINCE}"),
    "sourceTrackingLink.list": ("hiringProcessMetadataRead", "includeDisabled:bool"),
    "approval.list": ("approvalsRead", f"entityType:=offer|job|opening entityId:uuid {SYNC}"),
    "brand.list": ("organizationRead", PAGING),
    "department.update": ("organizationWrite", "departmentId*:str name:text externalName:str extraData:extra"),
    "department.archive": ("organizationWrite", "departmentId*:str"),
    "department.restore": ("organizationWrite", "departmentId*:str"),
    "department.move": ("organizationWrite", "departmentId*:str parentId:str?"),
    "location.archive": ("organizationWrite", "locationId*:str"),
    "location.restore": ("organizationWrite", "locationId*:str"),
    "location.move": ("organizationWrite", "locationId*:str parentLocationHierarchyId*:str?"),
    "location.updateAddress": ("organizationWrite", "locationId*:str address*:@address"),
    "location.updateName": ("organizationWrite", "locationId*:str name*:text"),
    "location.updateExternalName": ("organizationWrite", "locationId*:str externalName:str?"),
    "location.updateWorkplaceType": ("organizationWrite", f"locationId*:str workplaceType*:{_WORKPLACE}"),
    "user.interviewerSettings": ("organizationRead", "userId*:uuid"),
    "user.updateInterviewerSettings": ("organizationWrite", "userId*:uuid dailyLimit:int? weeklyLimit:int?"),
    "user.listInterviewerPauses": ("organizationRead", "userId*:uuid"),
    "user.createInterviewerPause": ("organizationWrite", "userId*:uuid startsAt:iso endsAt:iso comment:str"),
    "user.deleteInterviewerPause": ("organizationWrite", "interviewerPauseId*:uuid"),
    "user.setCustomFieldValue": ("organizationWrite", "userId*:uuid fieldId*:uuid fieldValue*:any"),
    "user.setCustomFieldValues": ("organizationWrite", "userId*:uuid values*:[+]@fieldValue"),
    "interviewerPool.list": (
        "hiringProcessMetadataRead",
        f"{SYNC} includeArchivedPools:bool includeArchivedTrainingStages:bool",
    ),
    "interviewerPool.info": ("hiringProcessMetadataRead", "interviewerPoolId*:uuid"),
    "job.updateCompensation": ("jobsWrite", "jobId*:uuid compensationTiers*:[]@tier"),
    "jobBoard.list": ("jobsRead", ""),
    "jobPosting.info": ("jobsRead", "jobPostingId*:uuid jobBoardId:uuid expand:[]=job"),
    "jobPosting.update": (
        "jobsWrite",
        f"jobPostingId*:uuid title:text workplaceType:{_WORKPLACE} suppressDescriptionOpening:bool"
        " suppressDescriptionClosing:bool description:@description",
    ),
    "opening.info": ("jobsRead", "openingId*:str"),
    "opening.update": (
        "jobsWrite",
        "openingId:str identifier:str description:str teamId:str targetHireDate:day targetStartDate:day"
        f" isBackfill:bool employmentType:{_EMPLOYMENT}",
    ),
    "opening.addJob": ("jobsWrite", "openingId*:str jobId*:str"),
    "opening.removeJob": ("jobsWrite", "openingId*:str jobId*:str"),
    "opening.addLocation": ("jobsWrite", "openingId*:str locationId*:str"),
    "opening.removeLocation": ("jobsWrite", "openingId*:str locationId*:str"),
    "opening.setOpeningState": (
        "jobsWrite",
        "openingId:str openingState:=Draft|Approved|Open|Closed closeReasonId:str",
    ),
    "opening.setArchived": ("jobsWrite", "openingId:str archive:bool"),
    "interviewSchedule.list": ("interviewsRead", f"{SINCE} applicationId:uuid interviewStageId:uuid"),
    "interviewSchedule.create": ("interviewsWrite", "applicationId*:uuid interviewEvents*:[+]@slot"),
    "interviewSchedule.update": (
        "interviewsWrite",
        "interviewScheduleId*:uuid interviewEvent:[1]@slot interviewEventIdToCancel:[1]uuid allowFeedbackDeletion:bool"
        " ^interviewEvent,interviewEventIdToCancel",
    ),
    "interviewSchedule.cancel": ("interviewsWrite", "id*:uuid allowReschedule:bool"),
    "interviewEvent.list": ("interviewsRead", f"{SINCE} interviewScheduleId*:uuid expand:[]=interview"),
    "interviewBriefing.info": (
        "interviewsRead",
        "interviewEventId*:uuid expand:[]=feedbackFormDefinition|application|candidate|job|interview|interviewers",
    ),
    "notetakerTranscript.info": ("notetakerRead", "notetakerTranscriptId*:uuid"),
    "offer.list": (
        "offersRead",
        f"{SINCE} applicationId:uuid offerStatus:[+]{_OFFER_STATES}"
        " acceptanceStatus:[+]=Accepted|Declined|Pending|Created|Cancelled|WaitingOnResponse"
        " approvalStatus:[+]=Approved|WaitingOnApprovals|Declined",
    ),
    "offer.info": ("offersRead", "offerId*:uuid excludeFormDefinition:bool"),
    "report.synchronous": ("reportsRead", "reportId*:uuid includeHeadersInData:bool"),
    "report.generate": ("reportsRead", "reportId*:uuid includeHeadersInData:bool requestId:str"),
    "webhook.create": ("apiKeysWrite", f"webhookType*:{_WEBHOOKS} requestUrl*:text secretToken*:text"),
    "webhook.info": ("apiKeysRead", "webhookId*:uuid"),
    "webhook.update": (
        "apiKeysWrite",
        "webhookId*:uuid enabled:bool requestUrl:text secretToken:text ~enabled,requestUrl,secretToken",
    ),
    "webhook.delete": ("apiKeysWrite", "webhookId*:uuid"),
}

NOT_IMITATED: dict[str, str] = {
    "approvalDefinition.update": "approvals run in the vendor's own flow; nothing here waits for one",
    "assessment.addCompletedToCandidate": "for assessment partners",
    "assessment.cancel": "spoken by a partner's server, not by the vendor's",
    "assessment.customField.list": "spoken by a partner's server, not by the vendor's",
    "assessment.list": "spoken by a partner's server, not by the vendor's",
    "assessment.start": "spoken by a partner's server, not by the vendor's",
    "assessment.update": "for assessment partners",
    "interviewerPool.addUser": "plans coming interviews; a move has none",
    "interviewerPool.archive": "plans coming interviews; a move has none",
    "interviewerPool.create": "plans coming interviews; a move has none",
    "interviewerPool.removeUser": "plans coming interviews; a move has none",
    "interviewerPool.restore": "plans coming interviews; a move has none",
    "interviewerPool.update": "plans coming interviews; a move has none",
    "offer.approve": "runs an approval flow; the facts advise against offers of the past by API",
    "offer.create": "runs an approval flow; the facts advise against offers of the past by API",
    "offer.start": "runs an approval flow; the facts advise against offers of the past by API",
    "offer.startApprovalProcess": "runs an approval flow; the facts advise against offers of the past by API",
    "offer.update": "runs an approval flow; the facts advise against offers of the past by API",
    "offerProcess.start": "runs an approval flow; the facts advise against offers of the past by API",
    # In the vendor's guides and changelog, but without published bodies:
    "application.delete": "no body is published",
    "auditLog.list": "no body is published",
    "candidate.pushToHris": "no body is published",
    "jobPosting.updateCompensation": "no body is published",
    "offer.setDecidedAt": "no body is published",
    "offer.setStatus": "no body is published",
    "project.archive": "no body is published",
    "project.create": "no body is published",
    "project.restore": "no body is published",
    "project.setCustomFieldValue": "no body is published",
    "project.setCustomFieldValues": "no body is published",
    "project.update": "no body is published",
    "sequence.cancel": "no body is published",
    "sequenceTemplate.info": "no body is published",
    "sequenceTemplate.list": "no body is published",
    "takeHomeAssignment.info": "no body is published",
    "takeHomeAssignment.list": "no body is published",
}
"""Endpoints that exist at the vendor's and not here, with the reason: answered with 501, never with an invention."""
