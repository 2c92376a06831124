"""The rights of each function, from the policies of template.yaml, and the rights that calls need.

Source: docs/data-model.md, section 1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from local.intrinsics import Loader

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader)
RESOURCES: dict[str, Any] = DOCUMENT["Resources"]
TABLES = ("Ledger", "Ephemeral", "Secrets")
PART = {
    "Put": ("PutItem", "Item"),
    "Update": ("UpdateItem", "Key"),
    "Delete": ("DeleteItem", "Key"),
    "ConditionCheck": ("ConditionCheckItem", "Key"),
}


def of_type(kind: str) -> dict[str, Any]:
    """The properties of the resources of one type, by logical id."""
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")


@dataclass(frozen=True)
class Grant:
    """One action on one resource. `keys`: patterns of partition keys, or None for all keys."""

    action: str
    resource: str
    keys: tuple[str, ...] | None
    condition: dict[str, Any]


@dataclass(frozen=True)
class Need:
    """The right that a call needs. `keys` are the partition keys that it uses."""

    action: str
    resource: str
    keys: frozenset[str] = frozenset()


def grants(function: str) -> list[Grant]:
    """Everything that the role of a function allows."""
    role = FUNCTIONS[function]["Role"]["Fn::GetAtt"][0]
    return [grant for document in _documents(role) for grant in _grants(document)]


def _documents(role: str) -> Iterator[dict[str, Any]]:
    properties = RESOURCES[role]["Properties"]
    for policy in properties["ManagedPolicyArns"]:
        yield RESOURCES[policy["Ref"]]["Properties"]["PolicyDocument"]
    for policy in properties.get("Policies", []):
        yield policy["PolicyDocument"]


def _grants(document: dict[str, Any]) -> Iterator[Grant]:
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        condition = statement.get("Condition", {})
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                yield Grant(action, _resource_name(resource), _leading_keys(condition), condition)


def _leading_keys(condition: dict[str, Any]) -> tuple[str, ...] | None:
    for operator in ("ForAllValues:StringLike", "ForAllValues:StringEquals"):
        if operator in condition:
            return tuple(condition[operator]["dynamodb:LeadingKeys"])
    return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resource_name(resource: Any) -> str:
    """The logical id of a resource: Ledger, Ledger/index/due, FunctionLogs:*; or its ARN."""
    if isinstance(resource, str):
        return resource
    ((function, argument),) = resource.items()
    if function == "Fn::GetAtt":
        return str(argument[0])
    return str(argument).replace("${", "").replace(".Arn}", "").replace("}", "")


def is_allowed(need: Need, given: list[Grant]) -> bool:
    """Whether one grant covers the need with all its keys. IAM decides in this way too."""
    return any(
        grant.action == need.action
        and grant.resource == need.resource
        and (grant.keys is None or all(_matches(key, grant.keys) for key in need.keys))
        for grant in given
    )


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def needs(service: str, operation: str, arguments: dict[str, Any]) -> Iterator[Need]:
    """The rights that one SDK call needs. Of a transaction: the rights of its actions."""
    if service == "ssm":
        name = arguments["Name"].rsplit("/", 1)[-1]
        yield Need(f"ssm:{operation}", f"{PARAMETERS}{name}")
    elif service == "sqs":
        yield Need("sqs:SendMessage", "SyncQueue")  # a batch needs the same right
    elif service == "events":
        for bus in {entry["EventBusName"] for entry in arguments["Entries"]}:
            yield Need("events:PutEvents", BUS if bus == "default" else bus)
    elif operation == "TransactWriteItems":
        for action in arguments["TransactItems"]:
            ((kind, part),) = action.items()
            name, field = PART[kind]
            yield _need(name, part["TableName"], {part[field]["pk"]["S"]})
    elif operation == "BatchGetItem":
        for table, part in arguments["RequestItems"].items():
            yield _need(operation, table, {key["pk"]["S"] for key in part["Keys"]})
    elif operation == "Query":
        index = f"/index/{arguments['IndexName']}" if "IndexName" in arguments else ""
        pk = arguments["ExpressionAttributeValues"].get(":pk")  # the index has another key
        yield _need(operation, arguments["TableName"], {pk["S"]} if pk else set(), index)
    else:
        item: Mapping[str, Any] = arguments.get("Key") or arguments["Item"]
        yield _need(operation, arguments["TableName"], {item["pk"]["S"]})


# Both ARNs as `_resource_name` writes them.
PARAMETERS = "arn:AWS::Partition:ssm:AWS::Region:AWS::AccountId:parameter/bridge/Stage/"
BUS = "arn:AWS::Partition:events:AWS::Region:AWS::AccountId:event-bus/EventBusName"


def _need(action: str, table: str, keys: set[str], index: str = "") -> Need:
    name = next(each for each in TABLES if each.lower() == table.rsplit("-", 1)[-1])
    return Need(f"dynamodb:{action}", f"{name}{index}", frozenset(keys))
