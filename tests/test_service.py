"""A customer's own local service: started once, found again, told apart from a stranger, and ended."""

import json
import os
import signal
import sys
import textwrap
import threading
import time

import pytest

from lib import service
from lib.errors import ConfigError, UnavailableError

PROGRAM = """
    import json, os, sys, uuid
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from pathlib import Path

    about = {"instance": uuid.uuid4().hex, "env": {"A_KEY": "k", "N": 5}, "lever_url": "http://127.0.0.1/lever"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"instance": about["instance"]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    about["control_url"] = f"http://127.0.0.1:{server.server_port}/_control"
    with Path(sys.argv[1]).open("a") as starts:
        starts.write(f"{os.getpid()}\\n")
    print(json.dumps(about), flush=True)
    server.serve_forever()
"""


@pytest.fixture
def folder(tmp_path):
    """The folder of a customer; whatever was started in it is ended."""
    one = tmp_path / "acme"
    yield one
    service.stop(one)


@pytest.fixture
def command(tmp_path):
    """A small service that notes each of its starts in the file `starts`."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    return ["{python}", str(program), str(tmp_path / "starts")]


def starts(tmp_path):
    return (tmp_path / "starts").read_text().split()


def alive(pid):
    """True while the process runs; one that has ended is reaped, since it is our child."""
    return os.waitpid(pid, os.WNOHANG) == (0, 0)


def test_it_is_started_once_found_again_and_ended(folder, command, tmp_path):
    """The second call finds the first one's process; after the end nothing is left of it."""
    assert service.running(folder) is None
    first = service.ensure(folder, command, cwd=tmp_path)
    assert first == service.ensure(folder, command, cwd=tmp_path) == service.running(folder)
    assert [str(first.about["pid"])] == starts(tmp_path)
    assert {"A_KEY": "k", "N": "5"} == first.env
    assert ["http://127.0.0.1/lever", ""] == [first.url("lever_url"), first.url("ashby_url")]
    assert service.stop(folder) is True
    assert service.stop(folder) is False
    assert service.running(folder) is None
    assert not (folder / "service.json").exists()
    wait_until(lambda: not alive(first.about["pid"]))


def wait_until(holds, seconds=5.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_its_files_are_private_whatever_the_umask(folder, command, tmp_path):
    """service.json holds keys."""
    before = os.umask(0)
    try:
        service.ensure(folder, command, cwd=tmp_path)
    finally:
        os.umask(before)
    assert 0o700 == folder.stat().st_mode & 0o777
    assert {0o600} == {one.stat().st_mode & 0o777 for one in folder.iterdir()}


def test_two_callers_at_once_start_it_only_once(folder, command, tmp_path):
    """Both get the same instance."""
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(service.ensure(folder, command, cwd=tmp_path))) for _ in range(3)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert [found[0].instance] * 3 == [one.instance for one in found]
    assert 1 == len(starts(tmp_path))


def test_a_service_that_died_is_started_anew_as_another_instance(folder, command, tmp_path):
    """What was written to the earlier one is gone, and the instance says so."""
    first = service.ensure(folder, command, cwd=tmp_path)
    os.kill(first.about["pid"], 9)
    os.waitpid(first.about["pid"], 0)
    assert service.running(folder) is None
    assert first.instance != service.ensure(folder, command, cwd=tmp_path).instance
    assert 2 == len(starts(tmp_path))


def test_a_service_that_is_busy_is_neither_started_anew_nor_taken_for_dead(folder, command, tmp_path):
    """What was written to it would be gone: the error names the process, and it can still be ended."""
    first = service.ensure(folder, command, cwd=tmp_path)
    os.kill(first.about["pid"], signal.SIGSTOP)
    with pytest.raises(UnavailableError, match=str(first.about["pid"])):
        service.ensure(folder, command, cwd=tmp_path, patience=0.3)
    assert 1 == len(starts(tmp_path))
    os.kill(first.about["pid"], signal.SIGCONT)
    assert first == service.ensure(folder, command, cwd=tmp_path)
    os.kill(first.about["pid"], signal.SIGSTOP)
    reaper = threading.Thread(target=os.waitpid, args=(first.about["pid"], 0))  # we are its parent here
    reaper.start()
    assert service.stop(folder, patience=0.3) is True
    reaper.join(20)
    assert service.running(folder) is None


def test_a_stranger_at_the_same_address_is_not_ours(folder, command, tmp_path):
    """Another instance answers: it is neither used nor ended."""
    ours = service.ensure(folder, command, cwd=tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "service.json").write_text(json.dumps(ours.about | {"instance": "earlier"}))
    assert service.running(other) is None
    assert service.stop(other) is False
    assert ours == service.running(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", "{}", '{"control_url": 5}', '{"control_url": "ftp://x"}'])
def test_a_damaged_note_is_no_service(tmp_path, text):
    """Whatever stands in service.json, the answer is "not running"."""
    (tmp_path / "service.json").write_text(text)
    assert service.running(tmp_path) is None
    assert service.stop(tmp_path) is False


def test_a_command_that_does_not_exist_is_a_mistake_in_the_params_file(folder, tmp_path):
    """Named, with the customer's name."""
    with pytest.raises(ConfigError, match=r"acme cannot be started .*: no-such-command"):
        service.ensure(folder, ["no-such-command"], cwd=tmp_path)
    assert not (folder / "service.json").exists()


@pytest.mark.parametrize(
    "words", ["import sys; sys.exit('secret-key')", "print('ready')", "print('[1]')", "print('5')", "print('null')"]
)
def test_a_service_that_does_not_say_where_it_is_counts_as_not_started(folder, tmp_path, words):
    """It ended at once, or spoke something else: its log is named, not quoted."""
    with pytest.raises(UnavailableError, match=r"runs/acme/service\.log") as caught:
        service.ensure(folder, [sys.executable, "-c", words], cwd=tmp_path)
    assert "secret-key" not in str(caught.value)
    assert not (folder / "service.json").exists()


def test_a_service_that_stays_silent_is_ended(folder, tmp_path, monkeypatch):
    """After the time it has to get ready it is given up, and no process is left behind."""
    monkeypatch.setattr(service, "READY_WITHIN", 0.3)
    note = tmp_path / "pid"
    words = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(UnavailableError):
        service.ensure(folder, [sys.executable, "-c", words], cwd=tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)
