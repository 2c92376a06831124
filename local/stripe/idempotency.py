"""The memory of Idempotency-Keys. Source: Stripe API reference, "Idempotent requests"."""

import threading
from collections.abc import Hashable
from dataclasses import dataclass

from local.stripe.errors import StripeError

LIFETIME = 24 * 3600
LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """What goes back: `body` byte for byte, `request_id` of the request that made it.

    `stored`: the memory keeps it; `replayed`: it came out of the memory.
    """

    status: int
    body: bytes
    request_id: str
    stored: bool = True
    replayed: bool = False


@dataclass
class _Record:
    fingerprint: Hashable
    at: float
    answer: Answer | None = None


class Memory:
    """Answers by (account key, idempotency key), for 24 simulated hours."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], _Record] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._records)

    def begin(self, owner: tuple[str, str], fingerprint: Hashable, now: float) -> Answer | None:
        """Return the stored answer, or None after noting that this request runs now.

        Raises StripeError: 400 for another request under the key, 409 while the first one runs.
        """
        if len(owner[1]) > LONGEST_KEY:
            message = f"Idempotency keys can be at most {LONGEST_KEY} characters long."
            raise StripeError(400, message, stored=False)
        with self._lock:
            record = self._records.get(owner)
            if record is None or record.at + LIFETIME <= now:
                self._records[owner] = _Record(fingerprint, now)
                return None
            if record.fingerprint != fingerprint:
                raise _misused(owner[1])
            if record.answer is None:
                raise _in_use(owner[1])
            return record.answer

    def finish(self, owner: tuple[str, str], answer: Answer | None) -> None:
        """Keep the answer; None, or one that is not to be stored, frees the key."""
        with self._lock:
            record = self._records.get(owner)
            if answer is None or not answer.stored:
                self._records.pop(owner, None)
            elif record is not None:
                record.answer = answer

    def clear(self) -> None:
        with self._lock:
            self._records.clear()


def _misused(key: str) -> StripeError:
    return StripeError(
        400,
        "Keys for idempotent requests can only be used with the same parameters and endpoint they "
        f"were first used with. Try using a key other than '{key}' if you meant to execute a "
        "different request.",
        kind="idempotency_error",
        stored=False,
    )


def _in_use(key: str) -> StripeError:
    return StripeError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably "
        f"means you submitted twice, and the other request is still going through): {key}. Please "
        "try again later.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
        stored=False,
    )
