"""The decision tables: what a spreadsheet does to them is understood, and no verdict is ever lost."""

import csv
import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.decisions import DecisionTable, read
from lib.errors import ConfigError

HEAD = "id,label,proposal,reason,confidence,n_records,verdict"
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\x00'"), max_size=30)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "params" / "acme" / "stages.csv"


def put(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def row(row_id, *, verdict="", n_records="1", label="", **more):
    plain = {"id": row_id, "label": label, "proposal": "", "reason": "", "confidence": "", "n_records": n_records}
    return plain | more | {"verdict": verdict}


def refusal(path, text, encoding="utf-8"):
    with pytest.raises(ConfigError) as caught:
        read(put(path, text, encoding))
    return str(caught.value)


# ---- reading ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\na,Phone,,,,3,Screen\nb,Onsite,,,,0,\n",
        f"\ufeff{HEAD}\na,Phone,,,,3,Screen\nb,Onsite,,,,0,\n",
        f"\ufeff{HEAD}\r\na,Phone,,,,3,Screen\r\nb,Onsite,,,,0,\r\n",
        f"{HEAD}\ra,Phone,,,,3,Screen\rb,Onsite,,,,0,\r",
        f"\ufeff{HEAD}\r\na,Phone,,,,3,Screen\r\nb,Onsite,,,,0,\r\n".replace(",", ";"),
        '"id";"label";"proposal";"reason";"confidence";"n_records";"verdict"\n"a";"Phone";;;;"3";"Screen"\n"b";"Onsite";;;;0;\n',
        f"{HEAD},,\na,Phone,,,,3,Screen,,\nb,Onsite,,,,0,,,\n,,,,,,,,\n",
        f"{HEAD}\n\n\na,Phone,,,,3, Screen \n,,,,,,\nb,Onsite,,,,0\n\n\n",
        " id , label,proposal,reason,confidence,n_records, verdict \na,Phone,,,,3,Screen\nb,Onsite,,,,0,\n",
        f"{HEAD}\na,Phone,,,,3,Screen\nb,Onsite,,,,0,",
    ],
    ids=[
        "plain",
        "BOM",
        "CRLF",
        "CR",
        "semicolons",
        "quoted",
        "more columns",
        "blank lines",
        "spaces",
        "no last line end",
    ],
)
def test_a_spreadsheets_way_of_saving_is_understood(path, text):
    """Byte-order mark, semicolons, quotes, line ends, empty columns and lines: the same two rows."""
    found = [
        {name: one.get(name) for name in ("id", "label", "n_records", "verdict")} for one in read(put(path, text)).rows
    ]
    assert [
        {"id": "a", "label": "Phone", "n_records": "3", "verdict": "Screen"},
        {"id": "b", "label": "Onsite", "n_records": "0", "verdict": ""},
    ] == found


def test_excels_quoting_is_undone(path):
    """Doubled quotes, separators and line breaks inside a cell."""
    text = f'{HEAD}\r\na,"Phone, ""first"" call; ok\r\nsecond line",,,,1,"Screen, later"\r\n'
    assert ['Phone, "first" call; ok\r\nsecond line', "Screen, later"] == [
        read(put(path, text)).rows[0][name] for name in ("label", "verdict")
    ]


def test_a_file_that_is_not_there_is_an_empty_table(path):
    """The first run of the map step begins with nothing."""
    table = read(path)
    assert ("stages", [], []) == (table.name, table.rows, table.open_rows())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ":1: the column id, verdict is missing."),
        ("\n\n", ":1: the column id, verdict is missing."),
        ("id,label\na,Phone\n", ":1: the column verdict is missing."),
        ("Verdict,ID\nx,a\n", ":1: the column id, verdict is missing."),
        (f"{HEAD}\na,,,,,1,\nb,,,,,1,,surplus\n", ":3: 8 cells where the header names 7."),
        (f"{HEAD}\n\n\na,,,,,1,,surplus\n", ":4: 8 cells where the header names 7."),
        (f'{HEAD}\na,"two\nlines",,,,1,\nb,,,,,1,,surplus\n', ":4: 8 cells where the header names 7."),
        (f"{HEAD}\na,,,,,1,\nb,,,,,1,\na,,,,,1,x\n", ":4: the id of line 2 stands here again."),
        (f"{HEAD}\n\na,,,,,1,\n\na,,,,,1,x\n", ":5: the id of line 3 stands here again."),
        (f'{HEAD}\na,"two\nlines",,,,1,\na,,,,,1,x\n', ":4: the id of line 2 stands here again."),
        (f'{HEAD}\na,"never closed,,,,1,\nb,,,,,1,\n', ":2: not a CSV record"),
        (f'{HEAD}\na,"closed"too early,,,,1,\n', ":2: not a CSV record"),
        (f"{HEAD}\na,{'x' * 200_000},,,,1,\n", ":2: not a CSV record"),
    ],
)
def test_what_cannot_be_read_is_named_by_file_and_line(path, text, told):
    """The line is the one an editor shows, blank lines and cells with line breaks included."""
    assert f"params/acme/stages.csv{told}" in refusal(path, text)


