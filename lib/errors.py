"""Every error of the workbook, by what to do next, and the exit code that goes with it.

WorkbookError                      exit 1 when nothing below fits
+ ConfigError (2)                  settings or decisions are wrong: mend the file that is named
+ GateError (3)                    a check is red: look at the finding, decide, run again
+ StoreError (4)                   the customer's store cannot be used: see the message
+ UnknownOutcomeError (4)          a write may or may not have happened: look up before anything else
+ ApiError
  + RetryableError (4)             nothing was done; the same call may be made later
    + RateLimitedError             the server asked us to slow down
    + UnavailableError             no answer, or an answer that says "not now"
  + RejectedError (5)              this one record is refused; it is set aside and the run goes on
    + NotFoundError                the object is not there (or not visible to this key)
  + FatalError (4)                 no record will fare better: stop
    + UnauthorizedError            key missing, wrong, revoked, or without the permission
    + ContractError                an answer or a body does not have the agreed shape

Messages say what happened, to which id, and what to do now. They never carry bodies, names, addresses or keys.
"""

from __future__ import annotations


class WorkbookError(Exception):
    """Base of all errors that the workbook raises on purpose."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message. Where in our code it was raised helps nobody to mend it."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(WorkbookError):
    """Settings, parameters or decision tables are wrong."""

    exit_code = 2


class GateError(WorkbookError):
    """A check is red, or a decision is open."""

    exit_code = 3


class StoreError(WorkbookError):
    """The customer's store cannot be opened, locked or written."""

    exit_code = 4


class UnknownOutcomeError(WorkbookError):
    """A write was sent and its outcome is not known."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "", request_id: str = "") -> None:
        super().__init__(message, hint=hint)
        self.request_id = request_id


class ApiError(WorkbookError):
    """A vendor's API did not do what was asked."""

    exit_code = 4

    def __init__(
        self, message: str, *, hint: str = "", status: int | None = None, code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.request_id = request_id


class RetryableError(ApiError):
    """Nothing was done; the same call may be made later. `wait` is what the server asked for, in seconds."""

    def __init__(self, message: str, *, wait: float | None = None, **more: object) -> None:
        super().__init__(message, **more)  # type: ignore[arg-type]
        self.wait = wait


class RateLimitedError(RetryableError):
    """The server asked us to slow down (429)."""


class UnavailableError(RetryableError):
    """No answer, a broken answer, or one that says "not now"."""


class RejectedError(ApiError):
    """This one record is refused."""

    exit_code = 5


class NotFoundError(RejectedError):
    """The object is not there, or not visible to this key."""


class FatalError(ApiError):
    """No record will fare better."""


class UnauthorizedError(FatalError):
    """The key is missing, wrong, revoked, or lacks the permission."""


class ContractError(FatalError):
    """An answer or a body does not have the agreed shape."""
