"""The `expand` parameter. Source: Stripe API reference, "Expanding Responses".

schema.json says what can be expanded (`x-expansionResources`). What the simulator never returns as
an object stays an id or null.
"""

import json
from collections.abc import Iterator
from typing import cast

from local.stripe import listing
from local.stripe.errors import StripeError, invalid
from local.stripe.forms import Schema, schema
from local.stripe.params import Params
from local.stripe.resources.json import Json
from local.stripe.world import World

MAX_LEVELS = 4


def check(answer: Schema, paths: list[str]) -> None:
    """Check the paths of a request. Raises StripeError for one that cannot be expanded."""
    for path in paths:
        names = path.split(".")
        if len(names) > MAX_LEVELS:
            raise invalid(
                f"You cannot expand more than {MAX_LEVELS} levels of a property", "expand"
            )
        nodes = [answer]
        for name in names:
            found = [each for node in nodes for each in _property(node, name)]
            if not found:
                raise _unknown(path)
            nodes = found
        if not any(_is_expandable(each) for each in nodes):
            raise _unknown(path)


def _unknown(path: str) -> StripeError:
    return invalid(f"This property cannot be expanded ({path}).", "expand")


def _objects(node: Schema) -> Iterator[Schema]:
    """Yield the schemas that a value can have: follows references and alternatives."""
    if "$ref" in node:
        yield from _objects(schema()["schemas"][str(node["$ref"]).rpartition("/")[2]])
    elif "anyOf" in node:
        for each in cast(list[Schema], node["anyOf"]):
            yield from _objects(each)
    elif node.get("type") == "array":
        yield from _objects(cast(Schema, node["items"]))
    else:
        yield node


def _property(node: Schema, name: str) -> Iterator[Schema]:
    for each in _objects(node):
        fields = cast(dict[str, Schema], each.get("properties", {}))
        if name in fields:
            yield fields[name]


def _is_expandable(node: Schema) -> bool:
    """True for a resource by id, and for a list that is returned only if asked for (refunds)."""
    fields = cast(dict[str, object], node.get("properties", {}))
    return "x-expansionResources" in node or {"data", "has_more"} <= fields.keys()


def apply(world: World, body: Json, paths: list[str]) -> Json:
    """Return a copy of the body with these checked paths expanded. The resources do not change."""
    if not paths:
        return body
    copied = cast(Json, json.loads(json.dumps(body)))
    for path in sorted(paths):  # sorted: a parent is expanded before its children
        _expand(world, copied, path.split("."))
    return copied


def _expand(world: World, node: object, names: list[str]) -> None:
    if isinstance(node, list):
        for each in node:
            _expand(world, each, names)
    if not names or not isinstance(node, dict):
        return
    name, *rest = names
    value = node.get(name)
    if isinstance(value, str):
        node[name] = world.rendered(value) or value
    elif name not in node and "id" in node:
        node[name] = _sublist(world, node, name)
    _expand(world, node[name], rest)


def _sublist(world: World, owner: Json, name: str) -> Json:
    """Return the first page of a list that is returned only if asked for."""
    url = f"/v1/{owner['object']}s/{owner['id']}/{name}"
    resources = world.refunds.values() if name == "refunds" else ()
    mine = [each for each in resources if each.charge == owner["id"]]
    return listing.page(mine, Params({}), url, name)
