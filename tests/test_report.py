"""The report: nothing of a person in it at the masked level, nothing alive in it, nothing asked for from outside."""

from __future__ import annotations

import base64
import json
import re
import stat
import time
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
from browser import chromium
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lib import report
from lib.errors import ConfigError, GateError
from lib.report import paper, values
from lib.report.export import export

UUID = "550e8400-e29b-41d4-a716-446655440012"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</td></table><iframe src='https://evil.example/x'></iframe>",
    '<a href="javascript:alert(1)">x</a>',
    "<style>@import 'https://evil.example/a.css'</style>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action=https://evil.example><input name=q></form>",
    '"><script src=//evil.example/x.js></script>',
    "{{ 7 * 7 }}{% raw %}<script>1</script>{% endraw %}",
    "[x](javascript:alert(1)) ![y](https://evil.example/p.png)",
    "<math><mi xlink:href='data:text/html,<script>1</script>'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --><script>1</script -->",
    "<object data='data:text/html;base64,PHNjcmlwdD4='></object>",
    "<link rel=stylesheet href=//evil.example/s.css>",
    "<template><script>1</script></template>",
    '<noscript><p title="</noscript><img src=x onerror=1>">',
    "\u202e\u0000<ScRiPt\n>alert(1)</sCrIpT>",
]
CANARIES = [
    "zoe.canary@people.test",
    "ZOE.CANARY+jobs@PEOPLE.TEST",
    "mailto:zoe.canary@people.test",
    "Zoë Canary <zoe.canary@people.test>",
    "zoe.canary＠people.test",
    "+1 (415) 555-0132",
    "+44 20 7946 0958",
    "415-555-0132",
    "(415) 555 0132",
    "0041.44.668.18.00",
    "4155550132",
    "https://linkedin.com/in/zoe-canary",
    "linkedin.com/in/zoe-canary",
    "www.zoe-canary.test/me?x=1",
    "http://zoe-canary.test",
    "github.com/zoe-canary",
]
REMAINS = re.compile(r"canary|555|7946|668\.18", re.I)


class Watcher(HTMLParser):
    """Collects whatever could act, or fetch, in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "form", "base", "svg", "math", "template", "input", "button"):
            self.alive.append(tag)
        for name, value in attrs:
            text = (value or "").strip().lower()
            safe = re.fullmatch(r"data:(,|image/.*)|[\w-]+\.html", text)
            if name.startswith("on") or (
                name in ("src", "href", "action", "srcset", "xlink:href", "style") and not safe
            ):
                self.alive.append(f"{tag} {name}={text[:60]}")
            if tag == "meta" and name == "http-equiv" and text != "content-security-policy":
                self.alive.append(f"meta {text}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def shown(*objects: object, tags: tuple[str, ...] = (), source: str = "people") -> dict:
    """A code cell that was run and shows `objects`."""
    outputs = []
    for one in objects:
        data, metadata = one._repr_mimebundle_()
        outputs.append(new_output("display_data", data=data, metadata=metadata))
    return new_code_cell(source, execution_count=1, outputs=outputs, metadata={"tags": list(tags)})


def executed(folder: Path, *cells: dict, name: str = "03_dedupe", **papermill: object) -> Path:
    """Write an executed notebook and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"start_time": "2026-03-31T12:00:00+00:00", "duration": 61.0, "exception": None} | papermill
    notebook = new_notebook(cells=list(cells), metadata={"papermill": about})
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


