"""The tables of `lib.mapping.account`: `attribute | M, C, A, T or N | where | reason`.

T is archived only, too, and technical: an id, a figure or a date of Lever's own that says nothing of the person or the
job, or that is told elsewhere.
"""

from __future__ import annotations

_OPPORTUNITY = """
id                 | M | application field "Lever opportunity ID"; marker lines of notes |
name               | C | candidate.name | one name per person: the newest opportunity's; other spellings stand in the candidate field "Lever other details"
headline           | C | candidate field "Lever headline" | Ashby has no writable title or employer; that of joined contacts is in "Lever other details"
contact            | M | candidate field "Lever contact ID" |
emails             | C | candidate.email, alternateEmailAddresses | in canonical form (trimmed, lower case)
phones | C | candidate.phoneNumber; candidate field "Lever other phones" | Ashby takes one phone; types do not move
confidentiality | C | notes are private or withheld; job by verdict | no endpoint sets it; people tick the job in Ashby
location | C | candidate.location; candidate field "Lever location" | parsed; the text stays in the field, that of joined contacts in "Lever other details"
links | C | candidate links; candidate field "Lever other links" | sorted by kind; unsafe addresses stay in the archive
createdAt          | M | application.createdAt |
updatedAt          | N | | Ashby sets its own; not writable
lastInteractionAt  | T | raw archive | no counterpart
lastAdvancedAt     | C | applicationHistory | follows from the history
snoozedUntil       | A | raw archive | no counterpart
archived           | M | last event of applicationHistory, with its reason |
stage              | M | applicationHistory (current stage) |
stageChanges       | C | applicationHistory; "Lever history" note | who moved the candidate is named in the note
owner | C | application.creditedToUserId, when nobody else; "Lever history" note | no owner of an application
followers          | A | raw archive | no counterpart
tags               | C | tags of the candidate | Ashby has no tags of an application; automatic ones are left out
sources            | C | application.sourceId; further ones in the "Lever history" note | one source per application
origin             | C | application.sourceId when there is no source; application field "Lever origin" | a channel, not a person
sourcedBy | C | application.creditedToUserId; "Lever history" note without an Ashby user | users are not created by API
applications       | M | see application |
resume             | N | | deprecated; see resume
urls               | T | raw archive | addresses of Lever end with Lever
dataProtection     | C | candidate field "Lever consent" | Ashby's consent records are not writable by API
isAnonymized       | N | | anonymised people never move
opportunityLocation| A | raw archive | an application has no location; counted where it is not that of the posting
deletedBy          | N | | deleted opportunities never move
deletedAt          | N | | deleted opportunities never move
"""

_CONTACT = """
id             | M | candidate field "Lever contact ID" |
name           | C | candidate.name | one name per person
headline       | C | candidate field "Lever headline" | Ashby has no writable title or employer; that of joined contacts is in "Lever other details"
isAnonymized   | N | | anonymised people never move
location       | C | candidate.location; candidate field "Lever location" | parsed; the text stays in the field, that of joined contacts in "Lever other details"
emails         | C | candidate.email, alternateEmailAddresses | in canonical form
phones         | C | candidate.phoneNumber; candidate field "Lever other phones" | Ashby takes one phone by API
dataProtection | C | candidate field "Lever consent" | Ashby's consent records are not writable by API
"""

