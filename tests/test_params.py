"""Settings and secrets: what is refused is named by file and key, and never shown."""

from pathlib import Path

import pytest

from lib import params
from lib.errors import ConfigError
from sandbox.lever import rights

KEY = "live_s3cr3t-of-nobody"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home with `params/`, and no keys in the environment."""
    (tmp_path / "params").mkdir()
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    for name in ("LEVER_API_KEY", "ASHBY_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(home, text, name="acme"):
    (home / "params" / f"{name}.yaml").write_text(text, "utf-8")
    return home


def refusal(home, text):
    """The message with which a params file is refused."""
    with pytest.raises(ConfigError) as caught:
        params.load(write(home, text) and "acme")
    return str(caught.value)


# ---- the file --------------------------------------------------------------------------------------------------------
def test_a_customer_needs_nothing_but_a_name(home):
    """Defaults are the vendors' own addresses, below their limits, and nothing is written to Ashby by itself."""
    found = params.load(write(home, "customer: acme\n") and "acme")
    assert ("https://api.lever.co/v1", "https://api.ashbyhq.com") == (found.lever.base_url, found.ashby.base_url)
    assert found.lever.per_second < 10
    assert found.ashby.per_minute < 1000
    assert found.execute_by_default is False
    assert ("prove", "candidate_only", "note", "private", "link", "never", "never") == (
        found.lever.confidential_access, found.policy.without_posting, found.policy.repeat_candidacy,
        found.policy.secret_notes, found.policy.existing_candidates, found.policy.consent_denied,
        found.policy.consent_expired,
    )  # fmt: skip


def test_oauth_asks_for_all_that_a_full_read_needs_and_for_nothing_else(home):
    """A key is the default; the addresses are Lever's own, and the scopes those of its reference."""
    found = params.load(write(home, "customer: acme\n") and "acme").lever
    assert ("key", ["LEVER_API_KEY"]) == (found.auth, found.secret_names)
    told = found.oauth
    assert ("https://auth.lever.co/authorize", "https://auth.lever.co/oauth/token") == (
        told.authorize_url,
        told.token_url,
    )
    assert sorted(rights.EVERYTHING) == sorted(told.scopes)
    text = "customer: acme\nlever: {auth: oauth, oauth: {client_id_env: MY_ID}}\n"
    assert ["MY_ID", "LEVER_CLIENT_SECRET"] == params.load(write(home, text) and "acme").lever.secret_names


