"""The object storage behind presigned uploads and temporary downloads, as S3 answers a form POST.

It knows no Ashby key: a request with an Authorization header is refused, as S3 refuses two kinds of
authentication at once. The form fields come first, the file last in part ``file`` (vendor contract).
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from itertools import pairwise

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ashby.files import upload_signature
from sandbox.ashby.records import Upload
from sandbox.ashby.state import State
from sandbox.journal import Journal

Part = tuple[str, str | None, bytes]
_NAME = re.compile(rb'[ ;]name="([^"]*)"')
_FILE = re.compile(rb"filename\*?=")


class DeniedError(Exception):
    """A refused storage request: status and S3 error code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep what the answer says."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


def parse_form(content_type: str, body: bytes) -> list[Part]:
    """Return the parts of a multipart form in order: (name, "file" or None, bytes)."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.lower().startswith("multipart/form-data") or not found:
        raise DeniedError(412, "PreconditionFailed", "the body must be multipart/form-data")
    delimiter = re.compile(rb"\r\n--" + re.escape(found[1].encode("latin-1")) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    body = b"\r\n" + body
    marks = list(delimiter.finditer(body))
    ends = [number for number, mark in enumerate(marks) if mark[1]]
    if not ends:
        raise DeniedError(400, "MalformedPOSTRequest", "the form does not end")
    used = marks[: ends[0] + 1]
    return [_part(body[mark.end() : following.start()]) for mark, following in pairwise(used)]


def _part(piece: bytes) -> Part:
    head, separator, data = piece.partition(b"\r\n\r\n")
    name = _NAME.search(head)
    if not separator or name is None:
        raise DeniedError(400, "MalformedPOSTRequest", "a part has no name")
    return name[1].decode("utf-8", "replace"), "file" if _FILE.search(head) else None, data


def accept(state: State, parts: list[Part]) -> Upload:
    """Check the fields, the lifetime and the length of an upload, and keep its bytes."""
    if not parts or parts[-1][0] != "file" or any(name == "file" for name, _, _ in parts[:-1]):
        raise DeniedError(400, "InvalidArgument", "the file must be the last part and be called file")
    fields = {name: data.decode("utf-8", "replace") for name, _, data in parts[:-1]}
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
        raise DeniedError(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
    data = parts[-1][2]
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
            accept(current(), parse_form(request.headers.get("content-type", ""), await request.body()))
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