@pytest.fixture(autouse=True)
def _no_browser(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Starting a browser takes a second: only the tests of the browser do it."""
    if "browser" not in request.keywords:
        monkeypatch.setenv("PATH", "/nonexistent")


def pages_of(tmp_path: Path, *cells: dict, level: str = "masked") -> str:
    """All pages of a report made of `cells`, as one text."""
    index = export(executed(tmp_path / "notebooks", *cells), tmp_path / "reports", customer="acme", level=level)
    return "".join(path.read_text("utf-8") for path in sorted(index.parent.glob("*.html")))


def alive(text: str) -> list[str]:
    watcher = Watcher()
    watcher.feed(text)
    return watcher.alive


@pytest.mark.parametrize("level", ["masked", "internal"])
@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_text_stays_text_wherever_it_is_shown(tmp_path: Path, payload: str, level: str) -> None:
    """No payload becomes an active node, in any place where text of a candidate may stand."""
    frame = pd.DataFrame([{"lever_id": payload, "label": payload, payload: payload, "severity": payload}])
    cells = [
        new_markdown_cell(f"# {payload}\n\n{payload}"),
        shown(report.headline(payload, {payload: payload})),
        shown(report.table(frame, title=payload)),
        shown(report.table(frame, title=payload, mask=False), tags=("private",)),
        shown(report.gate_banner(False, [payload])),
        shown(report.bars({payload: 3}, title=payload, unit=payload)),
        new_code_cell("1", execution_count=1, outputs=[new_output("error", ename=payload, evalue=payload)]),
        new_code_cell(
            "1",
            execution_count=1,
            outputs=[new_output("display_data", data={"text/html": payload}, metadata={"workbook": {"shared": True}})],
        ),
    ]
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "certificate.json").write_text(json.dumps({payload: payload, "n_differences": {}}))
    text = pages_of(tmp_path, *cells, level=level)
    assert [] == alive(text)
    assert "evil.example" not in re.sub(r">[^<]*<", "><", re.sub(r'(title|alt)="[^"]*"', "", text))


@pytest.mark.parametrize("payload", HOSTILE)
def test_a_figure_keeps_hostile_labels_as_text(payload: str) -> None:
    """The picture is well-formed XML without any script or outside address."""
    label = re.sub(r"[\x00-\x08]", "", payload)
    drawing = ET.fromstring(report.bars({label: 1}, title=label, unit="people").svg())
    tags = {one.tag.rsplit("}", 1)[-1] for one in drawing.iter()}
    assert set() == tags & {"script", "image", "foreignObject", "a", "iframe"}


@pytest.mark.parametrize("canary", CANARIES)
def test_addresses_numbers_and_links_are_masked_by_their_shape(canary: str) -> None:
    """Whatever the sentence around it."""
    for sentence in ("{}", "seen: {}, twice", "({})", "a;{}"):
        assert not REMAINS.search(report.mask_text(sentence.format(canary))), sentence


@pytest.mark.parametrize("text", ["a", "a.", "a ", "1", "1 ", "a@", "aa <", "+(", "x.", "www.", "-"])
def test_masking_takes_linear_time(text: str) -> None:
    """A text of a candidate may be long and odd; nobody can make a report hang with one."""
    began = time.monotonic()
    report.mask_text(text * 20_000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "text",
    [
        UUID,
        f"candidate.create/contact/{UUID}",
        "ab" * 32,
        "2026-03-31 12:00",
        "2026-03-31T12:00:00.123Z",
        "1,234,567 rows",
        "12 of 345 rows",
        "Senior Engineer (C++/Go), 2 of 3",
        "params/acme/stages.csv:12",
        "0.1.2",
    ],
)
def test_ids_dates_and_counts_are_not_masked(text: str) -> None:
    """What a reader needs to find a record stays as it is."""
    assert text == report.mask_text(text)


@pytest.mark.parametrize("canary", [*CANARIES, "Zoë Canary", "4 Canary Street", "dear Canary, hello"])
def test_no_canary_reaches_a_masked_report(tmp_path: Path, canary: str) -> None:
    """Not from personal columns, private cells, foreign outputs, streams, tracebacks, parameters, or source."""
    frame = pd.DataFrame([{"lever_id": UUID, "name": canary, "emails": [canary], "headline": canary, "n_records": 3}])
    foreign = [
        new_output("execute_result", data={"text/html": frame.to_html(), "text/plain": str(frame)}, execution_count=1),
        new_output("stream", name="stdout", text=canary),
        new_output("error", ename="KeyError", evalue=canary, traceback=[canary]),
    ]
    text = pages_of(
        tmp_path,
        new_code_cell(f"customer = {canary!r}", execution_count=1, metadata={"tags": ["injected-parameters"]}),
        shown(report.table(frame, title="People"), source=f"people.query({canary!r})"),
        shown(report.table(frame, title=canary, mask=False), tags=("private",)),
        shown(report.table(frame, title=canary, mask=False)),
        new_code_cell(canary, execution_count=1, outputs=foreign),
    )
    assert [] == REMAINS.findall(text)
    assert f'<code title="{UUID}">550e8400…</code>' in text


@pytest.mark.parametrize("canary", CANARIES)
def test_shapes_are_masked_even_in_columns_and_words_that_nobody_expects(tmp_path: Path, canary: str) -> None:
    """The second net: values of unknown columns, sentences, labels of figures, messages of our own errors."""
    text = pages_of(
        tmp_path,
        new_markdown_cell(f"# About {canary}\n\n{canary}"),
        shown(report.headline(f"{canary} moved", {f"of {canary}": 1})),
        shown(report.table([{"odd": canary, "detail": {"x": canary}}], title="Odd")),
        shown(report.gate_banner(False, [f"{canary} is not decided"])),
        shown(report.bars({canary: 2}, title="People", unit="people")),
        new_code_cell("1", execution_count=1, outputs=[new_output("error", ename="GateError", evalue=canary)]),
    )
    pictures = "".join(base64.b64decode(one).decode() for one in re.findall(r"svg\+xml;base64,([\w+/=]+)", text))
    assert [] == REMAINS.findall(re.sub(r"base64,[\w+/=]+", "", text) + re.sub(r"<path[^>]*>", "", pictures))


def test_a_stranger_error_is_named_but_not_quoted(tmp_path: Path) -> None:
    """The message of an error that is not ours may hold anything."""
    errors = [
        new_output("error", ename="KeyError", evalue="Zoë Canary"),
        new_output("error", ename="GateError", evalue="params/acme/stages.csv:3: no verdict."),
    ]
    text = pages_of(tmp_path, new_code_cell("1", execution_count=1, outputs=errors))
    assert "KeyError" in text
    assert "stages.csv:3" in text
    assert [] == REMAINS.findall(text)


def test_the_internal_report_shows_private_cells_and_says_so(tmp_path: Path) -> None:
    """It goes into a folder of its own, so that it is not passed on by mistake."""
    frame = pd.DataFrame([{"name": "Zoë Canary"}])
    text = pages_of(tmp_path, shown(report.table(frame, title="Who", mask=False), tags=("private",)), level="internal")
    assert "Zoë Canary" in text
    assert "Internal: this page shows personal data" in text
    assert ["06_validate"] == re.findall("06_validate", text)[:1]
    assert not (tmp_path / "reports" / "index.html").exists()
    assert (tmp_path / "reports" / "internal" / "index.html").is_file()


def test_an_unknown_level_is_refused(tmp_path: Path) -> None:
    """A mistyped level must not fall back to the open one."""
    with pytest.raises(ConfigError):
        export(tmp_path, tmp_path, customer="acme", level="open")


def test_no_code_and_no_parameters_are_in_a_page(tmp_path: Path) -> None:
    """Readers of a report read results."""
    cells = [
        new_markdown_cell("## Whose data?"),
        new_code_cell("customer = 'acme_secret'", execution_count=1, metadata={"tags": ["parameters"]}),
        new_markdown_cell("## How many?"),
        shown(report.headline("Two people."), source="report.headline(very_secret_source)"),
        new_markdown_cell("## Where next?\n\n`04_map`"),
    ]
    text = pages_of(tmp_path, *cells)
    assert "secret" not in text
    assert "Whose data?" not in text
    assert "How many?" in text
    assert "Two people." in text


def test_pages_forbid_everything_but_their_own_pictures_and_styles(tmp_path: Path) -> None:
    """The policy stands in every page, before anything that it governs."""
    pages_of(tmp_path, shown(report.headline("Done.")))
    for path in (tmp_path / "reports").glob("*.html"):
        head = path.read_text("utf-8")[:400]
        assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in head, path.name


def test_what_is_written_is_private(tmp_path: Path) -> None:
    """Files 0600, folders 0700: sharing is a deed of its own."""
    pages_of(tmp_path, shown(report.headline("Done.")))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "reports").iterdir()}
    assert {0o600} == modes
    assert 0o700 == stat.S_IMODE((tmp_path / "reports").stat().st_mode)


def test_the_overview_tells_each_step(tmp_path: Path) -> None:
    """Status, begin, length and headline of each; those that were not run are named as such."""
    folder = tmp_path / "notebooks"
    executed(folder, new_markdown_cell("# Audit"), shown(report.headline("Much is there.")), name="01_audit")
    loud = new_markdown_cell("<span>An Exception</span>", metadata={"tags": ["papermill-error-cell-tag"]})
    error = new_output("error", ename="GateError", evalue="stages:\nline 3")
    failed = new_code_cell("1", execution_count=1, outputs=[error])
    executed(folder, loud, new_markdown_cell("# Map"), failed, name="04_map", start_time="2026-03-31T12:10:00+00:00")
    picture = report.call_mix({"candidate.create": 1})
    executed(
        folder, new_markdown_cell("# Load"), shown(report.headline("Old news.", {"old": 7}), picture), name="05_load"
    )
    text = export(folder, tmp_path / "reports", customer="acme").read_text("utf-8")
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr>.*?</tr>", text, re.S)][1:]
    assert ["01_audit", "done", "2026-03-31", "12:00", "1", "min", "1", "s", "Much", "is", "there."] == rows[0]
    assert ["02_extract", "not", "run", "–", "–"] == rows[1]
    assert ["04_map", "stopped", "2026-03-31", "12:10", "1", "min", "1", "s", "stages"] == rows[3]
    assert ["05_load", "from", "an", "earlier", "run"] == rows[4][:5]
    assert "The migration is not finished." in text
    assert "It stopped in “Map”" in text
    assert "An Exception" not in text + (tmp_path / "reports" / "04_map.html").read_text("utf-8")
    assert "<img" not in text
    assert ">7<" not in text


def test_a_closed_gate_is_shown_and_then_raised(capsys: pytest.CaptureFixture[str]) -> None:
    """The reasons stand in the banner, one by one; an open gate is shown too."""

    def closed(found: list[str]) -> None:
        raise GateError(f"{len(found)} checks are red: {'; '.join(found)}.", hint="Mend them.")

    with pytest.raises(GateError):
        report.gate(closed, ["a is not so", "b is not so"])
    said = capsys.readouterr().out
    assert ["Gate closed: 2 checks are red.", "a is not so", "b is not so", "Mend them."] == said.strip().split("\n")
    assert report.gate(lambda found: None, []).about["ok"] is True


def test_candidacies_are_counted_the_same_way_on_both_sides() -> None:
    """By place and month; in Ashby only those that carry our marker."""
    reasons = [{"id": "r1", "type": "hired"}, {"id": "r2", "type": "non-hired"}]
    march = 1_774_958_400_000
    opportunities = [
        {"applications": [], "createdAt": march, "stage": "lead-new"},
        {"applications": ["a"], "createdAt": march, "stage": "lead-new"},
        {"applications": ["a"], "createdAt": march, "stage": {"id": "offer"}},
        {"applications": ["a"], "createdAt": march, "stage": "offer", "archived": {"reason": "r1"}},
        {"applications": ["a"], "createdAt": march, "stage": "offer", "archived": {"reason": "r2"}},
    ]
    before = report.tally_lever(opportunities, reasons)
    assert {"Without posting": 1, "Lead": 1, "Active": 1, "Hired": 1, "Archived": 1} == before.standing
    assert {"2026-03": 4} == before.months

    marker = [{"title": "Lever opportunity ID", "value": UUID}]
    moved = {"status": "Hired", "createdAt": "2026-03-31T12:00:00.000Z", "customFields": marker}
    page = SimpleNamespace(results=[moved, {"status": "Lead", "createdAt": "2026-04-01T00:00:00.000Z"}])
    after = report.tally_ashby([page, page])
    assert {"Hired": 2} == after.standing
    assert {"2026-03": 2} == after.months


@pytest.mark.parametrize(
    ("certificate", "title"),
    [
        ({}, "The migration is not certified yet."),
        ({"ok": True, "n_differences": {"critical": 0, "warning": 2}}, "Everything that should arrive has arrived."),
        ({"ok": False, "n_differences": {"critical": 0}}, "Validation is red."),
        ({"ok": True, "n_differences": {"critical": 1}}, "Validation is red."),
        ({"n_differences": {"critical": 0}}, "Validation is red."),
        (
            {"ok": False, "n_differences": {"critical": 0}, "n_refused": 1},
            "1 record was refused by Ashby and set aside.",
        ),
        (
            {"ok": True, "n_differences": {"critical": 0}, "n_refused": 1200, "n_waiting": 3},
            "1,200 records were refused by Ashby and set aside; 3 more wait for them.",
        ),
        ({"ok": False, "n_differences": {"critical": 2}, "n_refused": 2}, "2 records were refused by Ashby and set"),
    ],
)
def test_the_verdict_is_the_certificates(tmp_path: Path, certificate: dict, title: str) -> None:
    """Green only when validation says so and nothing critical is left."""
    (tmp_path / "reports").mkdir()
    if certificate:
        (tmp_path / "reports" / "certificate.json").write_text(json.dumps(certificate))
    text = pages_of(tmp_path, shown(report.headline("x")))
    assert title in text
    assert ("has arrived" in text) == (title == "Everything that should arrive has arrived.")


def test_the_certificate_is_shown_with_its_counts(tmp_path: Path) -> None:
    """Scalars as facts, rows as a table."""
    (tmp_path / "reports").mkdir()
    about = {"plan_hash": "ab" * 32, "counts": [{"object": "people", "lever": 1234, "ashby": 1234}]}
    (tmp_path / "reports" / "certificate.json").write_text(json.dumps(about))
    text = pages_of(tmp_path, shown(report.headline("x")))
    assert f"<dt>Plan hash</dt><dd>{'ab' * 32}</dd>" in text
    assert '<td>people</td><td class="wb-right">1,234</td>' in text


def test_the_overview_repeats_the_pictures_of_the_notebooks(tmp_path: Path) -> None:
    """Those that compare before and after, once each, and none from a private cell."""
    funnel = report.pipeline_funnel({"Active": 1}, {"Active": 1})
    hidden = report.records_by_month({"2026-01": 2}, {"2026-01": 2})
    pages_of(tmp_path, shown(funnel), shown(hidden, tags=("private",)))
    assert 1 == (tmp_path / "reports" / "index.html").read_text("utf-8").count("<img ")


def test_without_a_browser_the_overview_says_that_there_is_no_pdf(tmp_path: Path) -> None:
    """And an old PDF does not stay beside new pages."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.pdf").write_bytes(b"old")
    text = pages_of(tmp_path, shown(report.headline("x")))
    assert "No Chromium was found" in text
    assert not (tmp_path / "reports" / "report.pdf").exists()


