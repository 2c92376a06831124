"""Send calls to Stripe through its SDK: tries, time limits, and which error means what.

The important question after every call is whether it may have been executed. Only if that is
surely not so, on every try, NotExecuted is raised; otherwise UnknownOutcome. The SDK's own retries
are off, since we must know what became of each try. Wire form: stripe 16.1.0, API version
2026-10-28.endive.

Source: docs/providers.md, section C; docs/providers.md, section F.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, Literal

import stripe

from bridge import clock, config, ssm
from bridge.errors import (
    BridgeError,
    Detail,
    NotExecuted,
    ProviderRejectedUs,
    ProviderUnavailable,
    Refused,
    TemporarilyUnavailable,
    UnknownOutcome,
    WrongState,
)

API = "https://api.stripe.com"
KEY_UNREADABLE = "Stripe's secret key cannot be read"
CONNECT_S, FAST_S, SLOW_S = 2, 8, 15
SPARE_S = 4  # kept for T2, which writes how the call ended
LEAST_S = 2  # with less than this left the call is not sent
# Exceptions that prove that nothing was sent. Of the TLS failures only a refused certificate does:
# others may come after sending.
NEVER_SENT = {
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeout",
    "SSLCertVerificationError",
}

# Stripe's parameter, and the field of ours that an error names.
FIELDS = {
    "amount": "total_cents",
    "amount_to_capture": "amount_cents",
    "currency": "currency",
    "payment_method": "payment_method_id",
    "customer": "customer_id",
    "setup_future_usage": "setup_future_usage",
    "return_url": "return_url",
    "receipt_email": "guest_data.email",
    "description": "description",
    "statement_descriptor_suffix": "statement_descriptor",
    "email": "email",
    "name": "name",
    "phone": "phone",
}

GONE = "resource_missing"
OUR_FAULT = ("parameter_unknown", "parameter_missing", GONE)

stripe.enable_telemetry = False
logging.getLogger("stripe").setLevel(logging.WARNING)  # its INFO lines quote what a caller sent

Speed = Literal["fast", "slow"]


class Declined(Refused):
    """The bank refused, or Stripe for the bank: `error` says why.

    `intent` is in the error, if there is one.
    """

    def __init__(self, error: stripe.CardError) -> None:
        super().__init__(_message(error), reason=error.code)
        self.error, self.intent = error.error, _intent_of(error)


class UnexpectedState(WrongState):
    """Stripe's error `payment_intent_unexpected_state`. `intent` is in the error."""

    def __init__(self, message: str, intent: Any) -> None:
        super().__init__(message, code="payment_state_unexpected")
        self.intent = intent


def check_ready() -> None:
    """Raises TemporarilyUnavailable if our secret key cannot be read."""
    try:
        ssm.secret("STRIPE_SECRET_KEY")
    except ssm.SecretUnavailable as error:
        raise TemporarilyUnavailable(KEY_UNREADABLE, retry_after=5) from error


def send(
    call: Callable[[stripe.StripeClient, Any], Any],
    *,
    ends_at: datetime,
    key: str | None = None,
    speed: Speed = "fast",
) -> Any:
    """Send a call, a second time if that is safe. Returns Stripe's object.

    `speed` `slow` is for confirm, capture and refund, where a bank may be slow: after a try with
    unknown outcome they are never sent again (rule 3). If the outcome of one try is unknown, the
    whole call is unknown, unless the second try brings an answer to the same key (rule 4).

    Raises NotExecuted (also its kinds Declined and UnexpectedState), or UnknownOutcome.
    Source: docs/payment-correctness.md, section 4; docs/providers.md, section F.
    """
    options = {"idempotency_key": key} if key else {}
    unknown: Exception | None = None
    server_errors, is_stored = 0, False
    refused: BridgeError = ProviderUnavailable("too little time is left to ask Stripe")
    for read_s in _tries(speed, ends_at):
        try:
            return call(_client(ssm.secret("STRIPE_SECRET_KEY"), read_s), options)
        except stripe.CardError as error:
            raise Declined(error) from error
        except ssm.SecretUnavailable as error:
            refused = ProviderUnavailable(KEY_UNREADABLE, retry_after=5)
            refused.__cause__ = error
            break
        except stripe.InvalidRequestError as error:
            raise _refusal(error) from error
        except stripe.IdempotencyError as error:  # our bug; the first call may have been executed
            raise UnknownOutcome("Stripe knows this key with other parameters") from error
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            ssm.forget_secrets()  # the key may have been rotated: the second try reads it again
            refused = ProviderRejectedUs("Stripe does not accept our credentials")
            refused.__cause__ = error
        except stripe.RateLimitError as error:
            refused = ProviderUnavailable("Stripe is limiting our rate", retry_after=1)
            refused.__cause__ = error
            break
        except stripe.APIConnectionError as error:
            if not _is_caused_by(error, NEVER_SENT):
                unknown = error
                if speed == "slow":  # the bank may be charging now: from here on only status checks
                    break
            else:
                refused = ProviderUnavailable("Stripe cannot be reached", retry_after=5)
                refused.__cause__ = error
        except stripe.StripeError as error:  # 409 in progress, 5xx, no JSON: the outcome is unknown
            unknown = error
            server_errors += (error.http_status or 0) >= 500
            is_stored = _is_replayed(error)
            if speed == "slow" or is_stored:
                break
    if unknown:
        raise UnknownOutcome(
            "Stripe did not answer in time", server_errors=server_errors, is_stored=is_stored
        ) from unknown
    raise refused


