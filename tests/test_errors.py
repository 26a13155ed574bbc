"""The error tree: what is drawn at its top is what the classes are."""

import inspect
import re

import pytest

from lib import errors
from lib.errors import ApiError, RetryableError, UnknownOutcomeError, WorkbookError


def drawn():
    """{class: (parent, exit code or None)} as the docstring of lib.errors draws them."""
    tree, above = {}, []
    for line in errors.__doc__.splitlines():
        found = re.match(r"^( *)(\+ )?([A-Z]\w+Error)(?: +\((\d)\))?(?: |$)", line)
        if found:
            depth = (len(found[1]) // 2 + 1) if found[2] else 0
            above[depth:] = [found[3]]
            tree[found[3]] = (above[depth - 1] if depth else "Exception", int(found[4]) if found[4] else None)
    return tree


CLASSES = {name: one for name, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == "lib.errors"}


def test_the_drawn_tree_names_every_class_and_no_other():
    """The picture is complete."""
    assert set(CLASSES) == set(drawn())


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_each_class_stands_where_it_is_drawn_and_has_the_drawn_exit_code(name):
    """Parent and exit code of each class are those of the picture; without a figure the parent's holds."""
    parent, code = drawn()[name]
    assert parent == CLASSES[name].__bases__[0].__name__
    if code is not None:
        assert code == CLASSES[name].exit_code
    elif name not in ("WorkbookError", "ApiError"):
        assert CLASSES[parent].exit_code == CLASSES[name].exit_code


def test_exit_codes_are_those_of_the_agreement():
    """0 is done and 1 is ours; nothing else than 1 to 5 is ever used."""
    assert {1, 2, 3, 4, 5} == {one.exit_code for one in CLASSES.values()}
    assert (1, 2, 3, 4, 4, 4, 5, 4) == tuple(
        CLASSES[f"{name}Error"].exit_code
        for name in ("Workbook", "Config", "Gate", "Store", "UnknownOutcome", "Retryable", "Rejected", "Fatal")
    )


def test_an_unknown_outcome_is_not_an_api_error():
    """Code that retries or sets aside by ApiError can never catch a write whose outcome is open."""
    assert not issubclass(UnknownOutcomeError, ApiError)


def test_a_message_and_its_hint_are_read_together():
    """What happened and what to do stand in one line; without a hint no space is left over."""
    assert "It broke. Mend it." == str(WorkbookError("It broke.", hint="Mend it."))
    assert "It broke." == str(WorkbookError("It broke."))


def test_facts_travel_beside_the_message():
    """Wait, status, code and request id are attributes: nobody has to read them out of a text."""
    error = RetryableError("Later.", wait=2.5, status=429, code="slow", request_id="R1")
    assert (2.5, 429, "slow", "R1") == (error.wait, error.status, error.code, error.request_id)
