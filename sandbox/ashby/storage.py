"""The object storage behind presigned uploads and temporary downloads, as S3 answers a form POST.

It knows no Ashby key: a request with an Authorization header is refused, as S3 refuses two kinds of
authentication at once. The form fields come first, the file last in part ``file`` (vendor contract).
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ashby.files import upload_signature
from sandbox.ashby.forms import FormError, Part, parse_form
from sandbox.ashby.records import Upload
from sandbox.ashby.state import State
from sandbox.journal import Journal


class DeniedError(Exception):
    """A refused storage request: status and S3 error code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep what the answer says."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


def _read(content_type: str, body: bytes) -> list[Part]:
    """Return the parts of the form, or the S3 errors for what is none."""
    if not content_type.lower().startswith("multipart/form-data"):
        raise DeniedError(412, "PreconditionFailed", "the body must be multipart/form-data")
    try:
        return parse_form(content_type, body)
    except FormError as error:
        raise DeniedError(400, "MalformedPOSTRequest", str(error)) from None


def accept(state: State, parts: list[Part]) -> Upload:
    """Check the fields, the lifetime and the length of an upload, and keep its bytes."""
    if not parts or parts[-1].name != "file" or any(part.name == "file" for part in parts[:-1]):
        raise DeniedError(400, "InvalidArgument", "the file must be the last part and be called file")
    fields = {part.name: part.data.decode("utf-8", "replace") for part in parts[:-1]}
    upload = state.uploads.get(fields.get("key", "").removeprefix("uploads/"))
    if upload is None:
        raise DeniedError(403, "AccessDenied", "no upload was reserved for this key")
    if not hmac.compare_digest(fields.get("x-amz-signature", ""), upload_signature(state, upload.id)):
        raise DeniedError(403, "SignatureDoesNotMatch", "the signature does not match")
    if any(name not in fields for name in ("policy", "x-amz-algorithm")):
        raise DeniedError(403, "AccessDenied", "a form field is missing")
    if fields.get("Content-Type") != upload.content_type:
        raise DeniedError(403, "AccessDenied", "Content-Type is not the reserved one")
    if time.time() > upload.expires:
        state.decides("upload_seconds")
        raise DeniedError(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
    if upload.data is not None and state.decides("upload_again") == "refuse":
        raise DeniedError(403, "AccessDenied", "the address was used before")
    data = parts[-1].data
    if len(data) != upload.length:
        code = "EntityTooLarge" if len(data) > upload.length else "EntityTooSmall"
        raise DeniedError(400, code, "the file has not the reserved length")
    upload.data = data
    return upload


def _refused(denied: DeniedError) -> Response:
    """Answer as S3 does."""
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{denied.code}</Code><Message>{denied.message}</Message>"
    return Response(text + "</Error>", denied.status, media_type="application/xml")


def routes(current: Callable[[], State], journal: Journal) -> list[Route]:
    """Return the storage routes over the current state."""

    async def upload(request: Request) -> Response:
        try:
            _check_headers(request)
            accept(current(), _read(request.headers.get("content-type", ""), await request.body()))
        except DeniedError as denied:
            journal.add("storage", "upload", denied.status, note=denied.code)
            return _refused(denied)
        journal.add("storage", "upload", 204, write=True)
        return Response(status_code=204)

    async def download(request: Request) -> Response:
        state = current()
        file_id, expires = state.downloads.get(request.path_params["token"], ("", 0.0))
        try:
            _check_headers(request)
            if time.time() > expires:
                state.decides("download_seconds")
                raise DeniedError(403, "AccessDenied", "Request has expired")
        except DeniedError as denied:
            journal.add("storage", "download", denied.status, note=denied.code)
            return _refused(denied)
        journal.add("storage", "download", 200)
        stored = state.files[file_id]
        return Response(stored.data, media_type=stored.content_type)

    return [
        Route("/ashby/upload", upload, methods=["POST"]),
        Route("/ashby/file/{token}", download, methods=["GET"]),
    ]


def _check_headers(request: Request) -> None:
    if "authorization" in request.headers:
        raise DeniedError(400, "InvalidArgument", "Only one auth mechanism allowed")
