"""The local DynamoDB, SQS, SSM and EventBridge: moto's server inside this process.

`DYNAMODB_ENDPOINT` is the address of a DynamoDB Local to use instead of moto's DynamoDB. Nothing is
kept when the process ends. Source: docs/deployment.md, section 4.
"""

import os
import threading
from pathlib import Path
from typing import Any

import boto3
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import ThreadedWSGIServer

from local import moto_patches, template

REGION = "us-east-1"
CREDENTIALS = {
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
    "aws_session_token": "",
    "region_name": REGION,
}

_starting = threading.Lock()
_server: ThreadedWSGIServer | None = None
_endpoint = ""
_tables: dict[str, dict[str, Any]] = {}


class _Server(ThreadedWSGIServer):
    # With a short queue, a client in a burst has to send its SYN again, and gives up after 1 s.
    request_queue_size = 1024


class _Handler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def serve() -> str:
    """Start moto's server once in this process. Returns its URL."""
    global _server
    with _starting:
        if _server is None:
            moto_patches.install()
            app = DomainDispatcherApplication(create_backend_app)
            _server = _Server("127.0.0.1", 0, app, _Handler)
            threading.Thread(target=_server.serve_forever, name="moto", daemon=True).start()
    return f"http://127.0.0.1:{_server.port}"


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
            for backend in dynamodb_backends["123456789012"].values():
                for table in backend.tables.values():
                    table.items.clear()
        return
    for arguments in _tables.values():
        client().delete_table(TableName=arguments["TableName"])
        client().create_table(**arguments)


def embedded_table(name: str) -> Table | None:
    """moto's table object. None if a DynamoDB Local is used."""
    if _endpoint != serve():
        return None
    return dynamodb_backends["123456789012"][REGION].tables[name]


def client(service: str = "dynamodb") -> Any:
    """A client of a local service, to prepare data or to inspect it."""
    url = _endpoint if service.startswith("dynamodb") else serve()
    return boto3.client(service, endpoint_url=url, **CREDENTIALS)
