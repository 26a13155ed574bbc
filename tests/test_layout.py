"""The house stays small and one-way: who may import whom, how long things may be, what stands beside what."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = {
    "errors": set(),
    "pool": set(),
    "contracts": set(),
    "contract": {"errors"},
    "normalize": {"errors"},
    "transport": {"errors"},
    "params": {"errors", "transport"},
    "disk": {"errors"},
    "decisions": {"errors", "normalize", "disk"},
    "grid": {"errors", "decisions"},
    "store": {"errors"},
    "report": {"errors", "normalize", "disk"},
    "checks": {"errors"},
    "lever": {"errors", "transport"},
    "oauth": {"errors", "transport", "disk"},
    "ashby": {"errors", "transport", "contract"},
    "service": {"errors", "transport"},
    "audit": {"errors", "contract", "lever", "ashby"},
    "extract": {"errors", "contract", "lever", "store", "pool"},
    "export_files": {"errors", "contract", "store", "extract"},
    "dedupe": {"errors", "normalize"},
    "mapping": {"errors", "normalize", "contract"},
    "load": {"errors", "contract", "ashby", "store", "pool"},
    "validate": {"errors", "contract", "ashby", "store", "pool", "normalize"},
    "recover": {"errors", "ashby", "store", "pool", "normalize", "mapping", "load"},
    "workbook": {"errors", "params", "decisions", "service", "lever", "oauth", "ashby", "store", "transport", "disk"},
    "steps": {
        "errors", "workbook", "decisions", "ashby", "store", "normalize",
        "audit", "extract", "dedupe", "mapping", "load", "validate", "recover", "export_files", "contract", "grid",
    },
    "batch": {"errors", "workbook", "disk"},
    "connecting": {"errors", "params", "workbook", "oauth", "transport"},
    "plans": {"errors", "params", "workbook", "store"},
    "newcomer": {"errors", "params", "workbook"},
    "cli": {
        "errors", "params", "service", "workbook", "batch", "connecting", "newcomer", "plans", "report", "store",
        "steps", "recover",
    },
}  # fmt: skip
OWNERS = {
    "requests": {"transport"},
    "urllib3": {"transport"},
    "stamina": {"transport"},
    "sqlalchemy": {"store"},
    "psycopg": {"store"},
    "great_expectations": {"checks"},
    "papermill": {"batch"},
    "yaml": {"params"},
    "matplotlib": {"report"},
    "nbconvert": {"report"},
    "jinja2": {"report"},
    "ipywidgets": {"grid"},
    "scipy": {"dedupe"},
    "phonenumbers": {"normalize"},
    "email_validator": {"normalize"},
    "nh3": {"normalize", "report"},
    "anyascii": {"normalize"},
    "typer": {"cli"},
    "fastjsonschema": {"contract"},
}
STEPS = {"audit", "extract", "dedupe", "mapping", "load", "validate"}


def _sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT / "lib").with_suffix("").parts
    return parts[0]


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" if node.module == "lib" else node.module for alias in node.names}
    return names


def test_every_module_has_its_row_in_the_table_of_imports() -> None:
    assert {_module(path) for path in _sources("lib")} - {"__init__"} <= set(ALLOWED)


@pytest.mark.parametrize("path", _sources("lib"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_only_one_way(path: Path) -> None:
    module = _module(path)
    used = {name.split(".")[1] for name in _imports(path) if name.startswith("lib.")} - {"__version__"}
    assert used - ALLOWED.get(module, set()) - {module} == set()


def test_steps_never_import_steps() -> None:
    for step in STEPS:
        assert ALLOWED[step] & STEPS == set()


@pytest.mark.parametrize("library", OWNERS)
def test_each_outside_library_has_one_owner(library: str) -> None:
    users = {_module(path) for path in _sources("lib") for name in _imports(path) if name.split(".")[0] == library}
    assert users <= OWNERS[library]


def test_the_sandbox_and_lib_share_no_code() -> None:
    for path in _sources("lib"):
        assert not [name for name in _imports(path) if name.split(".")[0] == "sandbox"], path
    for path in _sources("sandbox"):
        assert not [name for name in _imports(path) if name.split(".")[0] == "lib"], path


@pytest.mark.parametrize("path", _sources("lib") + _sources("sandbox"), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno <= 50, f"{node.name} in {path.name}"


def test_every_module_has_a_test() -> None:
    tests = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    modules = set(ALLOWED) - {"contracts"}
    assert {name for name in modules if f"test_{name}" not in tests} == set()


def _requirements() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    plain = [re.sub(r"\[.*\]", "", line.split(";")[0]).strip() for line in project["dependencies"]]
    return {re.match(r"[A-Za-z0-9_.-]+", line).group(): re.sub(r"^[A-Za-z0-9_.-]+", "", line) for line in plain}


CONDA = {"matplotlib": "matplotlib-base", "fastjsonschema": "python-fastjsonschema"}  # names on conda-forge


def _conda() -> tuple[list[str], dict[str, str]]:
    lines = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    plain = [line for line in lines if isinstance(line, str)]
    return plain, {re.match(r"[a-z0-9_.-]+", line).group(): re.sub(r"^[a-z0-9_.-]+", "", line) for line in plain}


def test_environment_yml_has_the_same_packages_and_ranges_as_pyproject() -> None:
    _, conda = _conda()
    wanted = {CONDA.get(name, name): text for name, text in _requirements().items()}
    assert wanted.pop("uvloop")  # not on every conda platform; `pip: -e .` brings it where there is one
    assert wanted.pop("nicknames")  # not on conda-forge; `pip: -e .` brings it
    assert conda.pop("pip") == ""
    assert conda.pop("python") == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert conda == wanted


def test_each_line_of_environment_yml_is_a_conda_spec_that_allows_the_tested_version() -> None:
    rattler = pytest.importorskip("rattler")
    lock = dict(re.findall(r"^([a-z0-9_.-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    lines, _ = _conda()
    for line in lines:
        spec = rattler.MatchSpec(line)
        name = spec.name.normalized if spec.name else ""
        tested = lock.get({theirs: ours for ours, theirs in CONDA.items()}.get(name, name))
        if tested and spec.version is not None:
            assert rattler.VersionSpec(str(spec.version)).matches(rattler.Version(tested)), line


def test_the_lock_has_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert text.count("--hash=sha256:") > 500
    assert re.search(r"https?:|@ |--index|--find-links", text) is None


def test_nothing_in_the_repository_names_the_place_where_it_was_made() -> None:
    words = ["/" + "work/", "python" + "hosted", "py" + "pi.org", "registry." + "npm"]
    for path in [*_sources("lib"), *_sources("sandbox"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*.*")]:
        if path.is_file() and path.suffix in (".py", ".md", ".toml", ".yml", ".yaml", ".lock"):
            text = path.read_text("utf-8")
            assert [word for word in words if word in text] == [], path
