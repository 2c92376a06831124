"""Strict JSON of request bodies. Source: docs/api/native.md, section 1 (B3)."""

import json
import math
from typing import Any

from bridge.errors import InvalidRequest

DEPTH, DIGITS = 32, 18  # the most levels of nesting, the most digits of an integer


class _Malformed(ValueError):
    """The body breaks a rule of B3. The message says which one."""


def read_json(body: bytes) -> dict[str, Any]:
    """The body as a JSON object, read strictly (B3). Raises InvalidRequest `invalid_json`."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
        _check(value, DEPTH)
    except _Malformed as error:
        raise InvalidRequest(f"the body {error}", code="invalid_json") from None
    except (ValueError, RecursionError):
        raise InvalidRequest("the body is not valid JSON", code="invalid_json") from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object", code="invalid_json")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Malformed("names a key twice")
    return found


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS:
        raise _Malformed(f"has an integer of more than {DIGITS} digits")
    return int(text)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise _Malformed("has a number that is too large")
    return number


def _no_constant(text: str) -> Any:
    raise _Malformed(f"has {text}, which is not JSON")


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        value.encode()  # a lone surrogate has no UTF-8: UnicodeEncodeError is a ValueError
        return
    if isinstance(value, dict | list):
        if not depth:
            raise _Malformed(f"is nested deeper than {DEPTH}")
        for each in value.values() if isinstance(value, dict) else value:
            _check(each, depth - 1)
        if isinstance(value, dict):
            "".join(value).encode()
