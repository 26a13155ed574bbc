"""`workbook connect`: an admin of Lever consents once, and the customer's OAuth tokens begin."""

from __future__ import annotations

import sys

from lib import params, workbook
from lib.errors import ConfigError
from lib.oauth import OAuth, answered, authorize_url, code_in, kept_state
from lib.params import Params
from lib.transport import Masker, check_url


def connect(customer: str) -> None:
    """Ask an admin of Lever for consent (lever.auth: oauth), and keep the tokens that it gives."""
    settings = params.load(customer)
    if settings.lever.auth != "oauth":
        hint = f"To use OAuth instead, write `auth: oauth` under `lever` in params/{customer}.yaml."
        raise ConfigError(f"{customer} is let into Lever by a key.", hint=hint)
    found = workbook.local_service(customer, settings)
    oauth = workbook.oauth_of(customer, settings, found, Masker())
    lever = workbook.lever_of(settings, oauth, found)
    try:
        place = found.oauth.get("authorize_url", "") if found else ""
        lacking = _asked(customer, settings, oauth, place or settings.lever.oauth.authorize_url, base=lever.base_url)
        lever.hello()
    finally:
        lever.close()
    print(f"Lever is connected; the tokens are in runs/{customer}/, and are renewed by themselves.")
    if lacking:
        print(f"These scopes were asked for and not given: {', '.join(lacking)}.")
    print(f"Next: .venv/bin/workbook run {customer} --to audit")


def _asked(customer: str, settings: Params, oauth: OAuth, url: str, *, base: str) -> list[str]:
    """Print the address, take the answer, keep its tokens; the scopes that were asked for and not given."""
    names, folder = settings.lever.oauth, workbook.folder_of(customer)
    back = params.secrets(customer, [names.redirect_uri_env])[names.redirect_uri_env]
    check_url(back)
    audience = names.audience or f"{base}/"
    client = oauth.address.client.client_id
    state = kept_state(folder, " ".join((url, client, back, audience, *names.scopes)))
    where = authorize_url(url, client_id=client, redirect_uri=back, state=state, audience=audience, scopes=names.scopes)
    print(f"An admin of Lever opens this address, and consents:\n\n{where}\n")
    print(f"The browser then goes to {back}?... ; that page need not work. Its whole address, pasted here:", flush=True)
    pasted = sys.stdin.readline()
    if not pasted.strip():
        raise ConfigError("No address was given.", hint=f"`workbook connect {customer}` goes on with this question.")
    given = oauth.begin(code_in(pasted, redirect_uri=back, state=state), back)
    answered(folder)
    return sorted(set(names.scopes) - given - {"offline_access"}) if given else []
