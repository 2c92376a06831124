"""Every error a caller can see, and how a provider's call can end without an answer."""

from collections.abc import Iterable
from typing import NamedTuple


class Detail(NamedTuple):
    """One field at fault: its path in the body ("guest_data.email") and what is wrong with it."""

    field: str
    message: str


class BridgeError(Exception):
    """Base. `status` is the HTTP status, `code` a stable word; the message is safe to show.

    `details` names every field at fault, not just the first; empty where none is.
    `retry_after`: seconds, where waiting helps. `replayed`: a stored answer told again (B17).
    Source: contracts/bridge.md, B5.
    """

    status, code = 500, "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Iterable[Detail] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.details = code or self.code, list(details)
        self.retry_after, self.replayed = retry_after, False


class InvalidRequest(BridgeError):
    status, code = 400, "validation_failed"


class NotAuthenticated(BridgeError):
    status, code = 401, "authentication_required"


class PaymentDeclined(BridgeError):
    """The provider refused the money. The payment is `failed` and may be confirmed again."""

    status, code = 402, "payment_declined"

    def __init__(self, message: str, *, decline_code: str | None, payment_id: str) -> None:
        super().__init__(message)
        self.decline_code, self.payment_id = decline_code, payment_id


class Forbidden(BridgeError):
    status, code = 403, "forbidden"


class NotFound(BridgeError):
    status, code = 404, "not_found"

    def __init__(self, message: str = "no such record") -> None:
        super().__init__(message)


class Conflict(BridgeError):
    """The record's state forbids it; `code` is always given."""

    status = 409


class BodyTooLarge(BridgeError):
    status, code = 413, "body_too_large"


class RateLimited(BridgeError):
    status, code = 429, "rate_limited"


class NotExecuted(BridgeError):
    """A provider's definite answer that the call was not executed, for every try of it.

    `reason` is the provider's own word for it. Source: design/convergence.md, rule 4.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Iterable[Detail] = (),
        retry_after: int | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(message, code=code, details=details, retry_after=retry_after)
        self.reason = reason


class Refused(NotExecuted):
    """The provider judged the request itself to be bad input."""

    status, code = 400, "validation_failed"


class WrongState(NotExecuted):
    """The provider's object is in a state that forbids the call; a look shows which."""

    status = 409


class ProviderRejectedUs(NotExecuted):
    """Our credentials, or a request of ours that the provider does not understand."""

    status, code = 502, "provider_error"


class ProviderUnavailable(NotExecuted):
    """Surely not sent, or turned away at the provider's door (rate limited)."""

    status, code = 503, "provider_unavailable"


class UnknownOutcome(BridgeError):
    """The call may or may not have been executed: only a look can tell (rule 4)."""

    status, code = 504, "provider_timeout"


class AuthUnavailable(BridgeError):
    status, code = 503, "auth_unavailable"


class TemporarilyUnavailable(BridgeError):
    """The store cannot be reached, or is busy: no provider was asked on account of this call.

    A write that timed out may have landed; a lock it left is over with its lease.
    """

    status, code = 503, "temporarily_unavailable"
