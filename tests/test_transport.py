"""The one way out: what every odd server leads to, what never leaves this machine, and how fast we go."""

import base64
import gzip
import io
import itertools
import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

import pytest
from conftest import most_in
from odd_server import OddServer, http, reset, serving
from requests.structures import CaseInsensitiveDict

from lib import transport
from lib.errors import (
    ConfigError,
    FatalError,
    RateLimitedError,
    RejectedError,
    StoreError,
    UnavailableError,
    UnknownOutcomeError,
)
from lib.transport import (
    LONGEST_WAIT,
    Limits,
    Masker,
    Pacer,
    Patience,
    Reply,
    Transport,
    check_url,
    host_allowed,
    ping,
    retry_after,
)
from lib.transport import pacer as pacing

KEY = "key-of-nobody"


@pytest.fixture
def server():
    with serving() as one:
        yield one


@pytest.fixture
def sender():
    made = []

    def make(**limits):
        one = Transport("Odd", pacer=Pacer(10_000, burst=100), limits=Limits(**{"connect": 1.0, "read": 1.0} | limits))
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def trickle(connection):
    """A body that never stops coming, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 Odd\r\ncontent-length: 100000\r\n\r\n")
    for _ in range(400):
        connection.sendall(b".")
        time.sleep(0.01)


def chunked_trickle(connection):
    """The same as one large chunk."""
    connection.sendall(b"HTTP/1.1 200 Odd\r\ntransfer-encoding: chunked\r\n\r\n186a0\r\n")
    for _ in range(400):
        connection.sendall(b".")
        time.sleep(0.01)


def silent(connection):
    """An answer that does not come."""
    connection.settimeout(2)
    connection.recv(1)


def half_then_reset(connection):
    """Half of the body, then a cut."""
    connection.sendall(http(body=b"x" * 1000)[:-500])
    time.sleep(0.02)
    reset(connection)


ODD = {
    "cut without a byte": (reset, {}),
    "closed without a byte": (lambda connection: None, {}),
    "cut in the body": (half_then_reset, {}),
    "shorter than its length": (http(body=b"{}", content_length="200", close=True), {}),
    "chunks without an end": (
        b"HTTP/1.1 200 Odd\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nabcde\r\n",
        {},
    ),
    "chunks that are none": (
        b"HTTP/1.1 200 Odd\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\nabcde\r\n",
        {},
    ),
    "not gzip": (http(body=b"no gzip at all", content_encoding="gzip"), {}),
    "not HTTP": (lambda connection: connection.sendall(b"SSH-2.0-odd\r\n"), {}),
    "too large": (http(body=b"x" * 5000), {"max_bytes": 4000}),
    "too large when unpacked": (http(body=gzip.compress(b"x" * 500_000), content_encoding="gzip"), {"max_bytes": 4000}),
    "a trickle": (trickle, {"total": 0.1}),
    "a trickle in one chunk": (chunked_trickle, {"total": 0.1}),
    "silence": (silent, {"read": 0.1}),
    "an endless header line": (http(body=b"{}", x="y" * 70_000), {}),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("writes", [False, True], ids=["read", "write"])
def test_a_broken_answer_is_retryable_for_a_read_and_unknown_for_a_write(server, sender, name, writes):
    """Whatever was lost on the way back: a read changes nothing, a write may have been applied."""
    script, limits = ODD[name]
    server.says(script)
    began = time.monotonic()
    with pytest.raises(UnknownOutcomeError if writes else UnavailableError) as caught:
        sender(**limits).send("POST", f"{server.url}/x", writes=writes, auth=(KEY, ""), data=b"{}")
    assert 1 == len(server.asked)
    assert time.monotonic() - began < 1.0
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("writes", [False, True], ids=["read", "write"])
def test_a_refused_connection_is_surely_not_sent(sender, writes):
    """No byte can have left: even a write may be sent again."""
    with pytest.raises(UnavailableError, match="cannot be reached"):
        sender().send("POST", f"http://127.0.0.1:{closed_port()}/x", writes=writes, data=b"{}")


def test_a_name_that_does_not_resolve_is_surely_not_sent(sender):
    """The same for a host that is not there."""
    with pytest.raises(UnavailableError, match="cannot be reached"):
        sender().send("POST", "https://nowhere.invalid/x", writes=True, data=b"{}")


def test_tls_that_nobody_vouches_for_is_fatal(sender, tmp_path):
    """A self-signed certificate is refused, for reads and writes, and no retry is made of it."""
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    for writes in (False, True):
        with pytest.raises(FatalError, match="certificate was refused"):
            sender().send("POST", f"https://127.0.0.1:{listener.getsockname()[1]}/", writes=writes, data=b"{}")
    thread.join(5)
    listener.close()


def _certificate(folder):
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl here")
    names = [folder / "cert.pem", folder / "key.pem"]
    line = f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -out {names[0]} -keyout {names[1]}"
    subprocess.run([openssl, *line.split()], check=True, capture_output=True, timeout=20)
    return names


def test_a_dead_kept_connection_makes_a_write_unknown_and_is_not_retried_silently(server, sender):
    """The server closes an idle connection: urllib3 may not send a write a second time by itself."""
    one = sender()
    server.says(http(body={}))
    one.send("GET", server.url)
    server.says(reset)
    with pytest.raises(UnknownOutcomeError):
        one.send("POST", server.url, writes=True, data=b"{}")
    assert 1 == len(server.asked)


def test_connections_are_kept_and_used_again(server, sender):
    """Ten calls, one connection: bodies of known length, in chunks, packed, and empty."""
    one = sender()
    chunks = b"HTTP/1.1 200 Odd\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    for script in (http(body={}), chunks, http(body=gzip.compress(b"{}"), content_encoding="gzip"), http(body=b"")) * 3:
        server.says(script)
        assert one.send("GET", server.url).content in (b"{}", b"")
    assert 1 == server.n_connections
    assert 12 == one.n_calls


def test_bytes_behind_the_told_length_are_never_part_of_an_answer(server, sender):
    """A second answer smuggled behind the first is not given to the next call."""
    one = sender()
    server.says(http(body=b'{"n":1}') + http(body=b'{"smuggled":1}'), http(body=b'{"n":2}'))
    assert b'{"n":1}' == one.send("GET", server.url).content
    time.sleep(0.02)
    assert b'{"n":2}' == one.send("GET", server.url).content


def test_a_body_goes_to_the_sink_only_when_it_is_a_good_one(server, sender):
    """An error page never ends up in a file."""
    sink = io.BytesIO()
    server.says(http(503, b"sorry"))
    assert b"sorry" == sender().send("GET", server.url, sink=sink).content
    assert b"" == sink.getvalue()
    server.says(http(200, b"bytes"))
    assert b"" == sender().send("GET", server.url, sink=sink).content
    assert b"bytes" == sink.getvalue()


def test_a_full_disk_is_not_the_servers_fault(server, sender):
    """Writing a download fails: StoreError, which no retry loop takes for a network problem."""
    server.says(http(200, b"bytes"))
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(StoreError, match="No space left"):
        sender().send("GET", server.url, sink=full)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_never_followed(server, sender, status):
    """A redirect is an answer; who asked decides."""
    server.says(http(status, location=f"{server.url}/elsewhere"))
    assert status == sender().send("GET", server.url, auth=(KEY, "")).status
    assert 1 == len(server.asked)


def test_cookies_are_not_kept(server, sender):
    """Nothing that a server sets comes back to it."""
    one = sender()
    server.says(http(body={}, set_cookie="id=1; Path=/"))
    one.send("GET", server.url)
    one.send("GET", server.url)
    assert "cookie" not in server.asked[1].headers


def test_the_environment_cannot_change_where_keys_go(server, sender, tmp_path, monkeypatch):
    """Proxies and a netrc file are not looked at."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login stranger password secret\n")
    netrc.chmod(0o600)
    dead = f"http://127.0.0.1:{closed_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, dead)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.says(http(body={}))
    assert 200 == sender().send("GET", server.url).status
    assert "authorization" not in server.asked[0].headers
    assert {} == ping(server.url)


