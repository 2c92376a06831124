"""Stripe Payment Intents and Customers, through the official SDK.

Source: Stripe API reference; contracts/providers.md, A.1, B, C, E, F. Wire form: stripe 16.1.0,
API version 2026-10-28.endive.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

import stripe

from bridge import clock, config
from bridge.errors import (
    BridgeError,
    Detail,
    InvalidRequest,
    NotExecuted,
    ProviderRejectedUs,
    ProviderUnavailable,
    Refused,
    UnknownOutcome,
    WrongState,
)
from bridge.models.currency import EXPONENTS
from bridge.models.customer import Customer
from bridge.models.event import Hint, Parent
from bridge.models.payment import Payment
from bridge.models.provider import (
    Dispute,
    Failure,
    NextAction,
    ProviderChange,
    ProviderMethod,
    ProviderPayment,
    ProviderRefund,
    Status,
)
from bridge.models.refund import Refund, RefundStatus
from bridge.models.text import is_email
from bridge.providers import stripe_events

API = "https://api.stripe.com"
CONNECT_S, FAST_S, SLOW_S = 2, 8, 15
SPARE_S = 4  # kept for writing down how a call ended
LEAST_S = 2  # with less than this left a call is not sent
METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500
CUSTOMER_NAME, CUSTOMER_PHONE = 256, 20
# A TLS failure counts only where the certificate was refused: others may come after sending.
NEVER_SENT = {
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeout",
    "SSLCertVerificationError",
}

# Stripe's own minor units where they differ from ISO 4217 (providers.md E).
TIMES_100 = {"ISK", "UGX"}
OVER_100 = {"MGA"}
NOT_OFFERED = {"IQD", "LYD", "CLF", "UYW", "UYI"}

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
    "email": "email",
    "name": "name",
    "phone": "phone",
}

NOT_ABLE = {
    "update": "payment_not_updatable",
    "confirm": "payment_not_confirmable",
    "cancel": "payment_not_cancelable",
    "capture": "payment_not_capturable",
}
REASONS = ("duplicate", "fraudulent", "requested_by_customer")  # of a refund; others are text
NOTHING_LEFT = ("charge_already_refunded", "amount_too_large")
GONE = "resource_missing"
OUR_FAULT = ("parameter_unknown", "parameter_missing", GONE)

stripe.enable_telemetry = False
logging.getLogger("stripe").setLevel(logging.WARNING)  # its INFO lines quote what a caller sent

Speed = Literal["fast", "slow"]


class Stripe:
    """One Stripe account. The key is read from SSM for each call and kept there for 300 seconds."""

    STATUS: dict[str, Status] = {
        "requires_payment_method": "created",
        "requires_confirmation": "created",
        "requires_action": "requires_action",
        "processing": "processing",
        "requires_capture": "requires_capture",
        "canceled": "canceled",
        "succeeded": "succeeded",
    }
    OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
    # A call whose effect is there already is done, whoever did it.
    ALREADY = {
        "confirm": ("succeeded", "processing", "requires_capture"),
        "cancel": ("canceled",),
        "capture": ("succeeded",),
    }
    REFUND_STATUS: dict[str, RefundStatus] = {
        "pending": "pending",
        "requires_action": "pending",
        "succeeded": "succeeded",
        "failed": "failed",
        "canceled": "failed",
    }
    # An inquiry that was closed, and a dispute that was prevented, cost nothing.
    DISPUTE_STATE: dict[str, Literal["won", "lost"]] = {
        "won": "won",
        "warning_closed": "won",
        "prevented": "won",
        "lost": "lost",
    }
    single_capture = True
    horizon_s = 60
    create_look_s = 20 * 3600

    def check_amount(self, cents: int, currency: str, field: str = "total_cents") -> None:
        _to_units(cents, currency, field)

    def create_customer(self, customer: Customer, *, key: str, ends_at: datetime) -> str:
        metadata = _metadata(customer.metadata) | {"customer_id": customer.id}
        params: Any = _customer_params(customer) | {"metadata": metadata}
        answer = self._send(
            lambda client, how: client.v1.customers.create(params=params, options=how),
            key=key,
            ends_at=ends_at,
        )
        return str(answer.id)

    def update_customer(self, seen: Customer, wanted: Customer, *, ends_at: datetime) -> None:
        before, after = _customer_params(seen), _customer_params(wanted)
        params: Any = {k: v for k, v in after.items() if v != before.get(k)}
        params |= {k: "" for k in before if k not in after}
        kept, metadata = _metadata(seen.metadata), _metadata(wanted.metadata)
        if kept != metadata:  # Stripe merges: "" removes a key that vanished
            params["metadata"] = dict.fromkeys(kept, "") | metadata
        if params:
            customer_id = wanted.provider_customer_id or ""
            self._send(
                lambda client, how: client.v1.customers.update(
                    customer_id, params=params, options=how
                ),
                ends_at=ends_at,
            )

    def delete_customer(self, provider_customer_id: str, *, ends_at: datetime) -> None:
        try:
            self._send(
                lambda client, how: client.v1.customers.delete(provider_customer_id, options=how),
                ends_at=ends_at,
            )
        except NotExecuted as refusal:
            if refusal.reason != GONE:
                raise

    def attach_method(
        self, token: str, provider_customer_id: str, *, ends_at: datetime
    ) -> ProviderMethod:
        # Without a key: done twice is done once, and a key would repeat a 500 for a day.
        params: Any = {"customer": provider_customer_id}
        try:
            answer = self._send(
                lambda client, how: client.v1.payment_methods.attach(
                    token, params=params, options=how
                ),
                ends_at=ends_at,
            )
        except ProviderRejectedUs as refusal:  # a token that is unknown comes as our own fault
            if refusal.reason != GONE:
                raise
            raise Refused("Stripe knows no such payment method", reason=GONE) from refusal
        return _method(answer.id, answer.type, answer)

    def detach_method(self, token: str, *, ends_at: datetime) -> None:
        def detach(client: stripe.StripeClient, how: Any) -> Any:
            return client.v1.payment_methods.detach(token, options=how)

        def fetch(client: stripe.StripeClient, how: Any) -> Any:
            return client.v1.payment_methods.retrieve(token, options=how)

        try:
            self._send(detach, ends_at=ends_at)
        except Refused as refusal:  # Stripe has no code for "not attached"
            if refusal.reason != GONE and self._send(fetch, ends_at=ends_at).customer:
                raise
        except NotExecuted as refusal:
            if refusal.reason != GONE:
                raise

    def create_payment(self, request: str, *, key: str, ends_at: datetime) -> ProviderPayment:
        params: Any = json.loads(request)
        intent = self._send(
            lambda client, how: client.v1.payment_intents.create(params=params, options=how),
            key=key,
            ends_at=ends_at,
        )
        return self._parse_payment(intent)

    def update_payment(
        self, wanted: Payment, token: str | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        params: dict[str, Any] = _amount(wanted) | {"expand": ["latest_charge"]}
        if wanted.setup_future_usage:
            params["setup_future_usage"] = wanted.setup_future_usage
        if token:
            params["payment_method"] = token
        return self._change("update", wanted, params, key=key, ends_at=ends_at)

    def confirm_payment(
        self, payment: Payment, token: str | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        params: dict[str, Any] = {"expand": ["latest_charge"]}
        if token:
            params["payment_method"] = token
        if payment.may_redirect:
            params["return_url"] = payment.return_url
        return self._change("confirm", payment, params, key=key, ends_at=ends_at, speed="slow")

    def cancel_payment(
        self, payment: Payment, reason: str, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        params = {"cancellation_reason": reason, "expand": ["latest_charge"]}
        return self._change("cancel", payment, params, key=key, ends_at=ends_at)

    def capture_payment(
        self, payment: Payment, amount_cents: int | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        params: dict[str, Any] = {"expand": ["latest_charge"]}
        if amount_cents is not None:
            params["amount_to_capture"] = _to_units(amount_cents, payment.currency)
        return self._change("capture", payment, params, key=key, ends_at=ends_at, speed="slow")

    def refund_payment(
        self, payment: Payment, refund: Refund, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        metadata = {"refund_id": refund.id}
        params: Any = {
            "payment_intent": payment.provider_payment_id,
            "amount": _to_units(refund.amount_cents, refund.currency),
            "metadata": metadata,
            "expand": ["payment_intent.latest_charge"],
        }
        if refund.reason in REASONS:
            params["reason"] = refund.reason
        elif refund.reason:
            metadata["reason"] = refund.reason[:METADATA_VALUE]
        try:
            answer = self._send(
                lambda client, how: client.v1.refunds.create(params=params, options=how),
                key=key,
                ends_at=ends_at,
                speed="slow",
            )
        except Refused as refusal:
            if refusal.reason in NOTHING_LEFT:
                raise WrongState(str(refusal), code="amount_exceeds_available") from refusal
            if refusal.reason == "charge_disputed":
                raise WrongState(str(refusal), code="payment_not_refundable") from refusal
            raise
        shown = self._parse_payment(answer.payment_intent)
        return shown.model_copy(update={"refunds": (self._parse_refund(answer),)})

    def fetch_payment(self, payment: Payment, *, ends_at: datetime) -> ProviderPayment:
        intent = self._send(
            lambda client, how: client.v1.payment_intents.retrieve(
                payment.provider_payment_id or "",
                params={"expand": ["latest_charge"]},
                options=how,
            ),
            ends_at=ends_at,
        )
        shown, charge = self._parse_payment(intent), getattr(intent, "latest_charge", None)
        if charge and charge.disputed:
            shown = shown.model_copy(update={"dispute": self._fetch_dispute(intent.id, ends_at)})
        asked = payment.live.refund if payment.live else None
        if shown.refunded_cents or payment.refunded_cents or payment.refunds_pending or asked:
            told = self._fetch_refunds(intent.id, charge, ends_at)
            given = sum(each.amount_cents for each in told if each.status != "failed")
            shown = shown.model_copy(update={"refunds": told, "refunded_cents": given})
        return shown

    def _fetch_dispute(self, intent_id: str, ends_at: datetime) -> Dispute | None:
        """The latest: Stripe leaves `disputed` on the charge when a dispute is over."""
        page = self._send(
            lambda client, how: client.v1.disputes.list(
                params={"payment_intent": intent_id, "limit": 1}, options=how
            ),
            ends_at=ends_at,
        )
        return self._parse_dispute(page.data[0]) if page.data else None

    def _parse_dispute(self, dispute: Any) -> Dispute:
        return Dispute(id=dispute.id, state=self.DISPUTE_STATE.get(dispute.status, "open"))

    def _fetch_refunds(
        self, intent_id: str, charge: Any, ends_at: datetime
    ) -> tuple[ProviderRefund, ...]:
        """All that gave money back, oldest first: what a partial capture released did not."""
        wanted = {"payment_intent": intent_id, "limit": 100}
        pages = self._pages(lambda client: client.v1.refunds.list, wanted, ends_at)
        found = [each for page in pages for each in page]
        found.reverse()
        released = charge.amount - charge.amount_captured if charge else 0
        for number, each in enumerate(found):
            if released and each.amount == released and not _our_refund_id(each):
                del found[number]
                break
        return tuple(map(self._parse_refund, found))

    def find_parent(self, object_id: str, *, ends_at: datetime) -> Parent | None:
        try:
            if object_id.startswith("pi_"):
                intent = self._send(
                    lambda client, how: client.v1.payment_intents.retrieve(object_id, options=how),
                    ends_at=ends_at,
                )
            else:
                charge = self._send(
                    lambda client, how: client.v1.charges.retrieve(
                        object_id, params={"expand": ["payment_intent"]}, options=how
                    ),
                    ends_at=ends_at,
                )
                intent = charge.payment_intent
        except ProviderRejectedUs as error:
            if error.reason == "resource_missing":
                return None
            raise
        if intent is None:
            return None
        reference = getattr(intent.metadata, "payment_id", None)
        return Parent(payment_id=reference, provider_payment_id=intent.id)

    def list_changes(self, since: datetime, *, ends_at: datetime) -> Iterator[list[ProviderChange]]:
        """Of a payment itself no refunds and no dispute are told: those have lists of their own."""
        made = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        whole = made | {"expand": ["data.latest_charge"]}
        for page in self._pages(lambda client: client.v1.payment_intents.list, whole, ends_at):
            yield [
                ProviderChange(provider_payment_id=each.id, payment=self._parse_payment(each))
                for each in page
            ]
        for page in self._pages(lambda client: client.v1.refunds.list, made, ends_at):
            yield [
                ProviderChange(
                    provider_payment_id=each.payment_intent, refund=self._parse_refund(each)
                )
                for each in page
                if each.payment_intent
            ]
        for page in self._pages(lambda client: client.v1.disputes.list, made, ends_at):
            yield [
                ProviderChange(
                    provider_payment_id=each.payment_intent, dispute=self._parse_dispute(each)
                )
                for each in page
                if each.payment_intent
            ]

    def _pages(
        self,
        verb: Callable[[stripe.StripeClient], Callable[..., Any]],
        params: dict[str, Any],
        ends_at: datetime,
    ) -> Iterator[list[Any]]:
        """A list, newest first, page by page."""
        wanted = dict(params)

        def call(client: stripe.StripeClient, how: Any) -> Any:
            return verb(client)(params=wanted, options=how)

        while (page := self._send(call, ends_at=ends_at)).data:
            yield page.data
            if not page.has_more:
                return
            wanted["starting_after"] = page.data[-1].id

    def read_event(self, headers: Mapping[str, str], raw: bytes) -> Hint | None:
        return stripe_events.read_signed(headers, raw)

    def read_partner_event(self, event: object) -> Hint | None:
        return stripe_events.read(event)

    def write_creation(self, payment: Payment, token: str | None) -> str:
        ours = {"payment_id": payment.id}
        if payment.reference_code:
            ours["reference_code"] = payment.reference_code
        room = METADATA_KEYS - len(ours)
        automatic: dict[str, Any] = {"enabled": True}
        if not payment.may_redirect:
            automatic["allow_redirects"] = "never"
        optional = {
            "customer": payment.provider_customer_id,
            "payment_method": token,
            "description": payment.description,
            "receipt_email": payment.guest.email if payment.guest else None,
            "setup_future_usage": payment.setup_future_usage,
            "capture_method": "manual" if payment.capture_method == "manual" else None,
        }
        params = (
            _amount(payment)
            | {name: value for name, value in optional.items() if value}
            | {
                "automatic_payment_methods": automatic,
                "metadata": dict(list(_metadata(payment.metadata).items())[:room]) | ours,
                "expand": ["latest_charge"],
            }
        )
        return json.dumps(params)

    def _change(
        self,
        verb: Literal["update", "confirm", "cancel", "capture"],
        payment: Payment,
        params: dict[str, Any],
        *,
        key: str,
        ends_at: datetime,
        speed: Speed = "fast",
    ) -> ProviderPayment:
        """A call on an intent: an answer, or what was in the way of one."""

        def call(client: stripe.StripeClient, how: Any) -> Any:
            verbs = client.v1.payment_intents
            return getattr(verbs, verb)(payment.provider_payment_id, params=params, options=how)

        try:
            return self._parse_payment(self._send(call, key=key, ends_at=ends_at, speed=speed))
        except _Declined as decline:  # a decline is an answer
            if decline.intent is None:
                raise
            return self._parse_payment(decline.intent)
        except _UnexpectedState as refusal:
            if refusal.intent.status in self.ALREADY.get(verb, ()):
                return self._fetch_done(payment, ends_at)
            raise WrongState(str(refusal), code=NOT_ABLE[verb]) from refusal

    def _fetch_done(self, payment: Payment, ends_at: datetime) -> ProviderPayment:
        """What somebody else did already, with its charge: the intent of an error lacks it."""
        try:
            return self.fetch_payment(payment, ends_at=ends_at)
        except NotExecuted as error:
            raise UnknownOutcome("Stripe did it, and did not say how it stands") from error

    def _send(
        self,
        call: Callable[[stripe.StripeClient, Any], Any],
        *,
        ends_at: datetime,
        key: str | None = None,
        speed: Speed = "fast",
    ) -> Any:
        """Send, once more where that is safe, and say for certain what is certain.

        One try whose outcome is unknown makes the whole unknown, unless an answer to the same
        bytes comes back (convergence.md, rule 4). Raises NotExecuted, _Declined and
        _UnexpectedState among them, or UnknownOutcome.
        """
        options = {"idempotency_key": key} if key else {}
        unknown: Exception | None = None
        refused: BridgeError = ProviderUnavailable("too little time is left to ask Stripe")
        for read_s in _tries(speed, ends_at):
            try:
                return call(_client(config.secret("STRIPE_SECRET_KEY"), read_s), options)
            except stripe.CardError as error:
                raise _Declined(_message(error), _intent_of(error), error.code) from error
            except config.SecretUnavailable as error:
                refused = ProviderRejectedUs("Stripe's secret key cannot be read")
                refused.__cause__ = error
                break
            except stripe.InvalidRequestError as error:
                raise _refusal(error) from error
            except stripe.IdempotencyError as error:  # our bug, and the first call may have landed
                raise UnknownOutcome("Stripe knows this key with other parameters") from error
            except (stripe.AuthenticationError, stripe.PermissionError) as error:
                config.forget_secrets()  # they may have rotated: the second try reads them anew
                refused = ProviderRejectedUs("Stripe does not accept our credentials")
                refused.__cause__ = error
            except stripe.RateLimitError as error:
                refused = ProviderUnavailable("Stripe is limiting our rate", retry_after=1)
                refused.__cause__ = error
                break
            except stripe.APIConnectionError as error:
                if not _is_caused_by(error, NEVER_SENT):
                    unknown = error
                    if speed == "slow":  # a bank may be at work: from here on only looks
                        break
                else:
                    refused = ProviderUnavailable("Stripe cannot be reached", retry_after=5)
                    refused.__cause__ = error
            except stripe.StripeError as error:  # 409 in progress, a 5xx, no JSON: nothing decided
                unknown = error
                if speed == "slow":
                    break
        if unknown:
            raise UnknownOutcome("Stripe did not answer in time") from unknown
        raise refused

    def _parse_payment(self, intent: Any) -> ProviderPayment:
        status = self.STATUS.get(intent.status)  # None: a word we do not know; the merge keeps ours
        error = getattr(intent, "last_payment_error", None)
        if intent.status == "requires_payment_method" and error:
            status = "failed"  # elsewhere it may be the trace of an earlier attempt
        currency = intent.currency.upper()
        charge = getattr(intent, "latest_charge", None)
        expanded = None if isinstance(charge, str) else charge
        return ProviderPayment(
            provider_payment_id=intent.id,
            status=status,
            raw_status=intent.status,
            total_cents=_from_units(intent.amount, currency),
            captured_cents=_from_units(getattr(intent, "amount_received", 0) or 0, currency),
            refunded_cents=_from_units(_given_back(expanded), currency) if expanded else 0,
            currency=currency,
            charge_id=expanded.id if expanded else charge,
            charged_at=datetime.fromtimestamp(expanded.created, UTC) if expanded else None,
            client_secret=intent.client_secret,
            next_action=_next_action(intent),
            failure=_failure(error) if status == "failed" else None,
            is_open=intent.status in self.OPEN,
            has_method=bool(getattr(intent, "payment_method", None)),
            saved=_saved(intent, expanded),
        )

    def _parse_refund(self, refund: Any) -> ProviderRefund:
        currency = refund.currency.upper()
        return ProviderRefund(
            provider_refund_id=refund.id,
            refund_id=_our_refund_id(refund),
            amount_cents=_from_units(refund.amount, currency),
            currency=currency,
            status=self.REFUND_STATUS.get(refund.status, "pending"),
            reason=refund.reason,
            created_at=datetime.fromtimestamp(refund.created, UTC),
        )


class _Declined(Refused):
    """The bank, or Stripe for it, refused; the intent is in the error where there is one."""

    def __init__(self, message: str, intent: Any, reason: str | None) -> None:
        super().__init__(message, reason=reason)
        self.intent = intent


class _UnexpectedState(WrongState):
    """payment_intent_unexpected_state: the intent is in the error."""

    def __init__(self, message: str, intent: Any) -> None:
        super().__init__(message, code="payment_state_unexpected")
        self.intent = intent


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
    """The read timeout of each of two tries, as long as there is time (providers.md F)."""
    for most in (SLOW_S, SLOW_S) if speed == "slow" else (FAST_S, FAST_S):
        left = int((ends_at - clock.now()).total_seconds()) - SPARE_S - CONNECT_S
        if left + CONNECT_S < LEAST_S:
            return
        yield max(1, min(most, left))


def _is_caused_by(error: BaseException, names: set[str]) -> bool:
    """Whether one of these exceptions of requests or urllib3 is behind what the SDK raised.

    Never by `__context__`: that also names whatever was being handled further out.
    """
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        if type(each).__name__ in names:
            return True
        waiting += [each.__cause__, getattr(each, "reason", None), *each.args]
    return False


def _intent_of(error: stripe.StripeError) -> Any:
    return getattr(error.error, "payment_intent", None)


def _message(error: stripe.StripeError) -> str:
    return error.user_message or "Stripe refused the request"


def _refusal(error: stripe.InvalidRequestError) -> NotExecuted:
    if error.code == "payment_intent_unexpected_state" and (intent := _intent_of(error)):
        return _UnexpectedState(_message(error), intent)
    if field := FIELDS.get((error.param or "").split("[")[0]):
        details = [Detail(field, _message(error))]
        return Refused(_message(error), details=details, reason=error.code)
    if error.code in OUR_FAULT:
        return ProviderRejectedUs("Stripe does not understand our request", reason=error.code)
    return Refused(_message(error), reason=error.code)


def _method(token: str, kind: str, details: Any) -> ProviderMethod:
    """`details` has what may be shown under the method's own type; only cards are looked into."""
    card = getattr(details, "card", None)
    return ProviderMethod(
        token=token,
        type=kind,
        brand=getattr(card, "brand", None),
        last4=getattr(card, "last4", None),
        exp_month=getattr(card, "exp_month", None),
        exp_year=getattr(card, "exp_year", None),
    )


