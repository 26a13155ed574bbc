"""Nothing of an export is put on somebody else, joined, or left out without a word that a person has to say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from export_writer import table
from test_export_files import HEADS, ONE, STREAMS, THREE, TWO, came, dumped, needs, opportunity, person, reasons, store

from lib.export_files import Found, eeo
from lib.store import Store

__all__ = ["store"]  # a fixture
FORM = ["Profile ID", "Form ID", "Form", "Interviewer", "Completed At (GMT)"]
WITHOUT_ID = ["Candidate Name", "Phone", "Current Stage", "Posting Title", "Created At (GMT)"]


def people(folder: Path, *keys: str) -> Path:
    """An export with a table of candidates."""
    table(folder / "candidates.csv", HEADS, [person(key) for key in keys or (ONE,)])
    return folder


def form(key: str, **more: str) -> dict[str, str]:
    """A row of a table of feedback."""
    row = {"Profile ID": key, "Form ID": THREE, "Form": "Screen", "Interviewer": "Kim Lee"}
    return row | {"Completed At (GMT)": "2021-04-05 06:07:08"} | more


def answers(store: Store) -> dict[str, list[list[tuple[str, str]]]]:
    """{opportunity: the (question, answer) pairs of each of its feedback}."""
    parents, found = store.parents("feedback"), {}
    for one in store.all("feedback"):
        pairs = [(field["text"], field["value"]) for field in one["fields"]]
        found.setdefault(parents[one["id"]], []).append(pairs)
    return {key: sorted(pairs) for key, pairs in found.items()}


def kept(store: Store) -> str:
    """All that is stored, as one text."""
    return json.dumps([list(store.all(stream)) for stream in (*STREAMS, "panels", "export_rows")])


def canaries(store: Store) -> list[str]:
    """Which marked values are stored."""
    return re.findall(r"Canary\d*", kept(store))


def finding(found: Found, start: str) -> str:
    """What the only need with this beginning says."""
    (row,) = [row for row in found.told.needs if str(row["id"]).startswith(start)]
    return str(row["finding"])


# ---- feedback stays with its owner -------------------------------------------------------------------------------
@pytest.mark.parametrize("title", ["Form ID", "Feedback ID", "Feedback Form ID"])
def test_feedback_of_two_people_with_one_form_id_stays_apart(tmp_path: Path, store: Store, title: str) -> None:
    """An id that many share is one of a form: each owner keeps what was said of them, under an id of its own."""
    rows = [form(ONE, Depth="of Ann"), form(TWO, Depth="of Bob")]
    rows = [{title if name == "Form ID" else name: cell for name, cell in row.items()} for row in rows]
    ids = []
    for name, order in (("one", rows), ("two", rows[::-1])):
        table(people(tmp_path / name, ONE, TWO) / "feedback.csv", list(rows[0]), order)
        found = came(store, tmp_path / name)
        assert answers(store) == {ONE: [[("Depth", "of Ann")]], TWO: [[("Depth", "of Bob")]]}
        assert needs(found) == []
        ids.append(sorted(store.head_shas("feedback")))
    assert ids[0] == ids[1]
    assert THREE not in ids[0]


def test_two_interviewers_with_one_form_id_stay_apart(tmp_path: Path, store: Store) -> None:
    """What one has said is not put into the other's mouth."""
    rows = [form(ONE, Interviewer=who, Question="Depth", Answer=f"says {who}") for who in ("Kim", "Lu")]
    rows = [row | {"Feedback Form ID": THREE} for row in rows]
    table(people(tmp_path / "export") / "feedback.csv", [*FORM, "Feedback Form ID", "Question", "Answer"], rows)
    came(store, tmp_path / "export")
    assert answers(store) == {ONE: [[("Depth", "says Kim")], [("Depth", "says Lu")]]}


def test_an_id_of_its_own_stays_the_id_of_feedback(tmp_path: Path, store: Store) -> None:
    """Rows of one submission are one form, with the id that Lever gave it, and each answer keeps its score."""
    rows = [
        form(ONE, **{"Feedback ID": TWO, "Question": "Depth", "Answer": "deep", "Score": "4"}),
        form(ONE, **{"Feedback ID": TWO, "Question": "Width", "Answer": "wide", "Score": "2"}),
    ]
    table(people(tmp_path / "export") / "feedback.csv", [*FORM, "Feedback ID", "Question", "Answer", "Score"], rows)
    came(store, tmp_path / "export")
    assert list(store.head_shas("feedback")) == [TWO]
    assert answers(store) == {ONE: [[("Rating", "4"), ("Depth", "deep"), ("Rating: Width", "2"), ("Width", "wide")]]}