_APPLICATION = """
id                   | C | marker line of the application note | no field of its own
opportunityId        | M | application field "Lever opportunity ID" |
candidateId          | N | | deprecated twin of opportunityId
createdAt | C | application note, when it differs from the opportunity's | the opportunity's date is used
type                 | C | application note, when there is one | a word, not a source
posting              | M | application.jobId |
postingOwner         | A | raw archive | belongs to the posting at that time
postingHiringManager | A | raw archive | hiring teams are set up in Ashby by people
user | C | application.creditedToUserId for a referral | never for type user: that person only typed it in
name                 | C | application note, when it differs | the candidate has one name
email                | C | application note, when the candidate lacks it | the candidate has one list of addresses
phone                | C | application note, when the candidate lacks it | the candidate has one list of phones
company              | C | application note | no writable employer
links                | C | application note, when the candidate lacks them | the candidate has one list of links
comments             | C | application note | no field for a cover text
resume               | N | | deprecated; see resume
customQuestions | C | custom fields by decision; application note | no form answers by API; of files only the name
archived             | C | see opportunity.archived | the opportunity's reason and date are used; a difference is counted
requisitionForHire   | A | raw archive | openings are not moved
ipAddress            | N | | technical personal data without purpose
referer              | N | | technical personal data without purpose
userAgent            | N | | technical personal data without purpose
acceptLanguage       | N | | technical personal data without purpose
timezone             | N | | technical personal data without purpose
"""

_NOTE = """
id          | M | marker line "[Lever note ...]" |
text        | N | | always the word "Note"
fields      | C | one candidate note: text first, comments below with author, date, score | notes have no threads
user        | C | first line of the note | the author of a note is not writable
secret      | C | isPrivate, or withheld by policy | private in Ashby is the nearest
completedAt | T | raw archive | equals createdAt
createdAt   | M | note.createdAt |
deletedAt   | N | | deleted notes never move
"""

_FEEDBACK = """
id             | M | marker line; form field "Lever feedback ID" |
type           | C | text of the feedback | Ashby has one kind
text           | C | text of the feedback (form title) | the form is chosen by decision
instructions   | T | raw archive | instructions of the form, not an answer
fields         | C | text, field by field; form fields by decision (feedback_fields.csv) | forms are not created by API; no scale is rescaled
baseTemplateId | C | decides the form | templates are not created by API
interview      | T | raw archive; the interview is in the "Lever interviews" note | interviews are not created
panel          | T | raw archive | interviews are not created
user           | C | userId when the author is an active Ashby user; named in the text | users are not created by API
createdAt      | T | raw archive | completedAt is shown
completedAt    | C | text of the feedback; form field "Original date" | the date of a submission is not writable
updatedAt      | T | raw archive | completedAt is shown
deletedAt      | N | | deleted feedback never moves
"""

_FORM = """
id             | M | marker line "[Lever form ...]" |
type           | N | | always the same word
text           | C | first line of the note | the form is not created
instructions   | T | raw archive | instructions of the form, not an answer
baseTemplateId | C | decides the custom fields | templates are not created by API
fields         | C | custom fields by decision; else a note | no profile forms in Ashby; of files only the name
user           | C | first line of the note | no author of a field value
stage          | A | raw archive | no counterpart
secret         | C | isPrivate, or withheld by policy | secret answers never go to custom fields
createdAt      | T | raw archive | completedAt is shown
completedAt    | C | first line and date of the note | no date of a field value
deletedAt      | N | | deleted forms never move
"""

_REFERRAL = """
id             | M | marker line "[Lever form ...]" |
type           | N | | always the same word
text           | C | first line of the note | the form is not created
instructions   | T | raw archive | instructions of the form, not an answer
fields         | C | custom fields by decision; else a note | referrals by API need an open job and today's date
baseTemplateId | C | decides the custom fields | templates are not created by API
referrer | C | application.creditedToUserId; "Lever history" note without an Ashby user | users are not created by API
user           | C | first line of the note | no author of a field value
stage          | A | raw archive | no counterpart
createdAt      | T | raw archive | completedAt is shown
completedAt    | C | first line and date of the note | no date of a field value
"""

