"""HTTPS calls to Flowless and to identity providers.

They share one connection pool and have short timeouts. Nothing of them is logged.
"""

import json
from functools import cache
from typing import Any

import urllib3

from bridge.errors import BridgeError


class Unreachable(BridgeError):
    """The other side gave no response, or none that can be read."""

    status, code = 503, "provider_unavailable"


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=50, retries=False)


def post_json(
    url: str, body: dict[str, Any], headers: dict[str, str], *, timeout_s: float, tries: int
) -> tuple[int, dict[str, Any]]:
    """Send a POST. Returns the status and the JSON object of the response.

    A try that fails, or gets a 5xx or a body that is not a JSON object, is repeated. So use it only
    for calls that may be made twice. Raises Unreachable after the last try.
    """
    headers = headers | {"Content-Type": "application/json"}
    return _ask("POST", url, json.dumps(body).encode(), headers, timeout_s, tries)


def get_json(url: str, *, timeout_s: float, tries: int) -> tuple[int, dict[str, Any]]:
    """Send a GET, as `post_json` does. Redirects are not followed. Raises Unreachable."""
    return _ask("GET", url, None, {"Accept": "application/json"}, timeout_s, tries)


def _ask(
    method: str, url: str, body: bytes | None, headers: dict[str, str], timeout_s: float, tries: int
) -> tuple[int, dict[str, Any]]:
    for _ in range(tries):
        try:
            response = _pool().request(method, url, body=body, headers=headers, timeout=timeout_s)
            received = json.loads(response.data)
        except (urllib3.exceptions.HTTPError, ValueError):
            continue
        if response.status < 500 and isinstance(received, dict):
            return response.status, received
    raise Unreachable("no answer")
