"""The local DynamoDB, SQS, SSM and EventBridge: moto's server inside this process.

`DYNAMODB_ENDPOINT` is the address of a DynamoDB Local to use instead of moto's DynamoDB. Nothing is
kept when the process ends. Source: docs/deployment.md, section 4.
"""

import copy
import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3
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

_starting = threading.Lock()
_server: Server | None = None
_endpoint = ""
_tables: dict[str, dict[str, Any]] = {}


def serve() -> str:
    """Start moto's server once in this process. Returns its URL."""
    global _server
    with _starting:
        if _server is None:
            moto_patches.install()
            _server = Server(0, _answer)
            _server.start()
    return _server.url


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
    url = _endpoint if service.startswith("dynamodb") else serve()
    return boto3.client(service, endpoint_url=url, **CREDENTIALS)
