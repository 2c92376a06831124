"""The local DynamoDB, SQS, SSM and EventBridge: moto's server inside this process.

`DYNAMODB_ENDPOINT` is the address of a DynamoDB Local to use instead of moto's DynamoDB. Nothing is
kept when the process ends. Source: docs/deployment.md, section 4.
"""

import copy
import io
import os
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from moto.core.request import Request as MotoRequest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.datastructures import Headers
from werkzeug.test import Client, EnvironBuilder

from local import moto_patches, template
from local.event import HOP_BY_HOP, Answer, Request
from local.server import Server

REGION = "us-east-1"
DYNAMODB = f"https://dynamodb.{REGION}.amazonaws.com/"
CREDENTIALS = {
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
    "aws_session_token": "",
    "region_name": REGION,
}

_starting, _making = threading.Lock(), threading.Lock()
_server: Server | None = None
_server_process = 0
_send: Callable[..., Any] = URLLib3Session.send
_endpoint = ""
_tables: dict[str, dict[str, Any]] = {}


def serve() -> str:
    """Start moto's server once in this process. Returns its URL."""
    global _server, _server_process
    with _starting:
        if _server is None:
            moto_patches.install()
            _server, _server_process = Server(0, _answer), os.getpid()
            _server.start()
            URLLib3Session.send = _send_or_call
    return _server.url


class _Body(io.BytesIO):
    """The body of a response, as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.getvalue()


def _send_or_call(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
    """Send a request of botocore, or hand it to moto here if moto is in this very process.

    A connection costs as much CPU as the whole answer. What botocore does with a request and with
    its response is the same. A forked process has only a copy of moto's tables, so it connects.
    """
    target = request.headers.get("X-Amz-Target", b"")
    is_here = _server is not None and request.url.startswith(_server.url)
    if not is_here or os.getpid() != _server_process or not target.startswith(b"DynamoDB"):
        response: AWSResponse = _send(session, request)
        return response
    headers = [(name, header_text(value)) for name, value in request.headers.items()]
    answer = _answer(Request("POST", "/", headers, request.body))
    return AWSResponse(request.url, answer.status, dict(answer.headers), _Body(answer.body))


def header_text(value: str | bytes) -> str:
    """A header's value as text. botocore has both forms."""
    return value if isinstance(value, str) else value.decode()


def _answer(request: Request) -> Answer:
    """Let moto answer. DynamoDB's requests go straight to their handler.

    They are by far the most, and Flask and a new connection each time cost as much as the handler.
    """
    if not (request.header("x-amz-target") or "").startswith("DynamoDB"):
        return _answer_by_app(request)
    read = MotoRequest.from_primitives("POST", DYNAMODB, dict(request.headers), request.body)
    status, headers, body = DynamoHandler.dispatch(read, read.raw_url, read.headers)
    return Answer(status, list(headers.items()), body.encode() if isinstance(body, str) else body)


def _answer_by_app(request: Request) -> Answer:
    environ = EnvironBuilder(
        path=request.target,
        base_url=serve(),
        method=request.method,
        headers=Headers(request.headers),
        data=request.body,
    )
    with _client().open(environ) as response:
        headers = [each for each in response.headers if each[0].lower() not in HOP_BY_HOP]
        return Answer(response.status_code, headers, response.get_data())


@cache
def _client() -> Client:
    return Client(DomainDispatcherApplication(create_backend_app), use_cookies=False)


def start(template_path: Path = template.DEFAULT_PATH) -> str:
    """Create the template's tables that are missing. Returns DynamoDB's endpoint."""
    global _endpoint
    _endpoint = os.environ.get("DYNAMODB_ENDPOINT") or serve()
    _tables.update(template.read(template_path).tables)
    existing = set(client().list_tables()["TableNames"])
    for arguments in _tables.values():
        if arguments["TableName"] not in existing:
            client().create_table(**arguments)
    return _endpoint


def clear() -> None:
    """Delete every item. The tables stay."""
    if _server is not None and _endpoint == serve():
        with moto_patches.lock:
            for table in _embedded_tables():
                table.items.clear()
        return
    for arguments in _tables.values():
        client().delete_table(TableName=arguments["TableName"])
        client().create_table(**arguments)


def save() -> Callable[[], None] | None:
    """Keep a copy of all items. Returns what brings them back, as often as it is called.

    None if a DynamoDB Local is used.
    """
    if _endpoint != serve():
        return None
    tables = _embedded_tables()
    kept = copy.deepcopy([table.items for table in tables])

    def restore() -> None:
        with moto_patches.lock:
            for table, items in zip(tables, copy.deepcopy(kept), strict=True):
                table.items = items

    return restore


def _embedded_tables() -> list[Table]:
    backends = dynamodb_backends["123456789012"].values()
    return [table for backend in backends for table in backend.tables.values()]


def embedded_table(name: str) -> Table | None:
    """moto's table object. None if a DynamoDB Local is used."""
    if _endpoint != serve():
        return None
    return dynamodb_backends["123456789012"][REGION].tables[name]


def client(service: str = "dynamodb") -> Any:
    """A client of a local service, to prepare data or to inspect it."""
    return _client_at(service, _endpoint if service.startswith("dynamodb") else serve())


@cache
def _client_at(service: str, url: str) -> Any:
    with _making:  # boto3's session must not make two clients at the same time
        return boto3.client(service, endpoint_url=url, **CREDENTIALS)