def test_a_table_shows_few_rows_and_says_how_many_there_are() -> None:
    """Twelve by default."""
    shown_table = report.table(pd.DataFrame({"n_records": range(1234)}), title="Records")
    assert "Records (first 12 of 1,234 rows)" == repr(shown_table)
    assert 12 + 1 == shown_table.markup.count("<tr>")
    assert "Records (no rows)" == repr(report.table([], title="Records"))
    assert "Records (1 row)" == repr(report.table([{"x": None}], title="Records"))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_records", 1234567, "1,234,567"),
        ("share", 1.0, "100 %"),
        ("share", 0.99999, "99.999 %"),
        ("share", 0.5, "50.0 %"),
        ("share", 0.0, "0 %"),
        ("bytes", 3_400_000, "3.4 MB"),
        ("seconds", 3725.0, "1 h 2 min"),
        ("at_ms", 1_774_958_400_000, "2026-03-31 12:00"),
        ("x", float("nan"), "–"),
        ("x", pd.NaT, "–"),
        ("x", "", "–"),
        ("ok", True, "yes"),
        ("x", ["a", "b"], "a, b"),
        ("x", pd.Timestamp("2026-03-31 12:00", tz="UTC"), "2026-03-31 12:00"),
    ],
)
def test_values_are_told_in_the_unit_of_their_column(name: str, value: object, expected: str) -> None:
    """A share below one is never rounded up to all."""
    assert expected == values.plain(value, name=name)


