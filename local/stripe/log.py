"""The verbatim log of requests, bounded: the newest stay."""

import threading
from collections import Counter, deque
from dataclasses import dataclass

from werkzeug.datastructures import Headers

KEPT = 5000
LONGEST_BODY = 65536


@dataclass
class Exchange:
    """One request as it came in, and the status it was answered with (None: no answer, yet).

    `form` holds the names as sent ("metadata[payment_id]"); `headers` compares names without
    case; `at` is Unix time on the simulated clock.
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
    """`counts`: requests by operation since the last reset, however many the log still holds."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def add(self, exchange: Exchange) -> None:
        exchange.body = exchange.body[:LONGEST_BODY]
        with self._lock:
            self._exchanges.append(exchange)
            self.counts[exchange.operation] += 1

    def listed(self) -> list[Exchange]:
        with self._lock:
            return list(self._exchanges)

    def clear(self) -> None:
        with self._lock:
            self._exchanges.clear()
            self.counts.clear()
