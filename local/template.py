"""Reads from template.yaml what the local run needs: functions, routes, schedules, queues, tables.

So a route, a timeout or a table is written once, and the same runs locally as is deployed.
Source: docs/deployment.md, sections 3 and 6.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.intrinsics import Loader, Resolver

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PATH = ROOT / "template.yaml"
TABLE_PREFIX = "bridge-local-"


@dataclass(frozen=True)
class Route:
    """One method and path of the HTTP API. The catch-all has method ANY and path $default."""

    method: str
    path: str


@dataclass(frozen=True)
class Poll:
    """A queue, by its logical id, from which a function gets batches of messages."""

    queue: str
    batch_size: int


@dataclass(frozen=True)
class Queue:
    """An AWS::SQS::Queue. After `receives` deliveries a message goes to `dead_letters`."""

    name: str
    visibility_s: int
    dead_letters: str | None = None
    receives: int = 0


@dataclass(frozen=True)
class StreamTrigger:
    """Which records of a table's stream trigger a function.

    `table` is the local name. If there are `filters`, a record must match one of them.
    """

    table: str
    batch_size: int
    filters: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Function:
    """An AWS::Serverless::Function. `name` is its logical id, `folder` an absolute path."""

    name: str
    folder: Path
    timeout_s: int
    memory_mb: int
    routes: tuple[Route, ...]
    schedules: tuple[str, ...]
    polls: tuple[Poll, ...] = ()
    streams: tuple[StreamTrigger, ...] = ()


@dataclass(frozen=True)
class Cors:
    """The HTTP API's CorsConfiguration. Header names are as they are written there."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    credentials: bool
    max_age_s: int | None


@dataclass(frozen=True)
class Template:
    """A template. `tables` has the arguments of create_table by logical id.

    They have no streams, because the embedded database would keep all their records. `local.stream`
    does their work. Source: docs/deployment.md, section 4.
    """

    functions: dict[str, Function]
    tables: dict[str, dict[str, Any]]
    queues: dict[str, Queue]
    environment: dict[str, str]
    cors: Cors | None


def read(path: Path = DEFAULT_PATH, parameters: Mapping[str, str] | None = None) -> Template:
    """Read a SAM template. `parameters` override its defaults."""
    document = yaml.load(path.read_text(encoding="utf-8"), Loader)
    resources: dict[str, Any] = document["Resources"]
    names = {
        name: TABLE_PREFIX + name.lower()
        for name, resource in resources.items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }
    resolver = Resolver(document, parameters or {}, names)
    shared = resolver.resolve(document.get("Globals", {})).get("Function", {})
    present: dict[str, tuple[str, dict[str, Any]]] = {
        name: (resource["Type"], resolver.resolve(resource.get("Properties", {})))
        for name, resource in resources.items()
        if resolver.holds(resource.get("Condition"))
    }
    return Template(
        functions={
            name: _function(name, shared | own, path.parent, names)
            for name, (kind, own) in present.items()
            if kind == "AWS::Serverless::Function"
        },
        tables={
            name: _table(names[name], own)
            for name, (kind, own) in present.items()
            if kind == "AWS::DynamoDB::Table"
        },
        queues={
            name: _queue(name, own)
            for name, (kind, own) in present.items()
            if kind == "AWS::SQS::Queue"
        },
        environment={
            name: _text(value)
            for name, value in shared.get("Environment", {}).get("Variables", {}).items()
        },
        cors=_cors(present),
    )


def _function(
    name: str, properties: dict[str, Any], root: Path, tables: Mapping[str, str]
) -> Function:
    events: list[tuple[str, dict[str, Any]]] = [
        (event["Type"], event.get("Properties", {}))
        for event in properties.get("Events", {}).values()
    ]
    return Function(
        name=name,
        folder=root / properties["CodeUri"],
        timeout_s=int(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        routes=tuple(
            Route(event.get("Method", "ANY").upper(), event.get("Path", "$default"))
            for kind, event in events
            if kind == "HttpApi"
        ),
        schedules=tuple(
            event.get("Schedule") or event["ScheduleExpression"]
            for kind, event in events
            if kind in ("Schedule", "ScheduleV2")
        ),
        polls=tuple(
            Poll(event["Queue"].partition(".")[0], int(event.get("BatchSize", 10)))
            for kind, event in events
            if kind == "SQS"
        ),
        streams=tuple(_stream(event, tables) for kind, event in events if kind == "DynamoDB"),
    )


def _queue(name: str, properties: dict[str, Any]) -> Queue:
    redrive = properties.get("RedrivePolicy", {})
    target = redrive.get("deadLetterTargetArn", "").partition(".")[0]
    return Queue(
        name=name,
        visibility_s=int(properties.get("VisibilityTimeout", 30)),
        dead_letters=target or None,
        receives=int(redrive.get("maxReceiveCount", 0)),
    )


def _stream(event: dict[str, Any], tables: Mapping[str, str]) -> StreamTrigger:
    filters = event.get("FilterCriteria", {}).get("Filters", [])
    return StreamTrigger(
        table=tables[event["Stream"].removesuffix(".StreamArn")],
        batch_size=int(event.get("BatchSize", 100)),
        filters=tuple(json.loads(each["Pattern"]) for each in filters),
    )


def _table(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    names = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    arguments = {key: properties[key] for key in names if key in properties}
    return {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **arguments}


def _cors(present: dict[str, tuple[str, dict[str, Any]]]) -> Cors | None:
    apis = [own for kind, own in present.values() if kind == "AWS::Serverless::HttpApi"]
    settings = apis[0].get("CorsConfiguration") if apis else None
    if not isinstance(settings, dict):
        return None
    age = settings.get("MaxAge")
    return Cors(
        origins=tuple(settings.get("AllowOrigins", ())),
        methods=tuple(settings.get("AllowMethods", ())),
        headers=tuple(settings.get("AllowHeaders", ())),
        exposed=tuple(settings.get("ExposeHeaders", ())),
        credentials=bool(settings.get("AllowCredentials")),
        max_age_s=None if age is None else int(age),
    )


def _text(value: Any) -> str:
    """A variable's value as Lambda gets it: CloudFormation writes booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)