# ---- addresses -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        "http://api.lever.co/v1",
        "http://10.0.0.1/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://169.254.169.254/latest/meta-data",
        "ftp://api.lever.co/",
        "file:///etc/passwd",
        "//api.lever.co/v1",
        "api.lever.co/v1",
        "https://",
        "https:///v1",
        "https://[bad",
        "https://api.lever.co:99999/",
        "https://key:secret@api.lever.co/",
        "https://evil.example\\@api.lever.co/",
        "https://evil.example\t@api.lever.co/",
        "https://api.lever.co/\r\nX: y",
        "",
    ],
)
def test_what_is_not_a_plain_https_address_is_refused(sender, url):
    """Refused before anything is sent, and without showing what may be a password."""
    with pytest.raises(ConfigError) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError):
        sender().send("GET", url, auth=(KEY, ""))
    assert not host_allowed(url, ["*", "api.lever.co", "*.lever.co"])


@pytest.mark.parametrize(
    "url", ["https://api.lever.co/v1", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:9/"]
)
def test_https_and_this_very_machine_are_allowed(url):
    """Plain http reaches nobody but ourselves."""
    assert check_url(url) is None


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://files.lever.co/a b.pdf", True),
        ("https://FILES.Lever.CO/a", True),
        ("https://files.lever.co:8443/a", True),
        ("https://lever.co/a", False),
        ("https://files.lever.co.evil.example/a", False),
        ("https://evil.example/files.lever.co", False),
        ("https://evil.example?x.lever.co", False),
        ("https://evil.example#x.lever.co", False),
        ("https://evil.example\\@x.lever.co/a", False),
        ("https://x.lever.co@evil.example/a", False),
        ("https://evil.example:443@x.lever.co/a", False),
        ("https://evil.example/\\x.lever.co", False),
        ("https://evil.example%2fx.lever.co/", False),
        ("http://files.lever.co/a", False),
        ("http://127.0.0.1/a", False),
        ("http://169.254.169.254/a", False),
        ("https://[::1]/a", False),
        ("javascript:alert(1)//x.lever.co", False),
        ("data:text/html,x.lever.co", False),
    ],
)
def test_only_hosts_on_the_list_are_allowed(url, allowed):
    """However the address is written, the host that would be connected to is the one that counts."""
    assert allowed is host_allowed(url, ["*.lever.co"])