def test_all_lines_that_cannot_be_read_are_named_at_once(path):
    """Whoever mends a file in a spreadsheet wants to mend it once."""
    path.parent.mkdir(parents=True)
    lines = ["a,,,,,1,", "b,,,,,1,,surplus", "a,,,,,1,x", "c,,,,,1,", "b,,,,,1,", "a,,,,,1,"]
    path.write_text("\n".join([HEAD, *lines]) + "\n", "utf-8")
    with pytest.raises(ConfigError) as told:
        read(path)
    assert re.findall(r"\.csv:(\d+):", str(told.value)) == ["3", "4", "7"]
    path.write_text("\n".join([HEAD, *("same,,,,,1," for _ in range(30))]) + "\n", "utf-8")
    with pytest.raises(ConfigError, match=r"And 9 more lines\."):
        read(path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_refused_with_its_line(path, encoding):
    """Excel's plain "CSV" loses letters: it is said, not guessed, and the cure is named."""
    message = refusal(path, f"{HEAD}\na,Phone,,,,1,\nb,Gespräch,,,,1,\n", encoding)
    assert f"params/acme/stages.csv:{1 if encoding == 'utf-16' else 3}: not UTF-8." in message
    assert "CSV UTF-8" in message
    assert "Gespr" not in message


# ---- writing ---------------------------------------------------------------------------------------------------------
DANGEROUS = ["=1+1", "+49 30 1", "-x", "@cmd", "\t=1", "\r=1", "＝1", " =1", '=HYPERLINK("https://x")', "=1;2,3\n4"]


@pytest.mark.parametrize("cell", DANGEROUS)
def test_a_formula_is_written_as_text_and_read_back_as_it_was(path, cell):
    """No cell of the file runs in a spreadsheet; the verdict still belongs to its row afterwards."""
    table = DecisionTable("stages", path, [row(cell, label=cell, verdict="keep")])
    table.write()
    raw = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))[1]
    assert not [one for one in raw if one.strip()[:1] in ("=", "+", "-", "@", "＝") or one[:1] in ("\t", "\r")]
    again = read(path)
    assert [(cell, cell, "keep")] == [(one["id"], one["label"], one["verdict"]) for one in again.rows]
    assert "keep" == again.merge([{"id": cell, "label": cell, "n_records": 1}]).rows[0]["verdict"]


@given(st.lists(st.tuples(PLAIN, PLAIN, PLAIN), max_size=5, unique_by=lambda one: one[0]))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_whatever_stands_in_a_table_comes_back(path, cells):
    """Any text in any cell survives writing and reading, and its verdict is only trimmed."""
    rows = [row(row_id, label=label, verdict=verdict.strip()) for row_id, label, verdict in cells]
    DecisionTable("stages", path, rows).write()
    assert [one for one in rows if any(one.values())] == read(path).rows


def test_numbers_stay_numbers(path):
    """A count or a score below zero is not a formula."""
    DecisionTable("stages", path, [row("-5", n_records="12", label="-0.5")]).write()
    assert "-5,-0.5,,,,12,\n" == path.read_text("utf-8").splitlines(keepends=True)[1]


@pytest.mark.parametrize(("label", "mark"), [("First, nice", b""), ("Gespräch, erstes", b"\xef\xbb\xbf")])
def test_the_file_is_plain_utf8_with_plain_line_ends(path, label, mark):
    """LF, header first; a byte-order mark only where a spreadsheet would else guess the letters wrong."""
    assert DecisionTable("stages", path, [row("a", label=f'{label} "x"', verdict="x")]).write() is True
    assert mark + f'{HEAD}\na,"{label} ""x""",,,,1,x\n'.encode() == path.read_bytes()


