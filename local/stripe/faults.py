"""Fault injection: what goes wrong, for which requests, how often.

Source: docs/providers.md, section G.
"""

import threading
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

KINDS = {
    "hang_before": "no effect, and no answer for `seconds`; then the connection is closed",
    "hang_after": "the effect, and no answer for `seconds`; then the connection is closed",
    "drop_before": "no effect, the connection is closed",
    "drop_after": "the effect, then the connection is closed",
    "500_before": "no effect, 500, nothing remembered for the key",
    "500_stored": "no effect, and a 500 that the idempotency memory keeps and replays",
    "500_after": "the effect, and a 500 that the idempotency memory keeps and replays",
    "429": "no effect, rate limited, with Retry-After of `retry_after` seconds",
    "503": "no effect, the edge is overloaded",
    "html_502": "no effect, a page of a proxy instead of JSON",
    "401": "no effect, the key is refused",
    "403": "no effect, a restricted key lacks the permission",
    "409": "no effect, another request uses the idempotency key",
    "lock_timeout": "no effect, 429: the object is in use elsewhere",
    "stale": "a read answers as of before the newest write, if that was within `lag` seconds",
    "slow": "waits `ms` and then does everything: the effect may come after the client gave up",
    "truncated_body": "the effect, and half a body; `framed`: with a Content-Length to match",
}


@dataclass
class Fault:
    """Fires on the `nth` matching request (from 1) and the next ones, `times` in all.

    `times` None: always. It matches by operation name, method and path (shell pattern). An empty
    one matches all, but `stale` only reads. Raises ValueError for an unknown kind.
    """

    kind: str
    operation: str = ""
    method: str = ""
    path: str = ""
    nth: int = 1
    times: int | None = 1
    seconds: float = 30.0
    lag: float = 10.0
    ms: int = 0
    retry_after: int = 1
    framed: bool = False
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault {self.kind!r}, know {', '.join(KINDS)}")

    def matches(self, operation: str, method: str, path: str) -> bool:
        """Whether the fault is for this request."""
        return (
            (self.kind != "stale" or method == "GET")
            and self.operation in ("", operation)
            and self.method.upper() in ("", method)
            and (not self.path or fnmatchcase(path, self.path))
        )

    def fires(self) -> bool:
        """Count a matching request; True if the fault acts on it."""
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True


class Faults:
    """The faults that are set now. The first one that matches and fires decides a request."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Set one more fault, behind the others."""
        with self._lock:
            self._set.append(fault)

    def take(self, operation: str, method: str, path: str) -> Fault | None:
        """Return the fault that acts on this request, or None."""
        with self._lock:
            for fault in self._set:
                if fault.matches(operation, method, path) and fault.fires():
                    return fault
        return None

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._set.clear()

    def listed(self) -> list[dict[str, object]]:
        """The faults as JSON, with how often each matched and fired."""
        with self._lock:
            return [asdict(fault) for fault in self._set]