def test_loopback_needs_its_own_entry():
    """A redirect to this machine is followed only where the list says so, port included."""
    assert not host_allowed("http://127.0.0.1:80/", ["127.0.0.1:81"])
    assert host_allowed("http://127.0.0.1:81/", ["127.0.0.1:81"])


def test_errors_of_foreign_addresses_show_no_path(sender):
    """A storage path may hold a person's file name; the paths of the APIs hold only ids."""
    with pytest.raises(UnavailableError) as caught:
        sender().send("GET", f"http://127.0.0.1:{closed_port()}/jane-roe-cv.pdf?sig=abc")
    assert "jane" not in str(caught.value)
    assert "abc" not in str(caught.value)
    with pytest.raises(UnavailableError, match=r"/candidate\.info"):
        sender().send("GET", f"http://127.0.0.1:{closed_port()}/candidate.info?x=abc", auth=(KEY, ""))


# ---- what a server asks for --------------------------------------------------------------------------------------
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 2.5 ", 2.5),
        ("0", 0.0),
        ("-7", 0.0),
        ("86400", LONGEST_WAIT),
        ("1e300", LONGEST_WAIT),
        ("inf", LONGEST_WAIT),
        ("-inf", 0.0),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("3; 4", None),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30.0),
        ("Sat, 31 Jan 2026 12:00:30 -0000", 30.0),
        ("31 Jan 2026 12:00:30", 30.0),
        ("Sat, 31 Jan 2026 13:00:30 +0100", 30.0),
        ("Saturday, 31-Jan-26 12:00:30 GMT", 30.0),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0.0),
        ("Sat, 31 Jan 2036 12:00:30 GMT", LONGEST_WAIT),
        ("Sat, 31 Jan 99999999999999999999 12:00:30 GMT", None),
        ("Sat, 99 Xyz 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_in_all_its_forms_and_capped(value, seconds, monkeypatch):
    """Seconds, dates in UTC whatever our own time zone is, nonsense, and figures that would park us for days."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert seconds == retry_after(CaseInsensitiveDict({"retry-after": value}), now=NOON)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_date_is_compared_with_the_clock_of_now():
    """Without a given time, ours is taken."""
    later = format_datetime(datetime.fromtimestamp(time.time() + 60, UTC), usegmt=True)
    assert 55 < retry_after({"Retry-After": later}) <= 60


def test_reads_are_retried_only_for_what_may_pass():
    """Retryable errors lead to the next try, all others end at once, and the last one is raised."""
    seen = []

    def try_and_fail(error):
        for attempt in Patience(attempts=3, first=0.001, longest=0.002).tries():
            with attempt:
                seen.append(1)
                raise error

    for error, tries in ((UnavailableError("x"), 3), (RateLimitedError("x", wait=0.0), 3), (RejectedError("x"), 1)):
        seen.clear()
        with pytest.raises(type(error)):
            try_and_fail(error)
        assert tries == len(seen)


def test_the_wait_that_a_server_asks_for_wins_over_our_own():
    """`wait` is what decides, with a little on top so that not all workers come back at once."""
    assert 7.0 <= transport._wait_for(RateLimitedError("x", wait=7.0)) <= 7.1
    assert transport._wait_for(UnavailableError("x")) is True
    assert transport._wait_for(UnknownOutcomeError("x")) is False


def test_nesting_without_end_is_not_json():
    """A body that would exhaust the stack is an ordinary unreadable one."""
    with pytest.raises(ValueError, match="nested"):
        Reply(200, {}, b"[" * 200_000).json()


# ---- the pacer ---------------------------------------------------------------------------------------------------
class Clock:
    """A clock on which a sleep takes exactly as long as was asked for, and no time of ours."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    one = Clock()
    monkeypatch.setattr(pacing, "time", one)
    return one


def moments_of(pacer, clock, *, n_calls):
    found = []
    for _ in range(n_calls):
        pacer.acquire()
        found.append(clock.now)
    return found


@pytest.mark.parametrize(
    ("rate", "burst", "limit", "window"), [(9.75, 5, 20, 1), (975 / 60, 4, 1000, 60), (300, 1, 301, 1)]
)
def test_the_pace_is_never_exceeded_and_well_used(clock, rate, burst, limit, window):
    """In no window more than rate * window + burst, which is below the vendor's limit; and 97 % of it is used."""
    moments = moments_of(Pacer(rate, burst=burst), clock, n_calls=int(rate * window * 3))
    assert most_in(moments, window) <= min(limit, rate * window + burst + 1e-6)
    assert (len(moments) - burst) / (moments[-1] - moments[0]) >= 0.97 * rate


@pytest.mark.parametrize(
    ("rate", "burst", "limit", "window"), [(9.75, 5, 20, 1), (9.75, 5, 600, 60), (975 / 60, 4, 1000, 60)]
)
@pytest.mark.parametrize("every", [40, 150, 700])
def test_what_a_single_429_costs_is_made_up_for_within_the_allowance(clock, rate, burst, limit, window, every):
    """Each 429 holds all back for a second; the calls lost come later, and no window holds more than is allowed."""
    pacer, moments = Pacer(rate, burst=burst), []
    for number in range(3000):
        moments += moments_of(pacer, clock, n_calls=1)
        if number % every == every - 1:
            pacer.hold(None, why="429")
        else:
            pacer.calm()
    assert most_in(moments, window) <= limit
    used = len(moments) / (moments[-1] - moments[0]) / rate
    assert used >= (0.97 if every > 100 else 0.7)  # a 429 every four seconds leaves no time to make up for it
    assert used <= 1 + burst / len(moments) + 1e-9


@pytest.mark.parametrize("first", [1.0, 5.0, 60.0])
@pytest.mark.parametrize(
    ("rate", "burst", "limit", "window"), [(979 / 60, 4, 1000, 60), (10, 7, 20, 1), (4, 15, 20, 1), (9.75, 7, 20, 1)]
)
def test_however_long_the_first_wait_is_no_window_holds_more_than_is_allowed(clock, first, rate, burst, limit, window):
    """The fastest paces that a params file may have: the calls that a long hold has cost do not all come afterwards."""
    pacer, moments = Pacer(rate, burst=burst, first=first), []
    for number in range(3000):
        moments += moments_of(pacer, clock, n_calls=1)
        if number == 100:
            pacer.hold(None, why="429")
        elif number == 2000:
            clock.now += 30  # others are at work elsewhere: the bucket is full
        else:
            pacer.calm()
    assert most_in(moments, window) <= limit


def test_after_three_429s_in_a_row_nothing_is_made_up_for(clock):
    """Then the pace was too fast: the calls after the recovery come at the full pace and no faster."""
    pacer = Pacer(10, first=1.0)
    for _ in range(3):
        pacer.hold(None, why="429")
        moments_of(pacer, clock, n_calls=1)
    for _ in range(200):
        pacer.calm()
    assert 10 == pytest.approx(pacer.rate)
    assert most_in(moments_of(pacer, clock, n_calls=100), 0.999) <= 10


def test_idle_time_saves_up_a_burst_and_no_more(clock):
    """After an hour of nothing `burst` calls come at once, not an hour's worth."""
    pacer = Pacer(10, burst=4)
    moments_of(pacer, clock, n_calls=20)
    clock.now += 3600
    assert 4 == most_in(moments_of(pacer, clock, n_calls=20), 0.05)


def in_threads(pacer, *, n_threads, n_calls):
    """Start threads that make calls; the list of their moments fills as they do."""
    moments = []

    def work():
        for _ in range(n_calls):
            pacer.acquire()
            moments.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(n_threads)]
    for one in threads:
        one.start()
    return threads, moments