def test_figures_say_in_words_what_they_show() -> None:
    """For those who do not see them, with the numbers."""
    pictures = [
        report.pipeline_funnel(pd.Series({"Active": 3}), pd.DataFrame({"stage": ["Active"], "n": [2]})),
        report.records_by_month({"2025-12": 1, "2026-02": 2}, {"2025-12": 1}),
        report.forecast_against_actual(pd.DataFrame([{"measure": "calls", "forecast": 200, "actual": 210}])),
        report.differences_by_field(pd.DataFrame([{"field": "phone", "n_expected": 9, "n_equal": 8}])),
        report.call_mix({"candidate.create": 7}),
        report.people_match({"contacts": 5, "people": 4}),
    ]
    assert [
        "Where candidacies stand, before and after, Lever and Ashby. Active: 3 and 2.",
        "Records by month of creation: 3 months, 1 of them differ between Lever and Ashby.",
        "Actual in percent of the forecast. calls: 105 %.",
        "Fidelity by field: 1 of the 1 fields shown have a difference.",
        "Calls by endpoint (calls). candidate.create: 7.",
        "From contacts to people (contacts, people). contacts: 5; people: 4.",
    ] == [picture.alt for picture in pictures]
    assert all(picture.figure.axes for picture in pictures)


def test_a_figure_without_data_is_drawn_all_the_same() -> None:
    """An empty account is no reason to stop."""
    empty = pd.DataFrame(columns=["measure", "forecast", "actual", "field", "n_expected", "n_equal"])
    for picture in (
        report.pipeline_funnel({}, {}),
        report.records_by_month({}, {}),
        report.forecast_against_actual(empty),
        report.differences_by_field(empty),
        report.call_mix(pd.DataFrame()),
    ):
        assert picture.svg().startswith(b"<?xml")