def _saved(intent: Any, charge: Any) -> ProviderMethod | None:
    """With setup_future_usage and a customer Stripe keeps the method that has paid, also where what
    it held was given up since."""
    is_kept = getattr(intent, "setup_future_usage", None) and getattr(intent, "customer", None)
    token = getattr(intent, "payment_method", None)
    details = getattr(charge, "payment_method_details", None)
    if not (is_kept and token and details and charge.status == "succeeded"):
        return None
    return _method(token, details.type, details)


def _next_action(intent: Any) -> NextAction | None:
    action = getattr(intent, "next_action", None)
    if intent.status != "requires_action" or action is None:
        return None
    if action.type == "redirect_to_url":
        return NextAction(type="redirect", url=action.redirect_to_url.url)
    return NextAction(type="use_client_secret")


def _failure(error: Any) -> Failure:
    code, decline = getattr(error, "code", None), getattr(error, "decline_code", None)
    message = getattr(error, "message", None) or "The payment was declined."
    return Failure(code=code or "payment_failed", message=message, decline_code=decline)


def _our_refund_id(refund: Any) -> str | None:
    return getattr(refund.metadata, "refund_id", None)


def _given_back(charge: Any) -> int:
    """Stripe also counts as refunded what a partial capture, or a cancellation, has released."""
    released: int = charge.amount - charge.amount_captured
    return max(0, charge.amount_refunded - released)


