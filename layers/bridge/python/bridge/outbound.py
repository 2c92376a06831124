"""HTTPS to Flowless, and to providers without an SDK: one pool, short timeouts, nothing logged."""

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
    sent = json.dumps(body).encode()
    headers = headers | {"Content-Type": "application/json"}
    for _ in range(tries):
        try:
            answer = _pool().request("POST", url, body=sent, headers=headers, timeout=timeout_s)
            told = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, ValueError):
            continue
        if answer.status < 500 and isinstance(told, dict):
            return answer.status, told
    raise Unreachable("no answer")