def test_equal_figures_are_equal_bytes() -> None:
    """So that two runs can be compared."""
    assert report.call_mix({"a": 1}).svg() == report.call_mix({"a": 1}).svg()


@pytest.mark.browser
def test_pages_open_without_any_request_and_print(tmp_path: Path) -> None:
    """In a real browser: no request leaves the file, nothing is refused, and the PDF is there."""
    cells = [
        new_markdown_cell("# Validate"),
        shown(report.headline("All there.", {"people": 3})),
        shown(report.table([{"lever_id": UUID, "severity": "critical"}], title="Rows")),
        shown(report.pipeline_funnel({"Active": 1}, {"Active": 1})),
        *(shown(report.table([{"label": payload}], title=payload)) for payload in HOSTILE),
    ]
    index = export(executed(tmp_path / "n", *cells), tmp_path / "r", customer="acme")
    seen: list[str] = []
    with chromium() as browser:
        tab = browser.new_page()
        tab.on("request", lambda request: seen.append(request.url))
        tab.on("console", lambda message: seen.append(message.text))
        tab.on("pageerror", lambda error: seen.append(str(error)))
        for path in sorted(index.parent.glob("*.html")):
            tab.goto(path.as_uri(), wait_until="load")
            assert 0 == tab.evaluate("document.querySelectorAll('script, iframe, [onerror], [onload]').length")
            assert tab.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    outside = [one for one in seen if not one.startswith(("file://", "data:"))]
    assert [] == outside
    assert b"%PDF" == (index.parent / "report.pdf").read_bytes()[:4]
    assert paper.EXPECTED in index.read_text("utf-8")