def test_a_form_s_template_is_the_one_of_the_export(tmp_path: Path, store: Store) -> None:
    """Where its id is told and the template is there."""
    folder = people(tmp_path / "export")
    dumped(folder, "feedback_templates.json", json.dumps([{"id": THREE, "text": "Screen", "fields": []}]))
    table(folder / "feedback.csv", [*FORM, "Depth"], [form(ONE, Depth="deep")])
    came(store, folder)
    assert [one["baseTemplateId"] for one in store.all("feedback")] == [THREE]


DEEP, WIDE = {"Question": "Depth", "Answer": "deep"}, {"Question": "Width", "Answer": "wide"}
ASKED = [*FORM, "Question", "Answer", "Score"]


@pytest.mark.parametrize("column", ["Form ID", "Feedback ID", ""], ids=["form", "id", "neither"])
def test_feedback_that_stands_in_two_tables_is_there_once(tmp_path: Path, store: Store, column: str) -> None:
    """Each answer once, whichever table comes first; that the other one says the same is remarked, and no question."""
    heads = [title for title in ["Profile ID", column, *FORM[2:], "Question", "Answer", "Score"] if title]
    whole = [{column: THREE} | form(ONE, Score="4", **one) for one in (DEEP, WIDE)]
    rows = [{title: row[title] for title in heads} for row in whole]
    for name, first, second in (("whole", rows, rows), ("less", rows[:1], rows), ("more", rows, rows[:1])):
        folder = people(tmp_path / name)
        table(folder / "feedback.csv", heads, first)
        table(folder / "older" / "feedback.csv", heads, second)
        found = came(store, folder)
        assert answers(store) == {ONE: [[("Rating", "4"), ("Depth", "deep"), ("Width", "wide")]]}, name
        told = [row for row in found.told.rows() if row["taken_as"] == "table of feedback"]
        assert (needs(found), sum(int(str(row["n_used"])) for row in told)) == ([], len(first) + len(second))
        assert "rows of feedback that another table holds, too: counted once" in str([row["remarks"] for row in told])


def test_feedback_that_two_tables_tell_otherwise_waits_for_a_word(tmp_path: Path, store: Store) -> None:
    """The fullest stands, and nothing of the other is mixed into it."""
    folder = people(tmp_path / "export")
    table(folder / "a.feedback.csv", ASKED, [form(ONE, **DEEP), form(ONE, **WIDE)])
    table(folder / "b.feedback.csv", ASKED, [form(ONE, **(DEEP | {"Answer": "flat"}))])
    found = came(store, folder)
    assert answers(store) == {ONE: [[("Depth", "deep"), ("Width", "wide")]]}
    assert needs(found) == ["file-in:differs-feedback-#"]
    assert "of tables the fullest" in finding(found, "file-in:differs")


def test_a_form_whose_rows_are_split_over_two_tables_is_whole(tmp_path: Path, store: Store) -> None:
    """Exports come in parts: other questions, the same rating on each row, nothing that contradicts."""
    folder = people(tmp_path / "export")
    table(folder / "feedback_1.csv", ASKED, [form(ONE, Score="4", **DEEP)])
    table(folder / "feedback_2.csv", ASKED, [form(ONE, Score="4", **WIDE)])
    found = came(store, folder)
    assert answers(store) == {ONE: [[("Rating", "4"), ("Depth", "deep"), ("Width", "wide")]]}
    assert needs(found) == []


def test_a_rating_alone_that_contradicts_waits_for_a_word(tmp_path: Path, store: Store) -> None:
    folder = people(tmp_path / "export")
    table(folder / "feedback_1.csv", ASKED, [form(ONE, Score="4", **DEEP)])
    table(folder / "feedback_2.csv", [*FORM, "Score"], [form(ONE, Score="1")])
    found = came(store, folder)
    assert answers(store) == {ONE: [[("Rating", "4"), ("Depth", "deep")]]}
    assert needs(found) == ["file-in:differs-feedback-#"]


