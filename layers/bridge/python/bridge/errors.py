"""Every error that a caller can see, and the ways in which a provider's call can fail.

Source: docs/api/native.md, section 1 (B5); docs/providers.md, section C.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Detail(NamedTuple):
    """One wrong field: its path in the body ("guest_data.email") and what is wrong with it."""

    field: str
    message: str


class BridgeError(Exception):
    """Base of all errors that a caller can see. The message is safe to show.

    `status`: the HTTP status. `code`: a stable word for programs. `details`: every wrong field, not
    just the first; may be empty. `retry_after`: seconds, where it helps to wait. `replayed`: this
    is the stored response of an earlier request (B17).
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
    """The request is wrong: a field, a parameter, a header or the body as a whole."""

    status, code = 400, "validation_failed"


class NotAuthenticated(BridgeError):
    """A credential is missing, or is not valid."""

    status, code = 401, "authentication_required"


class PaymentDeclined(BridgeError):
    """The bank or the provider refused the money.

    The payment is `failed` and can be confirmed again.
    """

    status, code = 402, "payment_declined"

    def __init__(self, message: str, *, decline_code: str | None, payment_id: str) -> None:
        super().__init__(message)
        self.decline_code, self.payment_id = decline_code, payment_id


class Forbidden(BridgeError):
    """The caller is known, but may not do this in that organization."""

    status, code = 403, "forbidden"


class NotFound(BridgeError):
    """There is no such record, or it is somebody else's: both look the same."""

    status, code = 404, "not_found"

    def __init__(self, message: str = "no such record") -> None:
        super().__init__(message)


class Conflict(BridgeError):
    """The state of the record, or another request, forbids it. `code` is always given."""

    status = 409


class BodyTooLarge(BridgeError):
    """The body is larger than the limit of this endpoint."""

    status, code = 413, "body_too_large"


class RateLimited(BridgeError):
    """Too many requests; `retry_after` is always given."""

    status, code = 429, "rate_limited"


class NotExecuted(BridgeError):
    """The call was surely not executed, in none of its tries. So it may be sent again.

    `reason`: the provider's own code, if it gave one. Source: docs/payment-correctness.md, rule 4.
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
    """The provider refused the request as bad input."""

    status, code = 400, "validation_failed"


class WrongState(NotExecuted):
    """The state of the provider's object forbids the call. A status check shows the state."""

    status = 409


class ProviderRejectedUs(NotExecuted):
    """The provider refuses our credentials, or does not understand our request."""

    status, code = 502, "provider_error"


class ProviderUnavailable(NotExecuted):
    """The call could not be sent, or the provider limits our rate."""

    status, code = 503, "provider_unavailable"


class UnknownOutcome(BridgeError):
    """We do not know whether the call was executed. Only a status check can find out (rule 4).

    `server_errors`: how many tries were answered 5xx. `is_stored`: the provider has stored such an
    answer, and gives it to every repeat of the key (rule 17).
    """

    status, code = 504, "provider_timeout"

    def __init__(self, message: str, *, server_errors: int = 0, is_stored: bool = False) -> None:
        super().__init__(message)
        self.server_errors, self.is_stored = server_errors, is_stored


class AuthUnavailable(BridgeError):
    """Sessions or guest tokens cannot be checked or signed now."""

    status, code = 503, "auth_unavailable"


class TemporarilyUnavailable(BridgeError):
    """DynamoDB or the queue cannot be reached, or is busy. No money call was sent for this request.

    A write that timed out may have been made all the same. A lock that was written so ends with its
    lease.
    """

    status, code = 503, "temporarily_unavailable"