def test_threads_share_one_allowance():
    """Eight workers together are no faster than the pace."""
    began = time.monotonic()
    threads, moments = in_threads(Pacer(400, burst=5), n_threads=8, n_calls=15)
    for one in threads:
        one.join(10)
    assert 120 == len(moments)
    assert max(moments) - began >= (120 - 5) / 400


def test_whoever_waits_at_a_slow_pace_holds_no_place_of_a_faster_one():
    """Else the places that were given at the slow pace, and those of the recovered one, come as a crowd."""
    pacer = Pacer(1000, first=0.001)
    while pacer.rate > 1000 / 16:
        pacer.hold(0.0, why="429")
        time.sleep(0.001)
    pacer.pause(0.2, why="so that all of them wait")
    threads = [threading.Thread(target=pacer.acquire) for _ in range(8)]
    for one in threads:
        one.start()
    try:
        assert pacer._tokens >= 0
        while pacer.rate < 1000:
            pacer.calm()
    finally:
        for one in threads:
            one.join()
    assert pacer._tokens >= -1


def test_a_hold_stops_all_threads_and_no_crowd_comes_after_it():
    """Workers that already had a place give it back; after the hold calls come one by one, at half the pace."""
    pacer = Pacer(10, burst=1)
    pacer.acquire()
    threads, moments = in_threads(pacer, n_threads=3, n_calls=1)
    end = time.monotonic() + 0.2
    pacer.hold(0.2, why="told to")
    assert 5 == pacer.rate
    for one in threads:
        one.join(10)
    late = [moment - end for moment in sorted(moments)]
    assert all(seen >= number / 5 - 1e-6 for number, seen in enumerate(late)), late


