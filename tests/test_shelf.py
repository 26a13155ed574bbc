"""What a validation remembers on disk: nothing is lost on the way there and back, and nothing is left behind."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib.ashby import CursorExpiredError
from lib.errors import StoreError
from lib.store.nameless import nameless
from lib.validate.shelf import AT_ONCE, Pairs, Scratch, Shelf, scratch
from lib.validate.target import read_target

N = 2 * AT_ONCE + 7


def test_a_shelf_gives_back_what_was_put_there_in_its_order() -> None:
    scratched = Scratch()
    one, other = Shelf(scratched), Shelf(scratched)
    keys = [f"k{number * 7919 % N:05d}" for number in range(N)]
    assert one.put((key, {"n": number}) for number, key in enumerate(keys)) == N == len(one)
    other.put([("k00000", "another shelf")])
    assert list(one) == keys
    assert [key for key, _ in one.by_key()] == sorted(keys)
    assert [item["n"] for item in one.all()] == list(range(N))
    one.put([(keys[3], {"n": "newer"})])
    assert (one[keys[3]], len(one), other["k00000"]) == ({"n": "newer"}, N, "another shelf")
    assert one.get("nobody") is None
    assert "nobody" not in one


def test_keys_that_begin_alike_are_given_and_no_others() -> None:
    shelf = Shelf(Scratch())
    shelf.put((key, key) for key in ("tag", "tag:", "tag:a", "tag:z", "tah", "ta", "tag;", "custom"))
    assert [key for key, _ in shelf.by_key("tag:")] == ["tag:", "tag:a", "tag:z"]


def test_pairs_are_a_set_and_say_who_has_several() -> None:
    pairs = Pairs(Scratch())
    assert not pairs
    for number in range(N):
        pairs.add(f"p{number:05d}")
    for another in ("b", "a", "b"):
        pairs.add("p00003", another)
    assert list(pairs) == [f"p{number:05d}" for number in range(N)]
    assert (len(pairs), pairs.of("p00003"), pairs.of("nobody")) == (N, ["", "a", "b"], [])
    assert list(pairs.shared()) == [("p00003", ["", "a", "b"])]
    assert "p00003" in pairs
    assert "p" not in pairs


def test_half_a_character_in_somebodys_text_is_no_obstacle() -> None:
    """JSON may hold one: SQLite takes no such text."""
    scratched = Scratch()
    shelf, pairs = Shelf(scratched), Pairs(scratched)
    shelf.put([("id", {"name": "\ud83d"})])
    pairs.add("\ud83d@example.org", "id")
    assert shelf["id"] == {"name": "\ud83d"}
    assert pairs.of("\ud83d@example.org") == ["id"]


def test_it_is_shared_by_threads(tmp_path: Path) -> None:
    with scratch(tmp_path) as one:
        shelves = [Shelf(one) for _ in range(4)]
        pairs = Pairs(one)

        def fill(place: int) -> None:
            shelves[place].put((f"{number}", place) for number in range(N))
            for number in range(N):
                pairs.add(f"{number}", f"{place}")

        threads = [threading.Thread(target=fill, args=(place,)) for place in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [set(shelf.all()) for shelf in shelves] == [{0}, {1}, {2}, {3}]
        assert all(others == ["0", "1", "2", "3"] for _, others in pairs.shared())
        assert len(list(pairs.shared())) == N


def test_nothing_has_a_name_in_the_folder(tmp_path: Path) -> None:
    with scratch(tmp_path) as one:
        Shelf(one).put([("id", {"name": "Somebody"})])
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_words_and_without_what_was_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be kept beside the store") as told, scratch(tmp_path) as one:  # noqa: PT012
        one.run("PRAGMA max_page_count = 20")
        Shelf(one).put((f"{number}", "Somebody's words " * 50) for number in range(N))
    assert "disk" in str(told.value)
    assert "Somebody" not in f"{told.value} {told.value.hint}"
    assert told.value.__cause__ is None


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), nameless(tmp_path, ""):
        raise ZeroDivisionError


class Listed:
    """As much of a client as the walk needs: candidates without end, whose cursor is refused once if asked for."""

    def __init__(self, n_people: int, *, refused_at: int = 0) -> None:
        self._n_people, self._refused_at = n_people, refused_at

    def pages(self, endpoint: str, _body: dict[str, Any]) -> Any:
        """Pages of 100."""
        if endpoint != "candidate.list":
            yield SimpleNamespace(results=[])
            return
        for start in range(0, self._n_people, 100):
            if start == self._refused_at > 0:
                self._refused_at = 0
                self._n_people -= 100  # they were deleted meanwhile
                raise CursorExpiredError("The cursor is refused.")
            yield SimpleNamespace(results=[_candidate(number) for number in range(start, start + 100)])


def _candidate(number: int) -> dict[str, Any]:
    name = f"{number:08d}"
    return {"id": f"c{name}", "name": f"Name {name} " * 20, "fileHandles": [{"id": f"f{name}", "name": "a.pdf"}]}


def walked(people: Listed, one: Scratch) -> Any:
    return read_target(people, one, progress=lambda *_: None, workers=1)  # type: ignore[arg-type]


def test_a_walk_that_begins_again_forgets_whom_it_saw_before() -> None:
    found = walked(Listed(400, refused_at=300), Scratch())
    assert len(found.candidates) == 300
    assert "f00000350" not in found.files
    assert "f00000250" in found.files


def test_a_walk_takes_memory_that_does_not_grow_with_the_list(tmp_path: Path) -> None:
    """Ten times the people; kept in memory, each of them would be a kilobyte more."""
    peaks = []
    for n_people in (1_000, 10_000):
        with scratch(tmp_path) as one:
            tracemalloc.start()
            walked(Listed(n_people), one)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] - peaks[0] < 100 * 9_000
