"""Stored responses by Idempotency-Key. Source: Stripe API reference, "Idempotent requests"."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from local.stripe.errors import StripeError

LIFETIME = 24 * 3600
"""Seconds on the simulated clock that a response is stored."""

MAX_KEY_LENGTH = 255


@dataclass(frozen=True)
class Answer:
    """A response. `request_id`: of the request that made it.

    `stored`: it is kept for its idempotency key. `replayed`: it is a stored response.
    """

    status: int
    body: bytes
    request_id: str
    stored: bool = True
    replayed: bool = False


@dataclass
class _StoredResponse:
    """The request that came with a key first. `answer`: None while that request runs."""

    fingerprint: Hashable
    at: float
    answer: Answer | None = None


class Memory:
    """Responses by (API key, idempotency key), for 24 hours of the simulated clock."""

    def __init__(self) -> None:
        self._stored: dict[tuple[str, str], _StoredResponse] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._stored)

    def begin(self, owner: tuple[str, str], fingerprint: Hashable, now: float) -> Answer | None:
        """Return the stored response, or None for a new key, which is then in use.

        Raises StripeError: 400 for another request with the same key, 409 while the first one runs.
        """
        if len(owner[1]) > MAX_KEY_LENGTH:
            message = f"Idempotency keys can be at most {MAX_KEY_LENGTH} characters long."
            raise StripeError(400, message, stored=False)
        with self._lock:
            stored = self._stored.get(owner)
            if stored is None or stored.at + LIFETIME <= now:
                self._stored[owner] = _StoredResponse(fingerprint, now)
                return None
            if stored.fingerprint != fingerprint:
                raise _misused(owner[1])
            if stored.answer is None:
                raise _in_use(owner[1])
            return stored.answer

    def finish(self, owner: tuple[str, str], answer: Answer | None) -> None:
        """Store the response. None, or a response with `stored` False, frees the key."""
        with self._lock:
            stored = self._stored.get(owner)
            if answer is None or not answer.stored:
                self._stored.pop(owner, None)
            elif stored is not None:
                stored.answer = answer

    def save(self) -> Callable[[], None]:
        """Keep a copy of the answers. Returns what brings them back, as often as it is called."""
        with self._lock:
            kept = {owner: replace(stored) for owner, stored in self._stored.items()}

        def restore() -> None:
            with self._lock:
                self._stored = {owner: replace(stored) for owner, stored in kept.items()}

        return restore

    def clear(self) -> None:
        """Forget all keys."""
        with self._lock:
            self._stored.clear()


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
