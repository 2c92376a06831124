"""The log of requests as they were sent. Only the newest stay."""

import threading
from collections import Counter, deque
from dataclasses import dataclass

from werkzeug.datastructures import Headers

MAX_EXCHANGES = 5000
MAX_BODY_BYTES = 65536


@dataclass
class Exchange:
    """One request as it was sent, and the status of its response (None: no response, or not yet).

    `form`: the names as sent ("metadata[payment_id]"). `headers`: names without regard to case.
    `at`: Unix time on the simulated clock.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    form: dict[str, str]
    operation: str
    at: float
    status: int | None = None

    def render(self) -> dict[str, object]:
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
            "body": self.body.decode("utf-8", "replace"),
            "operation": self.operation,
            "at": self.at,
            "status": self.status,
        }


class Log:
    """`counts`: all requests since the last reset by operation, also those no longer in the log."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=MAX_EXCHANGES)
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def add(self, exchange: Exchange) -> None:
        """Log a request; a long body is cut."""
        exchange.body = exchange.body[:MAX_BODY_BYTES]
        with self._lock:
            self._exchanges.append(exchange)
            self.counts[exchange.operation] += 1

    def listed(self) -> list[Exchange]:
        """The logged requests, oldest first."""
        with self._lock:
            return list(self._exchanges)

    def clear(self) -> None:
        """Empty the log and set the counts to zero."""
        with self._lock:
            self._exchanges.clear()
            self.counts.clear()
