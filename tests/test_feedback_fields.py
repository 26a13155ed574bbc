"""feedback_fields.csv: which field of an Ashby form takes a question of a Lever form, and what its scale becomes."""

import re
from typing import Any

import pytest
from mapping_world import FORM, NOW, T0, World, form_field, opportunity

from lib.errors import GateError
from lib.mapping import decide
from lib.mapping.choices import choices

RATING = ("4 - Strong Hire", "3 - Hire", "2 - No Hire", "1 - Strong No Hire")


def field(kind: str, text: str, value: Any, *options: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "text": text, "value": value, "options": [{"text": one} for one in options], **more}


def world_of(*fields: dict[str, Any], form: tuple[dict[str, Any], ...] = ()) -> World:
    """One candidacy with one feedback of these fields; `form` are more fields of the Ashby form."""
    feedback = {
        "id": "fb-1", "type": "interview", "text": "On-site", "fields": list(fields), "baseTemplateId": "t-1",
        "user": "u-ines", "createdAt": T0, "completedAt": T0 + 5000, "deletedAt": None,
    }  # fmt: skip
    world = World(opportunity("o-1")).give("feedback", "o-1", feedback)
    world.target["feedback_forms"][0]["formDefinition"]["sections"][0]["fields"] += form
    return world


def rows(world: World) -> dict[str, dict[str, Any]]:
    """{what the row is about: row}."""
    return {row["label"].removeprefix("On-site: "): row for row in world.propose()["feedback_fields"]}


def answers(world: World) -> dict[str, Any]:
    """{path: value} of the one submission."""
    submit = next(row.body for row in world.plan() if row.kind == "applicationFeedback.submit")
    return {one["path"]: one["value"] for one in submit["feedbackForm"]["fieldSubmissions"]}


def test_each_question_that_a_field_can_take_is_a_row_with_both_scales():
    """By equal title, the rating by what it is; a question that no field takes needs no decision."""
    world = world_of(
        field("score-system", "Rating", "3 - Hire", *RATING),
        field("dropdown", "Seniority", "Senior", "Junior", "Senior", "Staff"),
        field("date", "Available from", T0),
        form=(form_field("Notes", "LongText"),),
    )
    found = rows(world)
    assert {name: (row["proposal"], row["confidence"]) for name, row in found.items()} == {
        "Rating": ("Overall rating", "high"),
        **{f"Rating = {text}": (text[0], "medium") for text in RATING},
        "Seniority": ("Seniority", "high"),
        "Seniority = Staff": ("text", "low"),
    }
    assert (found["Rating"]["scale"], found["Rating"]["ashby_scale"]) == ("; ".join(RATING), "1; 2; 3; 4")
    assert (found["Seniority"]["ashby_scale"], found["Seniority"]["ashby_form"]) == (
        "Junior; Senior",
        "Migrated feedback",
    )
    assert [found[f"Rating = {text}"]["n_records"] for text in RATING] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        (("1", "2", "3", "4", "5"), "5"),
        (("5 - Yes", "4 - Maybe", "3 - Hm", "2 - No", "1 - Never"), "4 - Maybe"),
        (("Strong yes", "Yes", "No", "Strong no"), "Yes"),
        (("1.5 - Weak", "2 - Fair", "3 - Good", "4 - Best"), "1.5 - Weak"),
    ],
)
def test_no_scale_is_rescaled_unless_a_person_says_so(scale: tuple[str, ...], value: str):
    """The text has the value as it was; with a verdict per value, that number."""
    world = world_of(field("score-system", "Rating", value, *scale))
    found = rows(world)
    assert found[f"Rating = {value}"]["proposal"] == "text"
    told = answers(world)
    assert "Overall rating" not in told
    assert f"Rating: {value}" in told["Feedback"]
    assert world.lost("feedback", "fields: Rating") == [(1, "moved changed", "the field does not take its answer")]
    world.verdicts["feedback_fields"] = {found[f"Rating = {value}"]["id"]: "3"}
    assert answers(world)["Overall rating"] == {"score": 3}
    assert world.lost("feedback", "fields: Rating") == []


