"""What the tests of template.yaml share: the functions, their event files, the routes.

`NAMES` are the functions of the template by folder, such as `native/create_customer`.
"""

import ast
import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from local import template
from tests.policies import FUNCTIONS, ROOT

BASE = "/bridge-payment"
NAMES = sorted(
    each["CodeUri"].removeprefix("functions/").removesuffix("/") for each in FUNCTIONS.values()
)
LOCAL = template.read()


def logical_id(name: str) -> str:
    """The logical id of a function: `native/create_customer` is NativeCreateCustomer."""
    return "".join(word.title() for word in re.split("[/_]", name))


def event_of(name: str) -> dict[str, Any]:
    """The event file of a function."""
    event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(event, dict)
    return event


def calls_in(folder: str) -> Iterator[tuple[str, str]]:
    """Every call in a folder whose first argument is a text: the called name, and that text."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func
                name = (
                    called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                )
                yield name, str(node.args[0].value)


CALLS = list(calls_in("layers/bridge/python/bridge"))
"""The calls of the product code: which settings, secrets and metrics it names."""


def readme_routes(readme: str) -> Iterator[tuple[str, str]]:
    """The routes in the README's table: a row for a folder, then rows of paths and methods."""
    folder = prefix = ""
    for line in readme.splitlines():
        if head := re.match(r"\| \*\*`functions/([a-z_]+)`(?:, below `(.+)`)?\*\* ", line):
            folder, prefix = head[1], head[2] or ""
        elif folder and re.match(r"\| .* \| `(\$default|[A-Z]+)` ", line):
            first, second = line.strip("| ").split(" | ")
            paths = [f" {prefix}{path}" for path in re.findall(r"`(/[^`]*)`", first)] or [""]
            for methods, function in re.findall(r"((?:`[A-Z$][A-Za-z]+` )+)`([a-z_]+)`", second):
                for method, path in product(re.findall(r"`([^`]+)`", methods), paths):
                    yield f"{method}{path}", f"{folder}/{function}"
        elif folder:
            return


# Every route of the four APIs with its function, as the README lists them for callers.
ROUTES = dict(readme_routes((ROOT / "README.md").read_text(encoding="utf-8")))
