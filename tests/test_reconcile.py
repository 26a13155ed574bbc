"""The proof of the proof: whatever is taken, altered or added in Ashby after a move, `reconcile` must report it."""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import CUSTOMER, Sandbox, environment, move, write_customer
from reconcile import problems

from lib import workbook

Json = dict[str, Any]
Change = Callable[[], None]
"""One change to one record of a state."""


@pytest.fixture(scope="session")
def moved(sandbox_process: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Json, Json]:
    """Truth and end state of a real small move."""
    folder = tmp_path_factory.mktemp("moved") / "home"
    sandbox_process.reset()
    write_customer(folder, sandbox_process, policy={"confidential_as_new": True})
    with environment(folder, sandbox_process):
        book = workbook.open_customer(CUSTOMER)
        move(book, sandbox_process)
        book.close()
    return sandbox_process.truth, sandbox_process.state


SET_BY_PEOPLE = {
    "2024/q3 pool", "boomerang", "ex-intern", "keep warm", "r&d <core>", "relocation", "robotics meetup 🤖",
    "silver medalist", "strong communicator", "visa needed",
}  # fmt: skip
"""The tags of the company that repeat nothing of a posting; the others a decision may drop."""


# ---- the mutations: each yields one change per record it can hit ---------------------------------------------------
def new_candidates(state: Json) -> list[Json]:
    return [one for one in state["candidates"] if one["id"] not in state["preexisting"]["candidates"]]


def new_applications(state: Json) -> list[Json]:
    return [one for one in state["applications"] if one["id"] not in state["preexisting"]["applications"]]


def notes(state: Json, kind: str = "[a-z]+") -> Iterator[tuple[Json, Json]]:
    """(candidate, note) of each note that carries a marker of this kind."""
    for candidate in state["candidates"]:
        for note in candidate["notes"]:
            if re.search(rf"\[Lever {kind} [^\]]+\]\s*$", note["content"]):
                yield candidate, note


def only_markers(state: Json) -> Iterator[Change]:
    for _, note in notes(state):
        yield lambda note=note: note.update(content=note["content"].splitlines()[-1])


def only_head_and_marker(state: Json) -> Iterator[Change]:
    """The text of a note, but not the line that says whose it is."""
    for _, note in notes(state, "(?:note|form|feedback|interviews|offers|history|opportunity)"):
        lines = note["content"].splitlines()
        if "".join(lines[1:-1]).strip() not in ("", "(empty note)"):
            yield lambda note=note, lines=lines: note.update(content=f"{lines[0]}\n{lines[-1]}")


def without_first_line(state: Json) -> Iterator[Change]:
    """Author and time of a note."""
    for _, note in notes(state, "note"):
        if not re.search(r"\d+/\d+\]\s*$", note["content"]):
            yield lambda note=note: note.update(content=note["content"].partition("\n")[2])


def one_word_altered(state: Json) -> Iterator[Change]:
    for _, note in notes(state, "note"):
        words = re.findall(r"(?m)^(?!Lever |Comment by |\[|\(empty).*?(\w{5,})", note["content"])
        if words:
            other = note["content"].replace(words[0], words[0][::-1] + "x")
            yield lambda note=note, other=other: note.update(content=other)


def without_notes(kind: str) -> Callable[[Json], Iterator[Change]]:
    def mutation(state: Json) -> Iterator[Change]:
        for candidate, note in list(notes(state, kind)):
            yield lambda candidate=candidate, note=note: candidate["notes"].remove(note)

    return mutation


def note_at_another(state: Json) -> Iterator[Change]:
    """A note at somebody else's candidate."""
    strangers = new_candidates(state)
    for candidate, note in list(notes(state)):
        other = strangers[0] if candidate is not strangers[0] else strangers[1]
        yield lambda candidate=candidate, note=note, other=other: (
            candidate["notes"].remove(note),
            other["notes"].append(note),
        )


def open_note(state: Json) -> Iterator[Change]:
    for _, note in notes(state):
        if note["isPrivate"]:
            yield lambda note=note: note.update(isPrivate=False)


def note_at_another_time(state: Json) -> Iterator[Change]:
    for _, note in notes(state, "note"):
        yield lambda note=note: note.update(createdAt="2001-01-01T00:00:00.000Z")


def note_doubled(state: Json) -> Iterator[Change]:
    for candidate, note in list(notes(state)):
        yield lambda candidate=candidate, note=note: candidate["notes"].append(note | {"id": f"{note['id']}-2"})


def without_event(state: Json) -> Iterator[Change]:
    """A step that only the history tells: with its note gone as well it would be the note that is missed."""
    for application in new_applications(state):
        for event in list(application["history"]):
            yield lambda application=application, event=event: application["history"].remove(event)