def _is_replayed(error: stripe.StripeError) -> bool:
    """Whether Stripe gives this answer to every repeat of the key, for a day.

    Source: Stripe API reference, "Idempotent requests".
    """
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    is_replayed = headers.get("idempotent-replayed") == "true"
    return is_replayed and (error.http_status or 0) >= 500


def pages(
    verb: Callable[[stripe.StripeClient], Callable[..., Any]],
    params: dict[str, Any],
    ends_at: datetime,
) -> Iterator[list[Any]]:
    """A list, newest first, page by page. Raises what `send` raises."""
    query = dict(params)

    def call(client: stripe.StripeClient, how: Any) -> Any:
        return verb(client)(params=query, options=how)

    while (page := send(call, ends_at=ends_at)).data:
        yield page.data
        if not page.has_more:
            return
        query["starting_after"] = page.data[-1].id


@cache
def _client(secret_key: str, read_s: int) -> stripe.StripeClient:
    """The SDK has no timeout per call, so there is a client per timeout; retries are ours."""
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": config.provider_base_url("STRIPE_BASE_URL", API)},
        http_client=stripe.RequestsClient(timeout=(CONNECT_S, read_s)),
        max_network_retries=0,
    )


def _tries(speed: Speed, ends_at: datetime) -> Iterator[int]:
    """The read timeout in seconds of each of two tries, as long as there is time.

    Source: docs/providers.md, section F.
    """
    for most in (SLOW_S, SLOW_S) if speed == "slow" else (FAST_S, FAST_S):
        left = int((ends_at - clock.now()).total_seconds()) - SPARE_S - CONNECT_S
        if left + CONNECT_S < LEAST_S:
            return
        yield max(1, min(most, left))


def _is_caused_by(error: BaseException, names: set[str]) -> bool:
    """Whether one of these exceptions of requests or urllib3 caused what the SDK raised.

    `__context__` is not followed: it also names exceptions that the caller happened to be handling.
    """
    seen: set[int] = set()
    causes: list[Any] = [error]
    while causes:
        each = causes.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        if type(each).__name__ in names:
            return True
        causes += [each.__cause__, getattr(each, "reason", None), *each.args]
    return False


def _intent_of(error: stripe.StripeError) -> Any:
    return getattr(error.error, "payment_intent", None)


def _message(error: stripe.StripeError) -> str:
    return error.user_message or "Stripe refused the request"


def _refusal(error: stripe.InvalidRequestError) -> NotExecuted:
    """Our error for a 4xx: wrong state, bad input on a field of ours, or a mistake of ours."""
    if error.code == "payment_intent_unexpected_state" and (intent := _intent_of(error)):
        return UnexpectedState(_message(error), intent)
    if field := FIELDS.get((error.param or "").split("[")[0]):
        details = [Detail(field, _message(error))]
        return Refused(_message(error), details=details, reason=error.code)
    if error.code in OUR_FAULT:
        return ProviderRejectedUs("Stripe does not understand our request", reason=error.code)
    return Refused(_message(error), reason=error.code)