@pytest.mark.parametrize("kind", ["dropdown", "multiple-choice", "score"])
def test_a_number_of_another_scale_is_no_score_as_it_stands(kind: str):
    """Of five a four is not the best; only Lever's own score type is 1 to 4 by its reference."""
    form = (form_field("Communication", "Score"),)
    world = world_of(field(kind, "Communication", 4 if kind == "score" else "4", *"12345"), form=form)
    found = rows(world)
    assert [found[f"Communication = {n}"]["proposal"] for n in "12345"] == ["text"] * 5
    assert "Communication" not in answers(world)
    world = world_of(field("score", "Communication", 4), form=form)
    assert list(rows(world)) == ["Communication"]
    assert answers(world)["Communication"] == {"score": 4}


def test_a_field_that_is_called_like_a_word_of_the_table_is_written_by_its_path():
    world = world_of(field("text", "Text", "hi"), form=({**form_field("Text", "String"), "isRequired": False},))
    inner = world.target["feedback_forms"][0]["formDefinition"]["sections"][0]["fields"][-1]["field"]
    inner["path"] = "path-1"
    (row,) = rows(world).values()
    assert row["proposal"] == "path-1"
    assert ("Text", "path-1") in choices(world)("feedback_fields", row, "verdict")
    assert answers(world)["path-1"] == "hi"


def test_a_reversed_scale_goes_by_what_a_person_says():
    """Its digits look usual, its words do not; who knows the account turns them."""
    scale = ("1 - Hire!", "2 - Hire", "3 - No", "4 - No!")
    world = world_of(field("score-system", "Rating", "1 - Hire!", *scale))
    guesses = [(row["proposal"], row["confidence"]) for name, row in rows(world).items() if "=" in name]
    assert guesses == [("text", "low")] * 4
    world.verdicts["feedback_fields"] = {
        rows(world)[f"Rating = {text}"]["id"]: str(5 - int(text[0])) for text in scale
    }  # fmt: skip
    assert answers(world)["Overall rating"] == {"score": 4}


def test_each_skill_of_a_scorecard_is_a_question():
    """Its score goes into a field of its own, its comment stays in the text; a skill may have no name or no score."""
    skills = field(
        "scorecard", "Skills", [{"score": 3, "comment": "good"}, {"score": None, "comment": ""}, {"score": 2}],
        scores=[{"text": "Care"}, "Speed"],
    )  # fmt: skip
    world = world_of(skills, form=(form_field("Skills: Care", "Score"), form_field("Skills: Speed", "Number")))
    found = rows(world)
    assert {name: row["proposal"] for name, row in found.items()} == {
        "Skills: Care": "Skills: Care",
        "Skills: score 3": "text",
    }
    told = answers(world)
    assert told["Skills: Care"] == {"score": 3}
    assert "- Care: 3 (good)\n- score 3: 2" in told["Feedback"]


def test_several_values_do_not_fit_a_field_that_takes_one():
    """How many there are is said beside the decision; they stay in the text."""
    world = world_of(
        field("multiple-select", "Seniority", ["Junior", "Senior"], "Junior", "Senior"),
        field("multiple-select", "Languages", ["Go", "Rust"], "Go", "Rust", "C"),
        form=(form_field("Languages", "MultiValueSelect", options=("Go", "rust")),),
    )
    found = rows(world)
    assert found["Seniority"]["confidence"] == "medium"
    assert "1 of 1 answers name several values" in found["Seniority"]["reason"]
    told = answers(world)
    assert "Seniority" not in told
    assert told["Languages"] == ["v-Go", "v-rust"]
    assert world.lost("feedback", "fields: Seniority") == [(1, "moved changed", "the field does not take its answer")]


def test_an_option_without_a_place_keeps_the_whole_answer_in_the_text():
    """Half of a selection would be another answer."""
    languages = field("multiple-select", "Languages", ["Go", "Ada"], "Go", "Ada")
    world = world_of(languages, form=(form_field("Languages", "MultiValueSelect", options=("Go", "Rust")),))
    told = answers(world)
    assert "Languages" not in told
    assert "Languages: Go; Ada" in told["Feedback"]
    world.verdicts["feedback_fields"] = {rows(world)["Languages = Ada"]["id"]: "Rust"}
    assert answers(world)["Languages"] == ["v-Go", "v-Rust"]


