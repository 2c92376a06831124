"""HTTPS to Flowless, to identity providers, and to providers without an SDK: one pool, short
timeouts, nothing logged."""

import json
from functools import cache
from typing import Any

import urllib3

from bridge.errors import BridgeError


class Unreachable(BridgeError):
    """No answer, or none that can be read."""

    status, code = 503, "provider_unavailable"


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=50, retries=False)


def post_json(
    url: str, body: dict[str, Any], headers: dict[str, str], *, timeout_s: float, tries: int
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of the answer. A try that brings neither, or a 5xx, is repeated.

    Only for calls that may be made twice. Raises Unreachable.
    """
    headers = headers | {"Content-Type": "application/json"}
    return _ask("POST", url, json.dumps(body).encode(), headers, timeout_s, tries)


def get_json(url: str, *, timeout_s: float, tries: int) -> tuple[int, dict[str, Any]]:
    """The same for a GET; a redirect is no answer."""
    return _ask("GET", url, None, {"Accept": "application/json"}, timeout_s, tries)


def _ask(
    method: str, url: str, body: bytes | None, headers: dict[str, str], timeout_s: float, tries: int
) -> tuple[int, dict[str, Any]]:
    for _ in range(tries):
        try:
            response = _pool().request(method, url, body=body, headers=headers, timeout=timeout_s)
            body = json.loads(response.data)
        except (urllib3.exceptions.HTTPError, ValueError):
            continue
        if response.status < 500 and isinstance(body, dict):
            return response.status, body
    raise Unreachable("no answer")