_INTERVIEW = """
id               | T | raw archive | the summary note carries the opportunity's id
panel            | T | raw archive | a grouping only
subject          | C | "Lever interviews" note | past interviews are not written by API
note             | C | "Lever interviews" note | past interviews are not written by API
interviewers     | C | "Lever interviews" note | past interviews are not written by API
timezone         | C | "Lever interviews" note | dates are shown in UTC, with the zone beside them
createdAt        | T | raw archive | the date of the interview is shown
date             | C | "Lever interviews" note | past interviews are not written by API
duration         | C | "Lever interviews" note | past interviews are not written by API
location         | C | "Lever interviews" note | past interviews are not written by API
feedbackTemplate | T | raw archive | see feedback
feedbackForms    | T | raw archive | see feedback
feedbackReminder | N | | a setting of Lever
user             | C | "Lever interviews" note | organiser, by name
stage            | C | "Lever interviews" note | as text
canceledAt       | C | "Lever interviews" note | as text
postings         | T | raw archive | the opportunity's posting is shown
gcalEventUrl     | T | raw archive | a link into somebody's calendar
opportunityId    | M | marker line "[Lever interviews ...]" |
"""

_OFFER = """
id             | C | "Lever offers" note; file name of the signed document | offers are not written by API
createdAt      | C | "Lever offers" note | offers are not written by API
creator        | C | "Lever offers" note | by name
status         | C | "Lever offers" note | as text
posting        | C | "Lever offers" note | by title
fields         | C | "Lever offers" note, private | as text
signatures     | C | "Lever offers" note | who signed and when
approved       | C | "Lever offers" note | as text
approvedAt     | C | "Lever offers" note | as text
sentAt         | C | "Lever offers" note | as text
sentDocument   | A | raw archive | only a signed document is uploaded
signedDocument | M | file of the candidate, unless private notes are withheld | files have no private flag
"""

_RESUME = """
id         | M | file name |
createdAt  | A | raw archive | uploads carry no date; decides which one is newest
file       | C | file of the candidate; the newest becomes the résumé | named uniquely
parsedData | A | raw archive | Ashby reads the résumé itself; no endpoint writes positions and schools
"""

_FILE = """
id          | M | file name |
downloadUrl | N | | addresses of Lever end with Lever
ext         | M | file name |
name        | C | file name | made safe and unique
uploadedAt  | A | raw archive | uploads carry no date
status      | T | raw archive | a state of Lever's processing
size        | M | the file itself |
"""

_POSTING = """
id                    | M | job field "Lever posting ID" |
text                  | M | job.title |
createdAt             | A | raw archive | dates of jobs are not writable
updatedAt             | N | | Ashby sets its own
state | C | job status: published, internal: Open; closed: Closed; draft, pending, rejected: Draft | fewer states
distributionChannels  | A | raw archive | job postings are not created by API
confidentiality       | C | the job by verdict, made confidential in Ashby by people | no endpoint sets it
user                  | A | raw archive | the creator of a job is not writable
owner                 | A | raw archive | hiring teams are set up in Ashby by people
hiringManager         | A | raw archive | hiring teams are set up in Ashby by people
categories            | C | job team and location, by decision | a job made by API has one team, one location, no employment type and no level
tags                  | A | raw archive | jobs have no tags
content               | A | raw archive | no endpoint takes job descriptions
country               | T | raw archive | follows from the location
followers             | A | raw archive | no counterpart
reqCode               | T | raw archive | deprecated; see requisitionCodes
requisitionCodes      | A | raw archive | openings are not moved
salaryDescription     | A | raw archive | no endpoint takes it
salaryDescriptionHtml | A | raw archive | no endpoint takes it
salaryRange           | A | raw archive | no endpoint takes it
urls                  | T | raw archive | addresses of Lever end with Lever
workplaceType         | A | raw archive | belongs to the location in Ashby
transcribeInterviews  | N | | a setting of Lever
screening             | N | | a setting of Lever
"""

_USER = """
id                  | C | decides the Ashby user (users.csv) | users are not created by API
name                | C | named in notes and feedback they wrote | users are not created by API
username            | T | raw archive | part of the e-mail
email               | C | finds the Ashby user; named in notes | users are not created by API
createdAt           | T | raw archive | users are not created by API
deactivatedAt       | T | raw archive | users are not created by API
accessRole          | T | raw archive | rights are set up in Ashby by people
photo               | N | | not needed
externalDirectoryId | T | raw archive | users are not created by API
linkedContactIds    | T | raw archive | users are not created by API
jobTitle            | A | raw archive | users are not created by API
managerId           | A | raw archive | users are not created by API
"""