def test_two_questions_for_one_field_the_first_answer_stands():
    """The other one is in the text, and counted."""
    world = world_of(
        field("dropdown", "Seniority", "Junior", "Junior", "Senior"),
        field("dropdown", "Level", "Senior", "Junior", "Senior"),
    )
    world.verdicts["feedback_fields"] = {rows(world)["Level"]["id"]: "Seniority"}
    assert answers(world)["Seniority"] == "v-Junior"
    assert world.lost("feedback", "fields: Level") == [(1, "moved changed", "another answer stands in the field")]


def test_all_verdicts_that_cannot_be_used_are_named_at_once():
    """File, line, value, and what is near."""
    world = world_of(
        field("score-system", "Rating", "3 - Hire", *RATING),
        field("dropdown", "Seniority", "Staff", "Junior", "Staff"),
    )
    found = rows(world)
    world.verdicts["feedback_fields"] = {
        found["Rating = 3 - Hire"]["id"]: "5",
        found["Rating = 4 - Strong Hire"]["id"]: "four",
        found["Seniority = Staff"]["id"]: "Seniorr",
    }
    with pytest.raises(GateError) as caught:
        world.plan()
    told = str(caught.value)
    assert len(re.findall(r"params/test/feedback_fields\.csv:\d+", told)) == 3
    assert "'5' is no score; one of: 1, 2, 3, 4, text" in told
    assert "'Seniorr' in the column verdict is no value of 'Seniority' in Ashby; nearest: 'Senior'" in told
    world.verdicts["feedback_fields"] = {found["Rating"]["id"]: "Again?"}
    with pytest.raises(GateError, match=r"'Again\?' in the column verdict is no fitting field of 'Migrated feedback'"):
        world.plan()


def test_a_question_and_a_value_that_came_up_since_wait_for_a_verdict():
    """Nothing is decided by the absence of a row."""
    world = world_of(field("score-system", "Rating", "3 - Hire", *RATING))
    tables = world.tables()
    extra = field("score-system", "Rating", "Superb", *RATING)
    world.lists["feedback", "o-1"][0]["fields"] = [extra, field("dropdown", "Seniority", "Senior", "Senior")]
    with pytest.raises(GateError) as caught:
        decide(tables, world, policy=world.policy, now_ms=NOW)
    assert f"no row '{FORM}/t-1/rating/Overall rating=superb', and 1 records depend on it" in str(caught.value)
    assert f"no row '{FORM}/t-1/seniority', and 1 records depend on it" in str(caught.value)


def test_fields_are_proposed_for_the_form_that_a_verdict_names():
    """Another form has other fields; a note has none."""
    world = world_of(field("dropdown", "Seniority", "Senior", "Junior", "Senior"))
    other = {"id": "f-2", "title": "Other", "isArchived": False}
    other["formDefinition"] = {
        "sections": [{"fields": [form_field("Text", "LongText"), form_field("Level", "String")]}]
    }
    world.target["feedback_forms"].append(other)
    world.verdicts["feedback_forms"] = {"t-1": "Other"}
    found = world.propose(world.tables())["feedback_fields"]
    assert [(row["id"], row["ashby_form"], row["proposal"]) for row in found] == [
        ("f-2/t-1/seniority", "Other", "text")
    ]
    world.verdicts["feedback_forms"] = {"t-1": "note"}
    assert world.propose(world.tables())["feedback_fields"] == []


def test_the_grid_offers_fields_for_a_question_and_values_for_a_value():
    world = world_of(field("score-system", "Rating", "Superb", "Superb", "Fair"))
    found, of = rows(world), choices(world)
    assert ("Seniority", "Seniority") in of("feedback_fields", found["Rating"], "verdict")
    offered = of("feedback_fields", found["Rating = Superb"], "verdict")
    assert offered == [(word, word) for word in ("text", "1", "2", "3", "4")]
