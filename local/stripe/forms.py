"""Form bodies and queries: parses `a[b]=c` into a tree and checks it against a closed schema.

The schemas come from schema.json; no parameter is listed by hand. Sources: Stripe API reference,
"Errors" (parameter_unknown, parameter_missing …); docs/providers.md, section G.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl

from local.stripe.errors import StripeError, empty, invalid, missing_parameter

Tree = dict[str, "str | Tree"]
Value = str | int | float | bool | list["Value"] | dict[str, "Value"]
Schema = Mapping[str, object]

KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
EMPTY_FORM: Schema = {"type": "object", "properties": {}}
UNSET = ""
"""The value of an empty string where a field may be cleared."""


@cache
def schema() -> dict[str, dict[str, Schema]]:
    """Return {forms, answers, schemas} of schema.json, read once."""
    text = Path(__file__).with_name("schema.json").read_text(encoding="utf-8")
    return cast(dict[str, dict[str, Schema]], json.loads(text))


def pairs(text: str) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of a form or a query, in order."""
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except UnicodeDecodeError as error:
        raise invalid("Invalid UTF-8 in the request") from error
    except ValueError as error:
        raise invalid("Too many parameters") from error


def tree(fields: list[tuple[str, str]]) -> Tree:
    """Nest `a[b]=c`. `a[]=c` takes the next index. A malformed name is not split."""
    root: Tree = {}
    for name, value in fields:
        match = KEY.match(name)
        if match is None:
            root[name] = value
            continue
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        node = root
        for name_part in path[:-1]:
            child = node.setdefault(name_part or str(len(node)), {})
            if not isinstance(child, dict):
                raise invalid(f"Invalid object: {name}", name)
            node = child
        node[path[-1] or str(len(node))] = value
    return root


def as_sent(values: Mapping[str, Value]) -> Tree:
    """Return the tree that a client sends for these values: texts, `true`, lists by index."""
    return {name: _as_sent(value) for name, value in values.items()}


def _as_sent(value: Value) -> str | Tree:
    if isinstance(value, dict):
        return as_sent(value)
    if isinstance(value, list):
        return as_sent({str(index): each for index, each in enumerate(value)})
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(form: Schema, given: Tree) -> dict[str, Value]:
    """Return the tree with the types of its schema.

    Raises StripeError for the first wrong field, unknown ones first, as Stripe does.
    """
    return _object(form, given, "")


def _object(form: Schema, given: Tree, prefix: str) -> dict[str, Value]:
    fields = cast(Mapping[str, Schema], form.get("properties", {}))
    unknown = [_name(prefix, each) for each in given if each not in fields]
    if unknown:
        raise _unknown(unknown)
    for name in cast(list[str], form.get("required", [])):
        if name not in given:
            raise missing_parameter(_name(prefix, name))
        if given[name] == "":
            raise empty(_name(prefix, name))
    return {name: _value(fields[name], value, _name(prefix, name)) for name, value in given.items()}


def _unknown(names: list[str]) -> StripeError:
    if "payment_method_types" in names:
        return invalid(
            "The `payment_method_types` parameter is no longer supported. Use "
            "`automatic_payment_methods` or `allowed_payment_method_types`.",
            "payment_method_types",
            "payment_method_types_no_longer_supported",
        )
    plural = "s" if len(names) > 1 else ""
    message = f"Received unknown parameter{plural}: {', '.join(names)}"
    return invalid(message, names[0], "parameter_unknown")


def _name(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _value(form: Schema, given: str | Tree, param: str) -> Value:
    if "anyOf" in form:
        return _any_of(cast(list[Schema], form["anyOf"]), given, param)
    if isinstance(given, dict):
        return _nested(form, given, param)
    return _scalar(form, given, param)


def _any_of(forms: list[Schema], given: str | Tree, param: str) -> Value:
    """Take the first alternative that fits. If none does, raise the first error of a like shape."""
    if given == "" and any("" in cast(list[str], each.get("enum", [])) for each in forms):
        return UNSET
    nested = isinstance(given, dict)
    fitting = [each for each in forms if (each.get("type") in ("object", "array")) == nested]
    first: StripeError | None = None
    for each in fitting or forms:
        try:
            return _value(each, given, param)
        except StripeError as error:
            first = first or error
    raise first or invalid(f"Invalid value: {param}", param)


def _nested(form: Schema, given: Tree, param: str) -> Value:
    kind = form.get("type")
    if kind == "array":
        items = cast(Schema, form["items"])
        if not all(each.isdigit() for each in given):
            raise invalid("Invalid array", param)
        return [_value(items, given[each], _name(param, each)) for each in sorted(given, key=int)]
    if kind != "object":
        raise invalid(f"Invalid {kind}: {param} may not be an object", param)
    extra = form.get("additionalProperties")
    if isinstance(extra, Mapping):
        return {key: _value(extra, each, _name(param, key)) for key, each in given.items()}
    return cast(Value, _object(form, given, param))


def _scalar(form: Schema, given: str, param: str) -> Value:
    kind, choices = form.get("type"), cast(list[str], form.get("enum", []))
    if given == "" and "" not in choices and (kind != "string" or choices):
        raise empty(param)
    if kind == "integer":
        if not re.fullmatch(r"-?[0-9]{1,18}", given):
            raise invalid(f"Invalid integer: {given}", param, "parameter_invalid_integer")
        return int(given)
    if kind == "boolean":
        if given not in ("true", "false"):
            raise invalid(f"Invalid boolean: {given}", param)
        return given == "true"
    if kind == "number":
        try:
            return float(given)
        except ValueError as error:
            raise invalid(f"Invalid decimal: {given}", param) from error
    if kind in ("array", "object"):
        raise invalid(f"Invalid {kind}", param)
    return _text(form, given, param, choices)


def _text(form: Schema, given: str, param: str, choices: list[str]) -> str:
    if choices and given not in choices:
        listed = ", ".join(each for each in choices if each)
        raise invalid(f"Invalid {param}: must be one of {listed}", param)
    longest = cast(int, form.get("maxLength", 5000))
    if len(given) > longest:
        raise invalid(f"Invalid string: {given[:40]}…; must be at most {longest} characters", param)
    return given
