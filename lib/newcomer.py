"""The files of a new customer: settings with comments, a place for the keys, and a table for accepted findings."""

from __future__ import annotations

from lib import params, workbook
from lib.errors import ConfigError

PRACTICE = """# A made-up company in the sandbox, a local imitation of both APIs, to learn on. Nothing is decided yet.
# Everything is real but the company, and nothing leaves this machine.
customer: CUSTOMER

service:                        # started when the customer is opened, ends with `workbook sandbox --stop CUSTOMER`
  command: ["{python}", "-m", "sandbox", "--port", "0", "--people", "60", "--seed", "11", "--limits", "x30", "--json"]

# The sandbox allows thirty times the vendors' real limits, so that nobody waits.
lever:
  per_second: 285
  burst: 60
  workers: 8
  retry: {first_s: 0.1, longest_s: 5}
ashby:
  per_minute: 28500
  workers: 8
  settle_s: 2
  retry: {first_s: 0.1, longest_s: 5}

policy:
  placeholder_user: former.colleague@ashby.example  # an account that an administrator has made for this
  confidential_as_new: true     # nobody looks into this Ashby; a real customer makes confidential jobs by hand
"""


def make(customer: str, *, sandbox: bool) -> list[str]:
    """Write the files; returns what to tell. ConfigError when one of them is there already: nothing is changed then."""
    path, env = params.params_path(customer), params.home() / f".env.{customer}"
    for file in (path, env):
        if file.exists():
            raise ConfigError(f"{file.name} is there already; nothing was changed.")
    example = (workbook.home_of_code() / "params" / "example.yaml").read_text("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((PRACTICE if sandbox else example).replace("CUSTOMER", customer), "utf-8")
    overrides = path.with_suffix("") / "overrides.csv"
    overrides.parent.mkdir(exist_ok=True)
    overrides.write_text("id,who,when,why\n", "utf-8")
    wrote = f"Wrote params/{path.name}, params/{customer}/overrides.csv"
    if sandbox:
        return [
            f"{wrote}. Its Lever and its Ashby are the sandbox on this machine; it needs no keys.",
            f'Next: `make lab`; in each notebook, set customer = "{customer}" in its first cell of code, and run it.',
        ]
    env.touch(mode=0o600)
    env.write_text(params.ENV_TEXT.format(customer=customer), "utf-8")
    return [
        f"{wrote} and {env.name}.",
        f"Next: put both keys into {env.name}, read params/{path.name}, then run:",
        f"  .venv/bin/workbook run {customer} --to audit",
    ]