_STAGE = """
id   | C | decides the stage (stages.csv) | plans are made in Ashby by people
text | C | decides the stage; text in the history note | plans are made in Ashby by people
"""

_DISPOSITION = """
stages         | C | proposals for stages.csv | plans are made in Ashby by people
archiveReasons | C | see archive reason | reasons are made in Ashby by people
"""

_REASON = """
id     | C | decides the reason (archive_reasons.csv) | reasons are made in Ashby by people
text   | C | decides the reason; text in the history note | reasons are made in Ashby by people
status | T | raw archive | not needed for history
type   | C | hired ends in the Hired stage | Ashby knows it by the stage
"""

_SOURCE = """
text  | C | decides the source (sources.csv) | sources are made in Ashby by people
count | T | raw archive | a figure of Lever
"""

_TAG = """
text  | C | tag of the candidate (tags.csv) | automatic tags are left out
count | T | raw archive | a figure of Lever
"""

_TEMPLATE = """
id           | C | decides the form (feedback_forms.csv) | forms are made in Ashby by people
text         | C | label of the decision; named in the text | forms are made in Ashby by people
group        | T | raw archive | forms are made in Ashby by people
instructions | T | raw archive | forms are made in Ashby by people
fields       | T | raw archive | the filled forms carry their questions
createdAt    | T | raw archive | forms are made in Ashby by people
updatedAt    | T | raw archive | forms are made in Ashby by people
stage        | T | raw archive | forms are made in Ashby by people
"""

_FORM_TEMPLATE = """
id              | C | part of the decision's id (custom_fields.csv) | forms are made in Ashby by people
text            | C | label of the decision | forms are made in Ashby by people
group           | T | raw archive | forms are made in Ashby by people
instructions    | T | raw archive | forms are made in Ashby by people
secretByDefault | T | raw archive | each form carries its own flag
fields          | C | options of custom fields | only questions that were answered become fields
createdAt       | T | raw archive | forms are made in Ashby by people
updatedAt       | T | raw archive | forms are made in Ashby by people
"""

_REQUISITION = "\n".join(
    f"{name} | A | raw archive | openings are not moved"
    for name in (
        "id", "requisitionCode", "name", "backfill", "confidentiality", "createdAt", "creator", "headcountHired",
        "headcountTotal", "headcountInfinite", "status", "hiringManager", "owner", "compensationBand",
        "employmentStatus", "location", "internalNotes", "postings", "department", "team", "offerIds", "approval",
        "customFields", "closedAt", "updatedAt", "timeToFillStartAt", "timeToFillEndAt",
    )
)  # fmt: skip

_REQUISITION_FIELD = "\n".join(
    f"{name} | A | raw archive | openings are not moved"
    for name in ("id", "text", "type", "isRequired", "subfields", "options")
)

TABLES = {
    "opportunity": _OPPORTUNITY,
    "contact": _CONTACT,
    "application": _APPLICATION,
    "note": _NOTE,
    "feedback": _FEEDBACK,
    "form": _FORM,
    "referral": _REFERRAL,
    "interview": _INTERVIEW,
    "offer": _OFFER,
    "resume": _RESUME,
    "file": _FILE,
    "posting": _POSTING,
    "user": _USER,
    "stage": _STAGE,
    "disposition_stages": _DISPOSITION,
    "archive_reason": _REASON,
    "source": _SOURCE,
    "tag": _TAG,
    "feedback_template": _TEMPLATE,
    "form_template": _FORM_TEMPLATE,
    "requisition": _REQUISITION,
    "requisition_field": _REQUISITION_FIELD,
}