def test_the_example_and_the_demo_are_valid():
    """The files that people copy from load as they stand, whatever the home is."""
    folder = Path(__file__).resolve().parents[1] / "params"
    for path in folder.glob("*.yaml"):
        data = params.yaml.safe_load(path.read_text("utf-8"))
        assert data["customer"] == params.validated(data, path.name, data["customer"]).customer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("customer: acme\nspeed: 5\n", "speed"),
        ("customer: acme\nlever: {pace: 5}\n", "lever.pace"),
        ("customer: acme\nlever: {per_second: 0}\n", "lever.per_second"),
        ("customer: acme\nlever: {per_second: .inf}\n", "lever.per_second"),
        ("customer: acme\nlever: {per_second: .nan}\n", "lever.per_second"),
        ("customer: acme\nashby: {per_minute: -1}\n", "ashby.per_minute"),
        ("customer: acme\nashby: {workers: 1000}\n", "ashby.workers"),
        ("customer: acme\nashby: {retry: {attempts: 0}}\n", "ashby.retry.attempts"),
        ("customer: acme\nlever: {base_url: 'http://api.lever.co/v1'}\n", "lever.base_url"),
        ("customer: acme\nashby: {base_url: 'ftp://api.ashbyhq.com'}\n", "ashby.base_url"),
        ("customer: acme\nlever: {auth: token}\n", "lever.auth"),
        ("customer: acme\nlever: {oauth: {token_url: 'http://auth.lever.co/oauth/token'}}\n", "lever.oauth.token_url"),
        ("customer: acme\nlever: {oauth: {scopes: ['notes:read:admin']}}\n", "lever.oauth.scopes"),
        ("customer: acme\nlever: {oauth: {scopes: [offline_access, 'notes:write:admin']}}\n", "lever.oauth.scopes"),
        ("customer: acme\nlever: {oauth: {scopes: [offline_access, 'webhooks:*']}}\n", "lever.oauth.scopes.1"),
        ("customer: acme\nlever: {oauth: {refresh_token: x}}\n", "lever.oauth.refresh_token"),
        ("customer: acme\npolicy: {without_posting: drop}\n", "policy.without_posting"),
        ("customer: acme\npolicy: {phone_region: Germany}\n", "policy.phone_region"),
        ("customer: acme\npolicy: {note_limit: 10}\n", "policy.note_limit"),
        ("customer: acme\npolicy: {scope: {states: [gone]}}\n", "policy.scope.states.0"),
        ("customer: acme\nservice: {command: []}\n", "service.command"),
        ("customer: acme\nservice: {command: make}\n", "service.command"),
        ("customer: acme\nexecute_by_default: maybe\n", "execute_by_default"),
        ("speed: 5\n", "customer"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(home, text, told):
    """Unknown keys, figures out of range, unsafe addresses, choices that do not exist."""
    message = refusal(home, text)
    assert message.startswith("params/acme.yaml: ")
    assert f" {told}: " in message


@pytest.mark.parametrize(
    ("lever", "ashby", "told"),
    [
        ("{per_second: 10.01}", "{}", ["lever.per_second: at most 10, as many as Lever allows each key"]),
        ("{per_second: 10, burst: 8}", "{}", ["lever.burst: at most 7 at 10 per second", "20 calls in any one second"]),
        ("{per_second: 4, burst: 16}", "{}", ["lever.burst: at most 15 at 4 per second"]),
        ("{}", "{per_minute: 980}", ["ashby.per_minute: at most 979", "1,000 calls in any minute"]),
        ("{per_second: 50}", "{per_minute: 5000}", ["lever.per_second: at most 10", "ashby.per_minute: at most 979"]),
        ("{per_second: 10, burst: 7}", "{per_minute: 979}", []),
        ("{per_second: 4, burst: 15}", "{per_minute: 1}", []),
    ],
)
def test_no_pace_exceeds_what_a_vendor_allows(home, lever, ashby, told):
    """However it is put together; a service of this machine may be asked faster."""
    text = f"customer: acme\nlever: {lever}\nashby: {ashby}\n"
    if told:
        message = refusal(home, text)
        assert [] == [word for word in told if word not in message]
        assert message.startswith("params/acme.yaml: ")
        assert "Only a local service may be asked faster." in message
        assert params.load(write(home, text + "service: {command: [make]}\n") and "acme").service
        local = text.replace("{per", "{base_url: 'http://127.0.0.1:1/x', per")
        assert params.load(write(home, local) and "acme").service is None
    else:
        assert params.load(write(home, text) and "acme")


def test_all_problems_are_named_at_once(home):
    """Nobody has to run it three times to find three mistakes."""
    message = refusal(home, "customer: acme\nspeed: 5\nlever: {per_second: 0}\nashby: {workers: 0}\n")
    assert [True] * 3 == [word in message for word in ("speed", "lever.per_second", "ashby.workers")]


@pytest.mark.parametrize(
    "text",
    [
        f"customer: acme\nlever: {{key: {KEY}}}\n",
        f"customer: acme\nlever: {{key_env: {KEY}}}\n",
        f"customer: acme\nlever: {{oauth: {{client_secret: {KEY}}}}}\n",
        f"customer: acme\nlever: {{oauth: {{client_secret_env: {KEY}}}}}\n",
        f"customer: acme\nlever: {{oauth: {{scopes: [{KEY}]}}}}\n",
        f"customer: acme\nlever: {{base_url: 'https://{KEY}:@api.lever.co/v1'}}\n",
        f"customer: acme\nlever: {{per_second: {KEY}}}\n",
        f"customer: acme\nlever: {KEY}\n",
        f"customer: acme\nlever: {{key: [{KEY}\n",
        f"customer: acme\n{KEY}\n",
        f"- {KEY}\n",
        KEY,
    ],
)
def test_a_key_in_the_params_file_is_refused_and_not_shown(home, text):
    """Secrets have their own file; one that stands here by mistake must not end up in a log as well."""
    assert KEY not in refusal(home, text)


@pytest.mark.parametrize("text", ["", "null\n", "- customer\n", "just words\n", "5\n"])
def test_a_file_that_is_no_table_of_settings_is_refused(home, text):
    """Empty, a list, a sentence, a number."""
    assert "params/acme.yaml" in refusal(home, text)


def test_broken_yaml_is_refused_with_its_line(home):
    """The line, not the text that stands in it."""
    assert "params/acme.yaml, line 3" in refusal(home, "customer: acme\nlever:\n  a: [b: : c\n")


def test_yaml_cannot_run_code(home, tmp_path):
    """Tags that build objects are not known."""
    assert "not valid YAML" in refusal(home, f"customer: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n")
    assert not (tmp_path / "made").exists()


def test_a_file_that_is_not_utf8_is_refused(home):
    """An old editor's encoding is said, not guessed."""
    (home / "params" / "acme.yaml").write_bytes("customer: acme\n# Zürich\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"acme\.yaml is not UTF-8"):
        params.load("acme")


def test_a_file_for_somebody_else_is_refused(home):
    """A copied file that still names the other customer would write into the wrong store."""
    message = refusal(home, "customer: other\n")
    assert "'other'" in message
    assert "'acme'" in message


def test_a_missing_file_names_the_customers_there_are(home):
    """The example is not a customer."""
    for name in ("acme", "bravo", "example"):
        write(home, f"customer: {name}\n", name)
    with pytest.raises(ConfigError, match=r"there are: acme, bravo\)") as caught:
        params.load("charlie")
    assert "workbook new charlie" in str(caught.value)
    assert ["acme", "bravo"] == params.customers()


@pytest.mark.parametrize(
    "name", ["../acme", "a/b", "", "Acme", ".env", "-x", "a b", "acme\n", "a" * 41, "ä", "a.b", "a\0"]
)
def test_a_name_that_could_leave_the_folder_is_refused(home, name):
    """Names become files and folders, so they are plain."""
    for use in (params.params_path, params.load):
        with pytest.raises(ConfigError, match="is not a customer name"):
            use(name)


def test_addresses_lose_their_last_slash(home):
    """Paths are appended to them."""
    found = params.load(write(home, "customer: acme\nashby: {base_url: 'https://api.ashbyhq.com/'}\n") and "acme")
    assert "https://api.ashbyhq.com" == found.ashby.base_url


def test_settings_cannot_be_changed_afterwards(home):
    """What was validated is what is used."""
    found = params.load(write(home, "customer: acme\n") and "acme")
    with pytest.raises(ValueError, match="frozen"):
        found.lever.per_second = 99


# ---- secrets ---------------------------------------------------------------------------------------------------------
def env_file(home, text, mode=0o600):
    path = home / ".env.acme"
    path.write_text(text, "utf-8")
    path.chmod(mode)


def test_secrets_come_from_the_service_then_the_file_then_the_environment(home, monkeypatch):
    """In this order, name by name; an empty value is none."""
    env_file(home, "LEVER_API_KEY=file\nASHBY_API_KEY=\n")
    monkeypatch.setenv("LEVER_API_KEY", "environment")
    monkeypatch.setenv("ASHBY_API_KEY", "environment")
    names = ["LEVER_API_KEY", "ASHBY_API_KEY"]
    assert {names[0]: "file", names[1]: "environment"} == params.secrets("acme", names)
    assert {names[0]: "given", names[1]: "environment"} == params.secrets("acme", names, given={names[0]: "given"})


def test_the_file_may_hold_comments_quotes_blanks_and_equal_signs(home):
    """A key is taken as it stands, only its quotes go."""
    env_file(home, "\ufeff# keys\n\n LEVER_API_KEY = 'a=b==' \nASHBY_API_KEY=\"c d\"\r\n")
    found = params.secrets("acme", ["LEVER_API_KEY", "ASHBY_API_KEY"])
    assert {"LEVER_API_KEY": "a=b==", "ASHBY_API_KEY": "c d"} == found


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused(home, mode):
    """Before anything of it is used; the cure is named."""
    env_file(home, f"LEVER_API_KEY={KEY}\n", mode)
    with pytest.raises(ConfigError, match=r"chmod 600 \.env\.acme") as caught:
        params.secrets("acme", ["LEVER_API_KEY"])
    assert KEY not in str(caught.value)


def test_a_line_without_a_name_is_refused_by_its_number(home):
    """A bare key in the file is not shown."""
    env_file(home, f"# keys\n{KEY}\n")
    with pytest.raises(ConfigError, match=r"\.env\.acme, line 2") as caught:
        params.secrets("acme", ["LEVER_API_KEY"])
    assert KEY not in str(caught.value)


def test_a_secrets_file_that_is_not_utf8_is_refused(home):
    """Said, not guessed."""
    (home / ".env.acme").write_bytes(b"LEVER_API_KEY=\xff\xfe\n")
    (home / ".env.acme").chmod(0o600)
    with pytest.raises(ConfigError, match="not UTF-8"):
        params.secrets("acme", ["LEVER_API_KEY"])


def test_missing_secrets_are_all_named(home):
    """And where to put them."""
    with pytest.raises(ConfigError, match=r"LEVER_API_KEY, ASHBY_API_KEY.*\.env\.acme"):
        params.secrets("acme", ["LEVER_API_KEY", "ASHBY_API_KEY"])
