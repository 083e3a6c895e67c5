"""The batch endpoint: a multipart body of whole HTTP requests, each served as if it had come alone."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from simulator.google.errors import ApiError

MOST_CALLS = 1000
_BOUNDARY = "batch_simulated_answer"
_HIDDEN = {"content-length", "transfer-encoding", "connection"}


def serve(app: Flask) -> Response:
    """Serve all parts, in order. Raises ApiError 400."""
    parts = list(_parts())
    if not 0 < len(parts) <= MOST_CALLS:
        raise ApiError(400, "badRequest", f"A batch has 1 to {MOST_CALLS} calls.")
    body = b"".join(_answer(app, part) for part in parts) + f"--{_BOUNDARY}--\r\n".encode()
    return Response(body, content_type=f"multipart/mixed; boundary={_BOUNDARY}")


def _parts() -> Iterator[Message]:
    if request.mimetype != "multipart/mixed":
        raise ApiError(400, "badRequest", "A batch is multipart/mixed.")
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    for part in message_from_bytes(head + request.get_data()).walk():
        if part.get_content_type() == "application/http":
            yield part


def _answer(app: Flask, part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    head, _, body = (payload if isinstance(payload, bytes) else b"").replace(b"\r\n", b"\n").partition(b"\n\n")
    line, _, rest = head.partition(b"\n")
    method, target, *_ = [*line.decode().split(" "), "", ""]
    headers = message_from_bytes(rest + b"\n\n", EmailMessage, policy=policy.HTTP)
    named = Headers([(name, str(value)) for name, value in headers.items() if name.lower() not in _HIDDEN])
    named.setdefault("Authorization", request.headers.get("Authorization", ""))
    environ = EnvironBuilder(
        path=target, base_url=request.host_url, method=method, headers=named, data=body.rstrip(b"\n")
    ).get_environ()
    chunks, status, answered = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in answered.items())]
    wrapped = [f"--{_BOUNDARY}", "Content-Type: application/http"]
    if part.get("Content-ID"):
        wrapped.append(f"Content-ID: {_answer_id(str(part['Content-ID']))}")
    return "\r\n".join([*wrapped, "", *lines, "", ""]).encode() + b"".join(chunks) + b"\r\n"


def _answer_id(content_id: str) -> str:
    return content_id.replace("<", "<response-", 1) if content_id.startswith("<") else f"response-{content_id}"