def test_writing_the_same_again_changes_nothing(path):
    """Neither bytes nor time stamp; a changed table is written, and no half file is left."""
    table = DecisionTable("stages", path, [row("a")])
    assert table.write() is True
    before = path.stat().st_mtime_ns
    assert table.write() is False
    assert before == path.stat().st_mtime_ns
    assert DecisionTable("stages", path, [row("b")]).write() is True
    assert ["stages.csv"] == [one.name for one in path.parent.iterdir()]


# ---- merging ---------------------------------------------------------------------------------------------------------
def test_new_proposals_keep_old_verdicts(path):
    """Every column that ends in `verdict` is a person's; all others are the workbook's."""
    old = DecisionTable(
        "postings", path, [row("a", verdict="new", label="Old", team_verdict="Sales", reason="old")],
        ["id", "label", "team_verdict", "proposal", "reason", "confidence", "n_records", "verdict"],
    )  # fmt: skip
    made = old.merge([{"id": "b", "n_records": 2}, {"id": "a", "label": "New", "team_verdict": "", "reason": "new"}])
    assert ["b", "a"] == [one["id"] for one in made.rows]
    expected = row("a", verdict="new", label="New", reason="new", n_records="", team_verdict="Sales")
    assert expected == made.rows[1]
    assert ["id", "label", "team_verdict", "proposal", "reason", "confidence", "n_records", "verdict"] == made.columns


def test_rows_that_are_gone_stay_only_with_a_verdict(path):
    """A decision is not thrown away because its records are away for a day; nothing depends on it meanwhile."""
    old = DecisionTable("stages", path, [row("a", verdict="Screen", n_records="7"), row("b", n_records="7")])
    made = old.merge([{"id": "c", "n_records": 1}])
    assert [row("c"), row("a", verdict="Screen", n_records="0")] == made.rows
    back = made.merge([{"id": "a", "n_records": 3}])
    assert [row("a", verdict="Screen", n_records="3")] == back.rows


def test_merging_does_not_change_the_table_it_began_with(path):
    """Tables are values."""
    old = DecisionTable("stages", path, [row("a", verdict="x")])
    old.merge([{"id": "a", "label": "New", "n_records": 9}])
    assert [row("a", verdict="x")] == old.rows


def test_a_verdict_survives_any_number_of_rounds(path):
    """Propose, write, read: the file settles after the first round."""
    proposals = [{"id": "=a", "label": "two\nlines", "n_records": 2}, {"id": "b", "label": "x", "n_records": 1}]
    DecisionTable("stages", path, [row("=a", verdict="Screen")]).write()
    wrote = []
    for _ in range(3):
        made = read(path).merge(proposals)
        wrote.append(made.write())
        assert ["Screen", ""] == [one["verdict"] for one in made.rows]
    assert [True, False, False] == wrote


# ---- open rows -------------------------------------------------------------------------------------------------------
def test_open_rows_are_those_with_records_and_no_verdict_by_their_line(path):
    """The line is where an editor shows the row, even below cells that take several lines."""
    table = DecisionTable(
        "stages",
        path,
        [
            row("a", verdict="x"),
            row("b", label="two\nlines"),
            row("c", n_records="0"),
            row("d", label="three\r\nmore\rlines"),
            row("e", n_records=""),
        ],
    )
    assert [(3, "b"), (6, "d"), (9, "e")] == [(line, one["id"]) for line, one in table.open_rows()]
    table.write()
    lines = path.read_bytes().decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert ["b", "d", "e"] == [lines[line - 1].split(",")[0] for line, _ in table.open_rows()]
    assert "params/acme/stages.csv:3" == table.where(3)


def test_an_equals_sign_takes_the_proposals_of_its_row(tmp_path):
    path = tmp_path / "postings.csv"
    path.write_text(
        "id,label,plan,team_proposal,team_verdict,plan_verdict,proposal,reason,confidence,n_records,verdict\n"
        "p1,A,Standard,Support,,,new,r,high,3,=\n"
        "p2,B,Standard,Support,Sales,,new,r,high,3,OK\n"
        "p3,C,Standard,,,,,r,low,3,=\n",
        "utf-8",
    )
    first, second, third = read(path).rows
    assert (first["verdict"], first["team_verdict"], first["plan_verdict"]) == ("new", "Support", "Standard")
    assert (second["verdict"], second["team_verdict"]) == ("new", "Sales")
    assert third["verdict"] == "="