def _amount(payment: Payment) -> dict[str, Any]:
    amount = _to_units(payment.total_cents, payment.currency)
    return {"amount": amount, "currency": payment.currency.lower()}


def _customer_params(customer: Customer) -> dict[str, str]:
    """What Stripe takes of it; the rest stays with us. Other APIs know an e-mail that is no
    address, longer names, and phones of more characters."""
    email, name, phone = customer.email or "", customer.name or "", customer.phone or ""
    fields = {
        "email": email if is_email(email) else "",
        "name": name[:CUSTOMER_NAME],
        "phone": phone if len(phone) <= CUSTOMER_PHONE else "",
    }
    return {name: value for name, value in fields.items() if value}


def _metadata(metadata: dict[str, Any]) -> dict[str, str]:
    """What Stripe takes of a caller's metadata; the rest stays with us (B4)."""
    texts = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in metadata.items()
        if isinstance(value, str | bool | int | float)  # nested values stay with us, too
    }
    fits = {
        key: text
        for key, text in texts.items()
        if len(key) <= METADATA_KEY
        and text
        and len(text) <= METADATA_VALUE
        and not set("[]") & set(key)
        and key not in ("payment_id", "customer_id", "reference_code")
    }
    return dict(list(fits.items())[: METADATA_KEYS - 2])  # our own keys need room


def _to_units(cents: int, currency: str, field: str = "total_cents") -> int:
    """ISO minor units as Stripe counts them. Raises InvalidRequest `amount_not_representable`."""
    if currency in NOT_OFFERED:
        raise _not_representable("currency", f"Stripe does not offer {currency}")
    if currency in OVER_100 and cents % 100:
        raise _not_representable(field, f"must be a multiple of 100 in {currency}")
    if EXPONENTS[currency] == 3 and cents % 10:
        raise _not_representable(field, f"must be a multiple of 10 in {currency}")
    if currency in TIMES_100:
        return cents * 100
    return cents // 100 if currency in OVER_100 else cents


def _from_units(units: int, currency: str) -> int:
    if currency in TIMES_100:
        return units // 100
    return units * 100 if currency in OVER_100 else units


def _not_representable(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(
        f"{field} {message}", code="amount_not_representable", details=[Detail(field, message)]
    )