def event_at_another_time(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        for event in application["history"]:
            yield lambda event=event: event.update(enteredStageAt=event["enteredStageAt"].replace("20", "19", 1))


def event_in_another_stage(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        for event in application["history"]:
            other = "Offer" if event["title"] != "Offer" else "New Lead"
            yield lambda event=event, other=other: event.update(title=other)


def event_invented(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        last = application["history"][-1]
        made = last | {"enteredStageAt": last["enteredStageAt"].replace(last["enteredStageAt"][:4], "2026", 1)}
        if made != last:
            yield lambda application=application, made=made: application["history"].insert(-1, made)


def theirs(candidate: Json, name: str) -> list[Any]:
    """What of a list of a candidate comes from Lever for sure."""
    return [one for one in candidate[name] if name != "tags" or one.casefold() in SET_BY_PEOPLE]


def emptied(name: str) -> Callable[[Json], Iterator[Change]]:
    """A list of a candidate, emptied."""

    def mutation(state: Json) -> Iterator[Change]:
        for candidate in new_candidates(state):
            if theirs(candidate, name):
                yield lambda candidate=candidate: candidate.update({name: []})

    return mutation


def one_less(name: str) -> Callable[[Json], Iterator[Change]]:
    """One entry of a list of a candidate, taken out."""

    def mutation(state: Json) -> Iterator[Change]:
        for candidate in new_candidates(state):
            for one in theirs(candidate, name):
                yield lambda candidate=candidate, one=one: candidate[name].remove(one)

    return mutation


def one_foreign(name: str, value: Any) -> Callable[[Json], Iterator[Change]]:
    """An entry that nobody has in Lever."""

    def mutation(state: Json) -> Iterator[Change]:
        for candidate in new_candidates(state):
            yield lambda candidate=candidate: candidate[name].append(value)

    return mutation


def renamed(state: Json) -> Iterator[Change]:
    for candidate in new_candidates(state):
        yield lambda candidate=candidate: candidate.update(name="Somebody Else")


def born_at_another_time(state: Json) -> Iterator[Change]:
    for candidate in new_candidates(state):
        yield lambda candidate=candidate: candidate.update(createdAt="2001-01-01T00:00:00.000Z")


def without_custom_field(kind: str) -> Callable[[Json], Iterator[Change]]:
    def mutation(state: Json) -> Iterator[Change]:
        for item in new_candidates(state) if kind == "candidates" else new_applications(state):
            for title in list(item["customFields"]):
                yield lambda item=item, title=title: item["customFields"].pop(title)

    return mutation


def another_source(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        other = {"title": "University" if application["source"] else "LinkedIn Recruiter"}
        yield lambda application=application, other=other: application.update(source=other)


def without_source(state: Json) -> Iterator[Change]:
    """Where no note tells the source, which is the most of them."""
    told = {re.search(r"\[Lever history (\S+)\]", note["content"])[1] for _, note in notes(state, "history")}
    for application in new_applications(state):
        if application["source"] and application["customFields"].get("Lever opportunity ID") not in told:
            yield lambda application=application: application.update(source=None)


def another_reason(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        if application["archiveReason"]:
            yield lambda application=application: application.update(archiveReason={"text": "Duplicate"})


def without_reason(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        if application["archiveReason"]:
            yield lambda application=application: application.update(archiveReason=None)


def another_status(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        other = "Archived" if application["status"] != "Archived" else "Hired"
        yield lambda application=application, other=other: application.update(status=other)


def another_job(state: Json) -> Iterator[Change]:
    jobs = [job["id"] for job in state["jobs"]]
    for application in new_applications(state):
        other = jobs[(jobs.index(application["jobId"]) + 1) % len(jobs)]
        yield lambda application=application, other=other: application.update(jobId=other)


def job_renamed(state: Json) -> Iterator[Change]:
    used = {application["jobId"] for application in new_applications(state)}
    for job in state["jobs"]:
        if job["id"] in used and job["id"] not in state["preexisting"]["jobs"]:
            yield lambda job=job: job.update(title="Another job")


def another_candidate(state: Json) -> Iterator[Change]:
    strangers = [one["id"] for one in new_candidates(state)]
    for application in new_applications(state):
        other = strangers[0] if application["candidateId"] != strangers[0] else strangers[1]
        yield lambda application=application, other=other: application.update(candidateId=other)


def without_application(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        yield lambda application=application: state["applications"].remove(application)


def without_candidate(state: Json) -> Iterator[Change]:
    for candidate in new_candidates(state):
        yield lambda candidate=candidate: state["candidates"].remove(candidate)


def without_feedback(state: Json) -> Iterator[Change]:
    for application in new_applications(state):
        for form in list(application["feedback"]):
            yield lambda application=application, form=form: application["feedback"].remove(form)


def feedback_only_marker(state: Json) -> Iterator[Change]:
    """All values of a submission but its marker."""
    for application in new_applications(state):
        for form in application["feedback"]:
            marker = re.findall(r"\[Lever feedback [^\]]+\]", str(form["answers"]))[-1]
            bare = {"Feedback": marker}
            yield lambda form=form, bare=bare: form.update(answers=bare, submittedValues=bare)


def feedback_at_another(state: Json) -> Iterator[Change]:
    applications = new_applications(state)
    for application in applications:
        for form in list(application["feedback"]):
            other = next(
                one for one in applications if one["candidateId"] != application["candidateId"] and one["history"]
            )
            yield lambda application=application, form=form, other=other: (
                application["feedback"].remove(form),
                other["feedback"].append(form),
            )


def file_altered(state: Json) -> Iterator[Change]:
    for candidate in new_candidates(state):
        for file in candidate["files"]:
            yield lambda file=file: file.update(sha256="0" * 64)


def employer_invented(state: Json) -> Iterator[Change]:
    for candidate in new_candidates(state):
        yield lambda candidate=candidate: candidate.update(company="Nowhere & Sons")


def employer_lost(state: Json) -> Iterator[Change]:
    for candidate in new_candidates(state):
        if candidate.get("company"):
            yield lambda candidate=candidate: candidate.pop("company")


MUTATIONS: dict[str, Callable[[Json], Iterator[Change]]] = {
    "notes emptied to their marker": only_markers,
    "notes emptied to their first line": only_head_and_marker,
    "notes without author and time": without_first_line,
    "notes with one word altered": one_word_altered,
    **{f"no {kind} notes": without_notes(kind) for kind in ("note", "form", "interviews", "offers", "history")},
    "no opportunity notes": without_notes("opportunity"),
    "notes at another candidate": note_at_another,
    "private notes open": open_note,
    "notes at another time": note_at_another_time,
    "notes doubled": note_doubled,
    "history without events": without_event,
    "events at another time": event_at_another_time,
    "events in another stage": event_in_another_stage,
    "events invented": event_invented,
    "no tags": emptied("tags"),
    "no links": emptied("socialLinks"),
    "no phones": emptied("phoneNumbers"),
    "no addresses": emptied("emailAddresses"),
    "no files": emptied("files"),
    "one tag less": one_less("tags"),
    "one link less": one_less("socialLinks"),
    "one address less": one_less("emailAddresses"),
    "one file less": one_less("files"),
    "a tag too many": one_foreign("tags", "Best of all"),
    "an address too many": one_foreign("emailAddresses", {"value": "nobody@inbox.example"}),
    "a phone too many": one_foreign("phoneNumbers", {"value": "+49 30 123456"}),
    "files altered": file_altered,
    "employers that no résumé tells": employer_invented,
    "employers of résumés gone": employer_lost,
    "people renamed": renamed,
    "people at another time": born_at_another_time,
    "custom fields of candidates gone": without_custom_field("candidates"),
    "custom fields of applications gone": without_custom_field("applications"),
    "other sources": another_source,
    "no sources": without_source,
    "other reasons": another_reason,
    "no reasons": without_reason,
    "other states": another_status,
    "other jobs": another_job,
    "jobs renamed": job_renamed,
    "applications at another candidate": another_candidate,
    "no applications": without_application,
    "no candidates": without_candidate,
    "no feedback": without_feedback,
    "feedback emptied to its marker": feedback_only_marker,
    "feedback at another application": feedback_at_another,
}


def reported(truth: Json, state: Json) -> set[str]:
    return {f"{kind}: {text}" for kind, found in problems(truth, state).items() for text in found}


def unseen(truth: Json, state: Json, mutation: Callable[[Json], Iterator[Change]], *, at_most: int) -> tuple[int, list]:
    """(how many records were hit one at a time, those whose change was not reported)."""
    before, total = reported(truth, state), len(list(mutation(copy.deepcopy(state))))
    numbers = range(0, total, max(1, total // at_most))
    missed = []
    for number in numbers:
        altered = copy.deepcopy(state)
        list(mutation(altered))[number]()
        if not reported(truth, altered) - before:
            missed.append(number)
    return len(numbers), missed


def test_the_untouched_state_is_clean(moved: tuple[Json, Json]) -> None:
    assert {kind: found for kind, found in problems(*moved).items() if found} == {}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_of_one_record_is_reported(moved: tuple[Json, Json], name: str) -> None:
    """One record at a time, six of them spread over the state."""
    n, missed = unseen(*moved, MUTATIONS[name], at_most=6)
    assert n > 0, "the move holds no such record"
    assert missed == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_of_all_records_is_reported(moved: tuple[Json, Json], name: str) -> None:
    """All at once: nothing may seem right because everything is wrong in the same way."""
    truth, state = moved
    altered = copy.deepcopy(state)
    changes = list(MUTATIONS[name](altered))
    for change in changes:
        change()
    assert len(reported(truth, altered) - reported(truth, state)) >= min(len(changes), 5)