def test_a_note_id_on_two_people_waits_for_a_word(tmp_path: Path, store: Store) -> None:
    """Only one can have it."""
    folder = people(tmp_path / "export", ONE, TWO)
    heads = ["Profile ID", "Note ID", "Note", "Created At (GMT)", "Secret"]
    cells = {"Note ID": THREE, "Note": "fine", "Created At (GMT)": "2021-01-01", "Secret": "no"}
    table(folder / "notes.csv", heads, [cells | {"Profile ID": ONE}, cells | {"Profile ID": TWO}])
    assert needs(came(store, folder)) == ["file-in:differs-notes-#"]


def test_all_rows_of_an_undated_form_are_refused(tmp_path: Path, store: Store) -> None:
    """None of them counts as used."""
    rows = [form(ONE, **{"Completed At (GMT)": "", "Question": one, "Answer": "x"}) for one in ("Depth", "Width")]
    table(people(tmp_path / "export") / "feedback.csv", [*FORM, "Question", "Answer"], rows)
    found = came(store, tmp_path / "export")
    assert [line for line, _ in reasons(found)] == [2, 3]
    assert [row["n_used"] for row in found.told.rows() if row["taken_as"] == "table of feedback"] == [0]


# ---- people stay apart -------------------------------------------------------------------------------------------
def john(**more: str) -> dict[str, str]:
    """A candidate without an id and without an address."""
    row = {"Candidate Name": "John Smith", "Current Stage": "Offer", "Posting Title": "Engineer"}
    return row | {"Created At (GMT)": "2021-03-04", "Phone": "+1 555 0100"} | more


@pytest.mark.parametrize("other", ["Phone", "Current Stage", "Shoe size"])
def test_two_people_of_one_name_stay_two(tmp_path: Path, store: Store, other: str) -> None:
    """Without id and address any other cell tells them apart, in whatever order they come."""
    rows, ids = [john(), john(**{other: "7"})], []
    for name, order in (("one", rows), ("two", rows[::-1])):
        table(tmp_path / name / "candidates.csv", [*WITHOUT_ID, "Shoe size"], order)
        found = came(store, tmp_path / name)
        assert len({one["contact"]["id"] for one in store.all("opportunities")}) == 2
        assert needs(found) == ["file-in:#:columns-#"]
        ids.append(set(store.head_shas("opportunities")))
    assert ids[0] == ids[1]


def test_one_person_without_an_id_keeps_the_made_one(tmp_path: Path, store: Store) -> None:
    """A newer export in which a stage has changed is about the same candidacy."""
    for name, stage in (("one", "Screen"), ("two", "Offer")):
        table(tmp_path / name / "candidates.csv", WITHOUT_ID, [john(**{"Current Stage": stage})])
        came(store, tmp_path / name)
    assert store.count("opportunities") == 1


def test_stages_of_one_moment_stand_in_the_order_of_their_columns(tmp_path: Path, store: Store) -> None:
    """A table lists the stages of its pipeline from left to right."""
    stages = {"Stage - Screen (GMT)": "2021-04-01", "Stage - Interview (GMT)": "2021-04-01"}
    table(tmp_path / "export" / "candidates.csv", [*HEADS, *stages], [person(**stages)])
    came(store, tmp_path / "export")
    names = {one["id"]: one["text"] for one in store.all("stages")}
    changes = store.get("opportunities", ONE)["stageChanges"]  # type: ignore[index]
    assert [names[one["toStageId"]] for one in changes] == ["Screen", "Interview"]


def test_rows_that_are_joined_and_differ_wait_for_a_word(tmp_path: Path, store: Store) -> None:
    """The newest stands; that the other said something else is told with its line. One that says less is no loss."""
    rows = [
        person(**{"Last Activity (GMT)": "2021-05-05"}),
        person(**{"Current Stage": "Screen", "Last Activity (GMT)": "2021-04-04"}),
        person(**{"Last Activity (GMT)": ""}),
    ]
    table(tmp_path / "export" / "candidates.csv", [*HEADS, "Last Activity (GMT)"], rows)
    found = came(store, tmp_path / "export")
    (only,) = store.all("opportunities")
    assert store.get("stages", only["stage"])["text"] == "Offer"  # type: ignore[index]
    assert needs(found) == ["file-in:#:merged-#"]
    assert finding(found, "file-in:").endswith("though they differ from it: line 3")