def test_after_a_hold_the_bucket_is_empty(clock):
    """A burst right after a 429 would be the next 429."""
    pacer = Pacer(100, burst=20)
    pacer.hold(1.0, why="429")
    assert 1 == most_in(moments_of(pacer, clock, n_calls=10), 0.0199)
    assert 1001.0 == pytest.approx(moments_of(Pacer(100), clock, n_calls=1)[0] - 9 / 50)


def test_waiting_has_a_reason_only_while_it_lasts(clock):
    """The progress line does not go on naming a wait that is over."""
    pacer = Pacer(1000)
    assert pacer.waiting_for == ""
    pacer.pause(30, why="allowance used up")
    assert "allowance used up" == pacer.waiting_for
    assert [1030.0] == moments_of(pacer, clock, n_calls=1)
    assert pacer.waiting_for == ""
    assert 1000 == pacer.rate


def test_the_pace_falls_to_a_sixteenth_at_most_and_recovers_step_by_step(clock):
    """A storm halves it; then each good answer raises it: quickly to nine tenths of where the 429 came, then slowly."""
    pacer = Pacer(160)
    pacer.hold(0.0, why="429")
    assert 80 == pacer.rate
    for _ in range(8):
        pacer.calm()
    assert 144 == pytest.approx(pacer.rate)
    for _ in range(15):
        pacer.calm()
    assert 144 < pacer.rate < 160
    for _ in range(6):
        pacer.calm()
    assert 160 == pytest.approx(pacer.rate)
    for _ in range(10):
        clock.now += 60
        pacer.hold(0.0, why="429")
    assert 10 == pacer.rate


def test_answers_that_were_under_way_together_are_one_storm(clock):
    """Eight workers get their 429 at once: the pace is halved, not divided by 256."""
    pacer = Pacer(160, first=1.0)
    for _ in range(8):
        clock.now += 0.05
        pacer.hold(0.0, why="429")
    assert 80 == pacer.rate
    clock.now += 0.6
    pacer.hold(0.0, why="429")
    assert 40 == pacer.rate


