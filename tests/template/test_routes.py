"""template.yaml against the tree: resources, event files, test files, the README and the routes."""

import base64
import re
from typing import Any

import pytest

from tests.policies import FUNCTIONS, ROOT
from tests.template.stack import LOCAL, NAMES, ROUTES, event_of, logical_id


def body_of(event: dict[str, Any]) -> bytes:
    """The bytes of the event's body: forms arrive in base64, JSON as text."""
    body = event.get("body", "").encode()
    return base64.b64decode(body) if event["isBase64Encoded"] else body


def routes_of(name: str) -> list[str]:
    """The route keys of a function, the documented one first."""
    routes = LOCAL.functions[logical_id(name)].routes
    return [
        "$default" if each.path == "$default" else f"{each.method} {each.path}" for each in routes
    ]


EVENTS = [name for name in NAMES if (ROOT / "events" / f"{name}.json").exists()]


def test_every_function_has_a_resource_and_every_resource_a_function() -> None:
    handlers = ROOT.glob("functions/*/*/handler.py")
    folders = {str(each.parent.relative_to(ROOT / "functions")) for each in handlers}
    assert folders ^ set(NAMES) == set()
    assert {logical_id(name): f"functions/{name}/" for name in NAMES} == {
        function: each["CodeUri"] for function, each in FUNCTIONS.items()
    }


def test_every_function_has_an_event_file_and_every_event_file_a_function() -> None:
    events = ROOT.glob("events/*/*.json")
    names = {str(each.relative_to(ROOT / "events").with_suffix("")) for each in events}
    assert names ^ set(NAMES) == set()


def test_every_function_has_a_test_file_and_every_test_file_a_function() -> None:
    files = (ROOT / "tests" / "functions").glob("*/test_*.py")
    names = {f"{each.parent.name}/{each.stem.removeprefix('test_')}" for each in files}
    assert names ^ set(NAMES) == set()


def test_readme_mentions_every_function() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    mentioned = set(re.findall(r"`([a-z_]+)`", readme))
    assert [name for name in NAMES if name.split("/")[1] not in mentioned] == []


def test_functions_have_no_dependencies_of_their_own() -> None:
    assert list(ROOT.glob("functions/**/requirements.txt")) == []


def test_routes_are_those_of_the_readme() -> None:
    written = {(route, name) for name in NAMES for route in routes_of(name)}
    assert written ^ set(ROUTES.items()) == set()


@pytest.mark.parametrize("name", [name for name in EVENTS if routes_of(name)])
def test_http_event_file_is_what_the_gateway_sends_on_the_functions_route(name: str) -> None:
    event = event_of(name)
    about = event["requestContext"]
    key, http = event["routeKey"], about["http"]
    assert event["version"] == "2.0"
    assert key == about["routeKey"] == routes_of(name)[0]
    assert event["rawPath"] == http["path"]
    assert [each for each in event["headers"] if each != each.lower()] == []
    assert int(event["headers"]["content-length"]) == len(body_of(event))
    if key != "$default":
        method, path = key.split(" ")
        pairs = list(zip(path.split("/"), event["rawPath"].split("/"), strict=True))
        assert http["method"] == method
        assert [sent for part, sent in pairs if part != sent and part[0] != "{"] == []
        parameters = {part.strip("{+}"): sent for part, sent in pairs if part[:1] == "{"}
        assert event.get("pathParameters", {}) == parameters