# ---- columns and tables ------------------------------------------------------------------------------------------
def test_a_scorecard_on_diversity_is_a_scorecard(tmp_path: Path, store: Store) -> None:
    """Its questions are kept, in their order; it holds no answers on equal opportunity for the word's sake."""
    asked = {"Values diversity": "yes", "Diversity of thought": "much", "Gender-neutral wording": "good"}
    folder = people(tmp_path / "export")
    table(folder / "diversity hiring 2023" / "scorecards.csv", [*FORM, *asked], [form(ONE, **asked)])
    found = came(store, folder)
    assert answers(store) == {ONE: [list(asked.items())]}
    assert needs(found) == []


@pytest.mark.parametrize("title", ["Gender", "Do you have a disability?", "Race / Ethnicity", "Veteran Status"])
def test_an_answer_in_a_form_is_left_out_and_told(tmp_path: Path, store: Store, title: str) -> None:
    """A column, or a question in a row, that asks for what somebody is and for nothing else."""
    folder = people(tmp_path / "export", ONE, TWO)
    table(folder / "feedback.csv", [*FORM, "Depth", title], [form(ONE, **{"Depth": "deep", title: "Canary1"})])
    rows = [form(TWO, Question=title, Answer="Canary2"), form(TWO, Question="Depth", Answer="deep")]
    table(folder / "feedback_2.csv", [*FORM, "Question", "Answer"], rows)
    found = came(store, folder)
    assert (answers(store), canaries(store)) == ({ONE: [[("Depth", "deep")]], TWO: [[("Depth", "deep")]]}, [])
    assert needs(found) == ["file-in:eeo-#", "file-in:eeo-#"]


@pytest.mark.parametrize("name", ["eeo feedback.csv", "EEO/feedback.csv", "diversity survey responses/feedback.csv"])
def test_a_form_that_calls_itself_eeo_is_not_read(tmp_path: Path, store: Store, name: str) -> None:
    """Its questions cannot be told from others; that it is left out waits for a word."""
    folder = people(tmp_path / "export")
    table(folder / name, [*FORM, "How do you feel?"], [form(ONE, **{"How do you feel?": "Canary"})])
    found = came(store, folder)
    assert (canaries(store), needs(found)) == ([], ["file-in:eeo-#"])
    assert "1 files are never read: 1 whole" in finding(found, "file-in:eeo")


def test_people_in_a_place_called_diversity_are_read(tmp_path: Path, store: Store) -> None:
    """Columns that speak of it are left out and told, and in a table called EEO all that are not known."""
    rows = [person(**{"Gender": "Canary1", "Race": "Canary2", "How do you identify?": "Canary3"})]
    heads = [*HEADS, "Gender", "Race", "How do you identify?"]
    table(tmp_path / "export" / "diversity" / "eeo candidates.csv", heads, rows)
    found = came(store, tmp_path / "export")
    assert (store.count("opportunities"), canaries(store)) == (1, [])
    assert needs(found) == ["file-in:eeo-#"]
    assert "Gender, How do you identify?, Race" in finding(found, "file-in:eeo")


def test_a_table_of_no_kind_that_speaks_of_it_waits_for_a_word(tmp_path: Path, store: Store) -> None:
    """It is not read; once somebody has accepted that, nothing is left to say. Another set needs another word."""
    folder = people(tmp_path / "export")
    table(folder / "answers.csv", ["Who", "Gender", "Race"], [{"Who": "Canary"}])
    first = came(store, folder)
    table(folder / "more.csv", ["Who", "Gender", "Race"], [])
    second = came(store, folder)
    assert (needs(first), needs(second), canaries(store)) == (["file-in:eeo-#"], ["file-in:eeo-#"], [])
    assert {row["id"] for row in first.told.needs}.isdisjoint(row["id"] for row in second.told.needs)


def test_one_word_is_enough_for_a_file_per_opportunity(tmp_path: Path, store: Store) -> None:
    """A dump may have thousands of them."""
    folder = tmp_path / "export"
    for key in (ONE, TWO):
        item = opportunity(key, eeoResponses={"gender": "Canary"})
        dumped(folder, f"opportunities/{key}/opportunity.json", json.dumps(item))
        dumped(folder, f"opportunities/{key}/eeo_responses.json", json.dumps([{"id": THREE, "race": "Canary"}]))
    found = came(store, folder)
    assert (store.count("opportunities"), canaries(store)) == (2, [])
    assert len(needs(found)) <= 2


