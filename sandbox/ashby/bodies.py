"""Every endpoint of the Ashby side, the permission it needs and the shape of its body (rarer ones: ``bodies_more``).

Source of names, types and required members: the vendor's published contract (164 operations); what the
vendor's changelog added later is marked. The contract itself is not read at run time.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.ashby.bodies_more import MORE, NESTED_MORE, PAGING, SINCE, SYNC
from sandbox.ashby.checks import Shape, compile_shape

NESTED_LINES: dict[str, str] = {
    "place": "city:str region:str country:str",
    "link": "type*:=LinkedIn|GitHub|Twitter|Medium|StackOverflow|YouTube|CodePen|Website url*:url",
    "note": "type*:=text/plain|text/html value*:str",
    "event": "stageId*:uuid stageNumber*:int enteredStageAt*:iso archiveReasonId:uuid",
    "eventUpdate": (
        "stageId*:uuid stageNumber*:int enteredStageAt*:iso archiveReasonId:uuid applicationHistoryId:uuid"
    ),
    "mail": "communicationTemplateId*:uuid sendAt:iso",
    "postal": ("addressCountry:str addressRegion:str addressLocality:str postalCode:str streetAddress:str"),
    "address": "postalAddress:@postal",
    "option": "label*:text value*:text",
    "optionUpdate": "label*:text value*:text isArchived:bool !",
    "fieldValue": "fieldId*:uuid fieldValue*:any",
    "answer": "path*:str value*:any",
    "answers": "fieldSubmissions*:[]@answer",
}

_CREATABLE = (
    "=Boolean|CompensationRange|Currency|Date|LongText|MultiValueSelect|Number|NumberRange|String|ValueSelect|Url|UUID"
)
_FIELD_OBJECTS = "=Application|Candidate|Job|Employee|Talent_Project|Opening_Version|Offer_Version"
_SETTABLE = "=Application|Candidate|Job|Opening"
_JOB_STATES = "=Draft|Open|Closed|Archived"
_APPLICATION_STATES = "=Hired|Archived|Active|Lead"
_EMPLOYMENT = "=FullTime|PartTime|Intern|Contract|Temporary"

LINES: dict[str, tuple[str, str]] = {
    "apiKey.info": ("apiKeysRead", ""),
    "candidate.create": (
        "candidatesWrite",
        "name*:text email:str phoneNumber:str alternateEmailAddresses:[]str linkedInUrl:url githubUrl:url"
        " website:url sourceId:uuid creditedToUserId:uuid location:@place createdAt:iso",
    ),
    "candidate.update": (
        "candidatesWrite",
        "candidateId*:uuid name:text email:str phoneNumber:str linkedInUrl:url githubUrl:url websiteUrl:url"
        " alternateEmail:str socialLinks:[]@link sourceId:uuid creditedToUserId:uuid location:@place"
        " createdAt:iso sendNotifications:bool",
    ),
    "candidate.info": ("candidatesRead", "id:uuid externalMappingId:str ^id,externalMappingId"),
    # createdBefore: vendor changelog, July 2026; not in the contract.
    "candidate.list": ("candidatesRead", f"{SINCE} createdBefore:ms"),
    "candidate.search": ("candidatesRead", "email:str name:str ~email,name"),
    "candidate.addTag": ("candidatesWrite", "candidateId*:uuid tagId*:uuid"),
    "candidate.removeTag": ("candidatesWrite", "candidateId*:uuid tagId*:uuid !"),
    "candidate.createNote": (
        "candidatesWrite",
        "candidateId*:uuid note*:str/@note sendNotifications:bool isPrivate:bool createdAt:iso",
    ),
    "candidate.listNotes": ("candidatesRead", f"candidateId*:uuid {SYNC}"),
    "candidate.uploadResume": ("candidatesWrite", "candidateId*:uuid resumeHandle*:text"),
    "candidate.uploadFile": ("candidatesWrite", "candidateId*:uuid fileHandle*:text"),
    "candidate.listProjects": ("candidatesRead", f"candidateId*:uuid {SYNC}"),
    "file.createFileUploadHandle": (
        "candidatesWrite",
        "fileUploadContext*:=CandidateResume|CandidateFiles|ApplicationForm filename*:text contentType*:text"
        " contentLength*:int",
    ),
    "file.info": ("candidatesRead", "fileHandle*:text"),
    "candidateTag.list": ("hiringProcessMetadataRead", f"includeArchived:bool {SYNC}"),
    "candidateTag.create": ("hiringProcessMetadataWrite", "title*:text"),
    "candidateTag.archive": ("hiringProcessMetadataWrite", "tagId*:uuid !"),
    "project.list": ("candidatesRead", SINCE),
    "application.create": (
        "candidatesWrite",
        "candidateId*:uuid jobId*:uuid interviewPlanId:uuid interviewStageId:str sourceId:uuid"
        " creditedToUserId:uuid createdAt:iso applicationHistory:[]@event",
    ),
    "application.update": (
        "candidatesWrite",
        "applicationId*:uuid sourceId:uuid creditedToUserId:uuid createdAt:iso sendNotifications:bool",
    ),
    "application.info": (
        "candidatesRead",
        "applicationId:uuid submittedFormInstanceId:uuid expand:[]=openings|applicationFormSubmissions|referrals"
        " ^applicationId,submittedFormInstanceId",
    ),
    "application.list": (
        "candidatesRead",
        f"{SINCE} createdBefore:ms status:{_APPLICATION_STATES} jobId:uuid expand:[]=openings",
    ),
    "application.changeStage": (
        "candidatesWrite",
        "applicationId*:uuid interviewStageId*:uuid archiveReasonId:uuid archiveEmail:@mail",
    ),
    "application.changeSource": ("candidatesWrite", "applicationId*:uuid sourceId*:uuid?"),
    "application.transfer": (
        "candidatesWrite",
        "applicationId*:uuid jobId*:uuid interviewPlanId*:uuid interviewStageId*:uuid startAutomaticActivities:bool",
    ),
    "application.listHistory": ("candidatesRead", f"applicationId*:uuid {PAGING}"),
    "application.updateHistory": ("candidatesWrite", "applicationId*:uuid applicationHistory*:[+]@eventUpdate"),
    "application.addHiringTeamMember": ("candidatesWrite", "applicationId*:uuid teamMemberId*:uuid roleId*:uuid"),
    "application.removeHiringTeamMember": ("candidatesWrite", "applicationId*:uuid teamMemberId*:uuid roleId*:uuid"),
    "applicationHiringTeamRole.list": ("candidatesRead", ""),
    "hiringTeamRole.list": ("organizationRead", "namesOnly:bool"),
    "applicationFeedback.submit": (
        "candidatesWrite",
        "applicationId*:uuid formDefinitionId*:uuid feedbackForm*:@answers userId:uuid interviewEventId:uuid",
    ),
    "applicationFeedback.list": ("candidatesRead", f"{SINCE} applicationId:uuid"),
    "feedbackFormDefinition.list": ("hiringProcessMetadataRead", f"includeArchived:bool {SYNC}"),
    "feedbackFormDefinition.info": ("hiringProcessMetadataRead", "feedbackFormDefinitionId*:uuid"),
    "archiveReason.list": ("hiringProcessMetadataRead", "includeArchived:bool"),
    "closeReason.list": ("hiringProcessMetadataRead", "includeArchived:bool"),
    "source.list": ("hiringProcessMetadataRead", "includeArchived:bool"),
    "communicationTemplate.list": ("hiringProcessMetadataRead", ""),
    "department.list": ("organizationRead", f"includeArchived:bool {SYNC}"),
    "department.info": ("organizationRead", "departmentId*:uuid"),
    "department.create": ("organizationWrite", "name*:text externalName:str parentId:uuid extraData:extra"),
    "location.list": ("organizationRead", f"includeArchived:bool includeLocationHierarchy:bool {SYNC}"),
    "location.info": ("organizationRead", "locationId*:uuid"),
    "location.create": (
        "organizationWrite",
        "name*:text type*:=Location|LocationHierarchy address:@address parentLocationId:uuid isRemote:bool"
        " workplaceType:=OnSite|Hybrid|Remote externalName:str extraData:extra",
    ),
    "user.list": ("organizationRead", f"includeDeactivated:bool {SYNC}"),
    "user.info": ("organizationRead", "userId*:uuid"),
    "user.search": ("organizationRead", "email*:str"),
    "job.create": (
        "jobsWrite",
        "title*:text teamId*:uuid locationId*:uuid defaultInterviewPlanId:uuid jobTemplateId:uuid brandId:uuid",
    ),
    # The contract types customRequisitionId as uuid although it is free text: both are taken (guess).
    "job.update": (
        "jobsWrite",
        "jobId*:uuid title:text teamId:uuid locationId:uuid defaultInterviewPlanId:uuid customRequisitionId:str",
    ),
    "job.setStatus": ("jobsWrite", f"jobId*:uuid status*:{_JOB_STATES}"),
    "job.info": ("jobsRead", "id*:uuid includeUnpublishedJobPostingsIds:bool expand:[]=location|openings"),
    "job.list": (
        "jobsRead",
        f"{SINCE} status:[]{_JOB_STATES} openedAfter:ms openedBefore:ms closedAfter:ms"
        " closedBefore:ms includeUnpublishedJobPostingsIds:bool expand:[]=location|openings",
    ),
    "job.search": ("jobsRead", "title:str requisitionId:str ~title,requisitionId"),
    "jobTemplate.list": ("jobsRead", f"{SYNC} expand:[]=location"),
    # limit: not in the contract, sent and accepted in a recorded call.
    "jobPosting.list": ("jobsRead", "limit:limit location:str department:str listedOnly:bool jobBoardId:uuid"),
    "interviewPlan.list": ("interviewsRead", f"includeArchived:bool {SYNC}"),
    "interviewStage.list": ("interviewsRead", "interviewPlanId*:uuid"),
    "interviewStage.info": ("interviewsRead", "interviewStageId*:uuid"),
    "interviewStageGroup.list": ("interviewsRead", "interviewPlanId:uuid"),
    "jobInterviewPlan.info": ("jobsRead", "jobId*:uuid"),
    "interview.list": (
        "interviewsRead",
        "includeArchived:bool includeNonSharedInterviews:bool excludeArchivedScheduleTemplateInterviews:bool " + SYNC,
    ),
    "interview.info": ("interviewsRead", "id*:uuid"),
    "customField.list": ("hiringProcessMetadataRead", f"includeArchived:bool {SYNC}"),
    "customField.info": ("hiringProcessMetadataRead", "customFieldId*:uuid"),
    "customField.create": (
        "hiringProcessMetadataWrite",
        f"fieldType*:{_CREATABLE} objectType*:{_FIELD_OBJECTS} title*:text description:str"
        " selectableValues:[]@option isDateOnlyField:bool isExposableToCandidate:bool",
    ),
    "customField.setValue": (
        "candidatesWrite",
        f"objectId*:uuid objectType*:{_SETTABLE} fieldId*:uuid fieldValue*:any",
    ),
    "customField.setValues": (
        "candidatesWrite",
        f"objectId*:uuid objectType*:{_SETTABLE} values*:[+]@fieldValue",
    ),
    "customField.updateSelectableValues": (
        "hiringProcessMetadataWrite",
        "customFieldId*:uuid selectableValues*:[]@optionUpdate !",
    ),
    "opening.list": ("jobsRead", SINCE),
    "opening.search": ("jobsRead", "identifier*:str"),
    "opening.create": (
        "jobsWrite",
        "identifier:str description:str teamId:uuid locationIds:[]uuid jobIds:[]uuid targetHireDate:day"
        f" targetStartDate:day isBackfill:bool employmentType:{_EMPLOYMENT}"
        " openingState:=Draft|Approved|Open|Closed",
    ),
    "version.list": ("apiKeysRead", ""),
}


@dataclass(frozen=True)
class Endpoint:
    """What is asked of a caller of one endpoint."""

    name: str
    permission: str
    shape: Shape


def endpoints() -> dict[str, Endpoint]:
    """Compile the whole table."""
    nested: dict[str, Shape] = {}
    for name, line in (NESTED_LINES | NESTED_MORE).items():
        nested[name] = compile_shape(line, nested)
    lines = LINES | MORE
    return {name: Endpoint(name, permission, compile_shape(line, nested)) for name, (permission, line) in lines.items()}