def test_a_wait_that_nobody_told_doubles_until_it_is_calm_again(clock):
    """1, 2, 4 … seconds and never more than the longest; twenty good answers in a row begin anew."""
    pacer = Pacer(1000, first=1.0, longest=10.0)
    waits = []
    for _ in range(6):
        began = clock.now
        pacer.hold(None, why="429")
        pacer.acquire()
        waits.append(round(clock.now - began, 3))
    assert [1.0, 2.0, 4.0, 8.0, 10.0, 10.0] == waits
    for _ in range(20):
        pacer.calm()
    began = clock.now
    pacer.hold(None, why="429")
    pacer.acquire()
    assert 1.0 == pytest.approx(clock.now - began)


def test_a_wait_that_was_told_wins_until_it_has_proved_too_short(clock):
    """A server that goes on saying "0" while it refuses is asked less and less often."""
    pacer = Pacer(1000, first=1.0, longest=60.0)
    waits = []
    for _ in range(5):
        clock.now += 1
        began = clock.now
        pacer.hold(0.5, why="429")
        pacer.acquire()
        waits.append(round(clock.now - began, 3))
    assert [0.5, 0.5, 1.0, 2.0, 4.0] == waits


def test_a_pace_that_recovers_never_stands_still(clock):
    """With a large burst too: places given at a slow pace are not counted anew at a faster one."""
    pacer = Pacer(5000, burst=1250)
    for _ in range(4):
        clock.now += 10
        pacer.hold(0.1, why="429")
    moments = []
    for _ in range(400):
        pacer.acquire()
        pacer.calm()
        moments.append(clock.now)
    pauses = [late - early for early, late in itertools.pairwise(moments)]
    assert max(pauses) <= 1 / 312


def test_a_hold_is_capped_and_never_shortened(clock):
    """An absurd wait is cut to the longest one; a shorter one does not end a longer one."""
    pacer = Pacer(10)
    pacer.hold(10**9, why="absurd")
    pacer.hold(1, why="short")
    assert [1000.0 + LONGEST_WAIT] == moments_of(pacer, clock, n_calls=1)


# ---- secrets -------------------------------------------------------------------------------------------------------
def test_a_secret_is_masked_in_all_its_forms():
    """Raw, as Basic credentials, URL-encoded in both ways and both cases, and as JSON writes it."""
    secret, masker = 'k/e"y +ä&=1', Masker()
    assert secret == masker.register(secret)
    basic = base64.b64encode(f"{secret}:".encode()).decode()
    forms = [secret, basic, basic.rstrip("="), quote(secret, safe=""), quote(secret), 'k/e\\"y +\\u00e4&=1']
    forms += ["k%2Fe%22y+%2B%C3%A4%26%3D1", "k%2fe%22y%20%2b%c3%a4%26%3d1"]
    for form in forms:
        assert "a *** z" == masker.mask(f"a {form} z"), form


def test_a_longer_secret_is_masked_before_its_own_beginning():
    """Of two keys that begin alike no end is left over; an empty secret masks nothing."""
    masker = Masker()
    for secret in ("abc", "abcdef", ""):
        masker.register(secret)
    assert "x *** y *** z" == masker.mask("x abcdef y abc z")


# ---- the rest ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (http(body={"instance": "a"}), {"instance": "a"}),
        (http(body=b"<html>"), None),
        (http(body=b"5"), None),
        (http(body=b"null"), None),
        (http(body=b'["x"]'), None),
        (http(302, b"", location="http://169.254.169.254/"), None),
        (reset, None),
    ],
)
def test_a_ping_gives_an_object_or_nothing(server, answer, found):
    """A local service that does not answer properly is one that is not there."""
    server.says(answer)
    assert found == ping(server.url, seconds=1)


def test_fields_come_before_the_file(server, sender):
    """A presigned upload ignores every field that comes after the file."""
    server.says(http(204, b""))
    files = {"file": ("cv.pdf", io.BytesIO(b"BYTES"), "application/pdf")}
    assert 204 == sender().send("POST", server.url, files=files, fields={"key": "k", "policy": "p"}).status
    body = server.asked[0].body
    assert body.index(b'name="key"') < body.index(b'name="policy"') < body.index(b"BYTES")


def test_the_helper_server_is_an_honest_one(server):
    """The odd server of these tests gives a good answer when it is told to."""
    assert isinstance(server, OddServer)
    assert {"a": 1} == ping(server.says(http(body={"a": 1})).url)