def test_columns_of_one_meaning_that_differ_wait_for_a_word(tmp_path: Path, store: Store) -> None:
    """One of them is read, the other is kept raw; equal ones say nothing new. Columns of one title are two answers."""
    folder, heads = tmp_path / "export", [*HEADS, "Full Name", "Stage"]
    table(folder / "candidates.csv", heads, [person(**{"Full Name": "Ada Byron", "Stage": "Screen"})])
    lines = [",".join([*FORM, "Comment on it", "Comment on it"]), ",".join([*form(ONE).values(), "first", "second"])]
    dumped(folder, "feedback.csv", "\n".join(lines))
    found = came(store, folder)
    assert needs(found) == ["file-in:#:second-#"]
    assert [row["cells"] for row in store.all("export_rows")] == [{"Stage": "Screen"}]
    assert answers(store) == {ONE: [[("Comment on it", "first"), ("Comment on it (column 7)", "second")]]}


def test_columns_that_nobody_reads_are_counted_not_quoted(tmp_path: Path, store: Store) -> None:
    """Rows may each have another one of them."""
    rows = [person(ONE, **{"Shoe size": "44"}), person(TWO, **{"Shoe size": "44", "Requisition Code": "R7"})]
    table(tmp_path / "export" / "candidates.csv", [*HEADS, "Shoe size", "Requisition Code"], rows)
    assert came(store, tmp_path / "export").unread == {"Shoe size": 2, "Requisition Code": 1}


# ---- objects -----------------------------------------------------------------------------------------------------
def test_answers_on_equal_opportunity_inside_of_objects_are_taken_out(tmp_path: Path, store: Store) -> None:
    """At any depth, of any object of a person, in JSON and in tables of objects."""
    deep: Any = {"raceEthnicity": "Canary1"}
    for _ in range(50):
        deep = {"more": [deep]}
    odd = {"eeoResponses": {"gender": "Canary2", "race": "Canary3"}, "custom": deep, "EEOAnswers": ["Canary4"]}
    note = {"id": THREE, "fields": [], "createdAt": 1, "veteran_status": "Canary5", "pronouns": ""}
    one = opportunity(ONE, notes=[note], **odd)
    one["contact"]["gender"] = "Canary6"
    one["applications"] = [{"id": THREE, "opportunityId": ONE, "diversitySurvey": [{"answer": "Canary7"}]}]
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([one]))
    cells = opportunity(TWO, gender="Canary8", emails=[], tags=[], extra={"surveyAnswers": "Canary9"})
    cells = {name: cell if isinstance(cell, str) else json.dumps(cell) for name, cell in cells.items()}
    table(folder / "opportunities.csv", list(cells), [cells])
    found = came(store, folder)
    assert (store.count("opportunities"), store.count("notes"), canaries(store)) == (2, 1, [])
    assert needs(found) == ["file-in:eeo-#", "file-in:eeo-#"]
    told = " ".join(str(row["finding"]) for row in found.told.needs)
    assert "EEOAnswers, diversitySurvey, eeoResponses, gender, raceEthnicity, veteran_status" in told
    assert store.get("opportunities", ONE)["custom"]["more"][0].keys() == {"more"}  # type: ignore[index]


def test_lists_of_such_answers_are_no_other_objects(tmp_path: Path, store: Store) -> None:
    """By the name under which they stand, or the place in which they lie, whatever they look like."""
    answer = {"id": THREE, "text": "Who are you?", "fields": [{"value": "Canary"}], "createdAt": 1, "completedAt": 1}
    answer |= {"user": "u", "deletedAt": None, "contact": ONE}
    both = {"opportunities": [opportunity()], "eeoResponses": [answer]}
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps(both))
    dumped(folder, "diversity survey responses.json", json.dumps([answer | {"opportunityId": ONE}]))
    line = {"type": "RECORD", "stream": "diversity_survey_answers", "record": answer}
    dumped(folder, "notes.jsonl", "\n".join([json.dumps(line)] * 2))
    found = came(store, folder)
    assert (canaries(store), store.count("opportunities")) == ([], 1)
    assert needs(found) == ["file-in:#:rows-#", "file-in:#:rows-#", "file-in:eeo-#"]


@pytest.mark.parametrize("wrap", [lambda one: {"data": one}, lambda one: {"data": one, "hasNext": False}, json.dumps])
def test_folded_in_lists_come_out_of_their_envelopes(tmp_path: Path, store: Store, wrap: Any) -> None:
    """As pages of the API in JSON, or as text in a cell of a table."""
    note = {"id": THREE, "text": "Note", "fields": [], "createdAt": 1, "secret": False}
    item = opportunity(notes=wrap([note]), emails=[], tags=[], updatedAt=5)
    cells = {name: cell if isinstance(cell, str) else json.dumps(cell) for name, cell in item.items()}
    table(tmp_path / "export" / "opportunities.csv", list(cells), [cells])
    if wrap is not json.dumps:
        dumped(tmp_path / "export", "opportunities.json", json.dumps([item]))
    found = came(store, tmp_path / "export")
    assert (list(store.all("notes")), store.parents("notes")) == ([note], {THREE: ONE})
    assert "notes" not in store.get("opportunities", ONE)  # type: ignore[operator]
    assert needs(found) == []


def test_a_folded_in_list_that_is_not_whole_waits_for_a_word(tmp_path: Path, store: Store) -> None:
    """A page that others follow, and a thing that is no list."""
    note = {"id": THREE, "fields": [], "createdAt": 1}
    item = opportunity(notes={"data": [note], "hasNext": True, "next": "x"}, feedback={"a": "b"}, files=None)
    found = came(store, dumped(tmp_path / "export", "opportunities.json", json.dumps([item])))
    assert store.count("notes") == 1
    assert [reason.partition(":")[0] for _, reason in reasons(found)] == ["notes", "feedback"]


def test_one_id_with_two_bodies_and_no_date_waits_for_a_word(tmp_path: Path, store: Store) -> None:
    """The last by place stands, in JSON and in tables of objects; equal ones, and ones with a date, need no word."""
    note = {"id": TWO, "text": "Note", "fields": [], "createdAt": 1, "secret": False, "opportunityId": ONE}
    folder = dumped(tmp_path / "export", "opportunities.json", json.dumps([opportunity()]))
    dumped(folder, "a/notes.json", json.dumps([note, note]))
    assert needs(came(store, folder)) == []
    dumped(folder, "b/notes.json", json.dumps([note | {"text": "Other"}]))
    found = came(store, folder)
    assert (store.get("notes", TWO)["text"], needs(found)) == ("Other", ["file-in:differs-notes-#"])  # type: ignore[index]
    assert {taken for _, place, taken in found.told.places if place == "b/notes.json"} == {"notes of the API"}
    item = opportunity(THREE, emails=[], tags=[])
    for name, stage in (("c", "offer"), ("d", "lead")):
        cells = {key: cell if isinstance(cell, str) else json.dumps(cell) for key, cell in item.items()}
        table(folder / name / "opportunities.csv", list(cells), [cells | {"stage": stage}])
    assert needs(came(store, folder)) == ["file-in:differs-notes-#", "file-in:differs-opportunities-#"]


# ---- leftovers ---------------------------------------------------------------------------------------------------
def test_the_scratch_has_no_name_while_it_is_read(tmp_path: Path, store: Store) -> None:
    """So nothing of it is left, however the process dies."""
    folder, seen = dumped(tmp_path / "export", "opportunities.json", json.dumps([opportunity()])), []
    came(store, folder, check_account=lambda ids: seen.append([path.name for path in store.folder.glob(".export-*")]))
    assert seen == [[]]


def test_the_pages_tell_what_is_asked() -> None:
    """Each kind of need stands in docs/export-files.md, and the list of places where things are deleted by hand."""
    page = (Path(__file__).parents[1] / "docs" / "export-files.md").read_text()
    for word in ("file-in:eeo-", ":second-", ":merged-", "file-in:differs-"):
        assert word in page
    limits = (Path(__file__).parents[1] / "docs" / "limits.md").read_text()
    assert "export-files.csv" in limits


SPOKEN = {
    "Gender": (True, True), "Are you Hispanic or Latino?": (True, True), "Values diversity": (True, False),
    "Gender-inclusive language": (True, False), "Sexual orientation": (True, True), "Orientation": (False, False),
    "eeoResponses": (True, False), "EEOResponses": (True, False), "trace": (False, False), "isVeteran": (True, True),
    "Embraces others": (False, False), "disability_signature": (True, False),
}  # fmt: skip


@pytest.mark.parametrize("title", SPOKEN)
def test_titles_are_known_by_their_words(title: str) -> None:
    """(speaks of it, asks for nothing else)."""
    assert (eeo.speaks(title), eeo.bare(title)) == SPOKEN[title]
