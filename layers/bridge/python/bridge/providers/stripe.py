"""The Stripe adapter: payment intents, customers, payment methods, refunds, disputes.

It uses Stripe's official SDK. How a call is sent is in stripe_calls, how objects are translated is
in stripe_objects, lists are in stripe_lists, events in stripe_events. What each verb promises:
providers/contract.py.

Source: Stripe API reference; docs/providers.md, section A.1; docs/providers.md, section C.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import stripe
from msgspec.structs import replace

from bridge.errors import NotExecuted, ProviderRejectedUs, Refused, UnknownOutcome, WrongState
from bridge.models.customer import Customer
from bridge.models.payment import Payment
from bridge.models.provider import (
    Dispute,
    ProviderMethod,
    ProviderPayment,
    ProviderRefund,
)
from bridge.models.provider_walk import ChangePage, EventPage
from bridge.models.queue_message import MethodEventReference, Parent, WebhookEventReference
from bridge.models.refund import Refund
from bridge.providers import (
    stripe_calls as calls,
    stripe_events,
    stripe_lists as lists,
    stripe_objects as objects,
)

NOT_ABLE = {
    "update": "payment_not_updatable",
    "confirm": "payment_not_confirmable",
    "cancel": "payment_not_cancelable",
    "capture": "payment_not_capturable",
}
# A refund's reasons that Stripe knows; any other text goes to its metadata.
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
NOTHING_LEFT = ("charge_already_refunded", "amount_too_large")
EXPIRED = "charge_expired_for_capture"


class Stripe:
    """One Stripe account. Its secret key is read by `ssm.secret` for each call."""

    # If the intent is in one of these states already, the call counts as done.
    ALREADY = {
        "confirm": ("succeeded", "processing", "requires_capture"),
        "cancel": ("canceled",),
        "capture": ("succeeded",),
    }
    single_capture = True
    horizon_s = 60
    create_check_s = 20 * 3600
    events_kept_s = 30 * 24 * 3600

    def check_ready(self) -> None:
        """Raises TemporarilyUnavailable if our secret key cannot be read."""
        calls.check_ready()

    def check_amount(self, cents: int, currency: str, field: str = "total_cents") -> None:
        """Raises InvalidRequest if Stripe cannot represent the amount exactly."""
        objects.to_units(cents, currency, field)

    def create_customer(self, customer: Customer, *, key: str, ends_at: datetime) -> str:
        """POST /v1/customers. Returns the id `cus_…`."""
        metadata = objects.write_metadata(customer.metadata) | {"customer_id": customer.id}
        params: Any = objects.write_customer(customer) | {"metadata": metadata}
        response = calls.send(
            lambda client, how: client.v1.customers.create(params=params, options=how),
            key=key,
            ends_at=ends_at,
        )
        return str(response.id)

    def update_customer(self, seen: Customer, changed: Customer, *, ends_at: datetime) -> None:
        """POST /v1/customers/{id} with what differs; no call if nothing does."""
        before, after = objects.write_customer(seen), objects.write_customer(changed)
        params: Any = {k: v for k, v in after.items() if v != before.get(k)}
        params |= {k: "" for k in before if k not in after}
        kept, metadata = map(objects.write_metadata, (seen.metadata, changed.metadata))
        if kept != metadata:  # Stripe merges metadata: "" removes a key that is gone
            params["metadata"] = dict.fromkeys(kept, "") | metadata
        if params:
            customer_id = changed.provider_customer_id or ""
            calls.send(
                lambda client, how: client.v1.customers.update(
                    customer_id, params=params, options=how
                ),
                ends_at=ends_at,
            )

    def delete_customer(self, provider_customer_id: str, *, ends_at: datetime) -> None:
        """DELETE /v1/customers/{id}. Stripe detaches every method of the customer."""
        try:
            calls.send(
                lambda client, how: client.v1.customers.delete(provider_customer_id, options=how),
                ends_at=ends_at,
            )
        except NotExecuted as refusal:
            if refusal.reason != calls.GONE:
                raise

    def attach_method(
        self, token: str, provider_customer_id: str, *, ends_at: datetime
    ) -> ProviderMethod:
        """POST /v1/payment_methods/{token}/attach. Raises Refused for an unknown token."""
        # Without a key: twice is the same as once, and with a key Stripe would replay a 500 for a
        # day.
        params: Any = {"customer": provider_customer_id}
        try:
            response = calls.send(
                lambda client, how: client.v1.payment_methods.attach(
                    token, params=params, options=how
                ),
                ends_at=ends_at,
            )
        except ProviderRejectedUs as refusal:  # an unknown token looks like a mistake of ours
            if refusal.reason != calls.GONE:
                raise
            raise Refused("Stripe knows no such payment method", reason=calls.GONE) from refusal
        return objects.read_method(response.id, response.type, response)

    def fetch_method(
        self, token: str, provider_customer_id: str, *, ends_at: datetime
    ) -> ProviderMethod | None:
        """GET /v1/payment_methods/{token}. None if it is not attached to that customer."""
        # Stripe keeps detached methods. If it does not know this one at all, our secret key is of
        # another account. That raises: taking it for "detached" would delete every saved method.
        response = self._retrieve_method(token, ends_at)
        if response.customer != provider_customer_id:
            return None
        return objects.read_method(response.id, response.type, response)

    def detach_method(self, token: str, *, ends_at: datetime) -> None:
        """POST /v1/payment_methods/{token}/detach. Not attached any more, or gone, is success."""
        try:
            calls.send(
                lambda client, how: client.v1.payment_methods.detach(token, options=how),
                ends_at=ends_at,
            )
        except Refused as refusal:  # Stripe has no error code for "not attached": look it up
            if refusal.reason != calls.GONE and self._retrieve_method(token, ends_at).customer:
                raise
        except NotExecuted as refusal:
            if refusal.reason != calls.GONE:
                raise

    def _retrieve_method(self, token: str, ends_at: datetime) -> Any:
        return calls.send(
            lambda client, how: client.v1.payment_methods.retrieve(token, options=how),
            ends_at=ends_at,
        )

    def create_payment(self, request: str, *, key: str, ends_at: datetime) -> ProviderPayment:
        """POST /v1/payment_intents with the text of `write_creation`. Never confirms."""
        params: Any = json.loads(request)
        intent = calls.send(
            lambda client, how: client.v1.payment_intents.create(params=params, options=how),
            key=key,
            ends_at=ends_at,
        )
        return objects.read_payment(intent)

    def update_payment(
        self, changed: Payment, token: str | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """POST /v1/payment_intents/{id}."""
        params: dict[str, Any] = objects.write_amount(changed) | objects.write_descriptor(changed)
        params["expand"] = ["latest_charge"]
        if changed.setup_future_usage:
            params["setup_future_usage"] = changed.setup_future_usage
        if token:
            params["payment_method"] = token
        return self._change("update", changed, params, key=key, ends_at=ends_at)

    def confirm_payment(
        self, payment: Payment, token: str | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """POST /v1/payment_intents/{id}/confirm. A decline is an answer with status `failed`."""
        params: dict[str, Any] = {"expand": ["latest_charge"]}
        if token:
            params["payment_method"] = token
        if payment.may_redirect:  # else the creation excluded redirects: Stripe refuses an address
            params["return_url"] = payment.return_url
        return self._change("confirm", payment, params, key=key, ends_at=ends_at, speed="slow")

    def cancel_payment(
        self, payment: Payment, reason: str, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """POST /v1/payment_intents/{id}/cancel."""
        params = {"cancellation_reason": reason, "expand": ["latest_charge"]}
        return self._change("cancel", payment, params, key=key, ends_at=ends_at)

    def capture_payment(
        self, payment: Payment, amount_cents: int | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """POST /v1/payment_intents/{id}/capture. Stripe releases what is not captured."""
        params: dict[str, Any] = {"expand": ["latest_charge"]}
        if amount_cents is not None:
            params["amount_to_capture"] = objects.to_units(amount_cents, payment.currency)
        return self._change("capture", payment, params, key=key, ends_at=ends_at, speed="slow")

    def refund_payment(
        self, payment: Payment, refund: Refund, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """POST /v1/refunds. Our refund id is in the metadata: status checks find it there.

        Raises WrongState if too little is left to refund or the charge is disputed.
        """
        metadata = {"refund_id": refund.id}
        params: Any = {
            "payment_intent": payment.provider_payment_id,
            "amount": objects.to_units(refund.amount_cents, refund.currency),
            "metadata": metadata,
            "expand": ["payment_intent.latest_charge"],
        }
        if refund.reason in REASONS:
            params["reason"] = refund.reason
        elif refund.reason:
            metadata["reason"] = refund.reason[: objects.METADATA_VALUE]
        try:
            response = calls.send(
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
        provider_state = objects.read_payment(response.payment_intent)
        return replace(provider_state, refund=objects.read_refund(response))

    def fetch_payment(self, payment: Payment, *, ends_at: datetime) -> ProviderPayment:
        """GET /v1/payment_intents/{id}; its latest dispute and its refunds only if there are any.

        They are also listed if our row has any, or the active attempt is a refund.
        """
        intent = calls.send(
            lambda client, how: client.v1.payment_intents.retrieve(
                payment.provider_payment_id or "",
                params={"expand": ["latest_charge"]},
                options=how,
            ),
            ends_at=ends_at,
        )
        provider_state = replace(objects.read_payment(intent), refunds=())
        charge = getattr(intent, "latest_charge", None)
        if provider_state.is_disputed or payment.dispute:
            dispute = self._fetch_dispute(intent.id, ends_at)
            provider_state = replace(provider_state, dispute=dispute)
        requested = payment.active_attempt.refund if payment.active_attempt else None
        if (
            provider_state.refunded_cents
            or payment.refunded_cents
            or payment.refunds_pending
            or requested
        ):
            reported = self._fetch_refunds(intent.id, charge, ends_at)
            provider_state = replace(provider_state, refunds=reported)
        return provider_state

    def find_objects(
        self, payment: Payment, since: datetime, *, ends_at: datetime
    ) -> list[ProviderPayment]:
        """GET /v1/payment_intents: those since then whose metadata has our payment id.

        Not Stripe's search: that one lags.
        """
        made = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        pages = calls.pages(lambda client: client.v1.payment_intents.list, made, ends_at)
        ours = [
            each for page in pages for each in page if objects.our_payment_id(each) == payment.id
        ]
        return [objects.read_payment(each) for each in ours]

    def cancel_duplicate(self, provider_payment_id: str, *, ends_at: datetime) -> None:
        """POST /v1/payment_intents/{id}/cancel, without a key: twice is the same as once."""
        try:
            calls.send(
                lambda client, how: client.v1.payment_intents.cancel(
                    provider_payment_id, params={"cancellation_reason": "duplicate"}, options=how
                ),
                ends_at=ends_at,
            )
        except calls.UnexpectedState as refusal:
            if refusal.intent.status not in self.ALREADY["cancel"]:
                raise

    def _fetch_dispute(self, intent_id: str, ends_at: datetime) -> Dispute | None:
        """The latest dispute. `disputed` on a charge stays true when the dispute is over."""
        page = calls.send(
            lambda client, how: client.v1.disputes.list(
                params={"payment_intent": intent_id, "limit": 1}, options=how
            ),
            ends_at=ends_at,
        )
        return objects.read_dispute(page.data[0]) if page.data else None

    def _fetch_refunds(
        self, intent_id: str, charge: Any, ends_at: datetime
    ) -> tuple[ProviderRefund, ...]:
        """The refunds of an intent, oldest first, without the release of a partial capture."""
        changed = {"payment_intent": intent_id, "limit": 100}
        pages = calls.pages(lambda client: client.v1.refunds.list, changed, ends_at)
        found = [each for page in pages for each in page]
        found.reverse()
        released = [each for each in found if charge and objects.is_release(each, charge)][:1]
        return tuple(objects.read_refund(each) for each in found if each not in released)

    def find_parent(self, object_id: str, *, ends_at: datetime) -> Parent | None:
        """The intent of an id (`pi_…`, else a charge), with our payment id from its metadata."""
        try:
            if object_id.startswith("pi_"):
                intent = calls.send(
                    lambda client, how: client.v1.payment_intents.retrieve(object_id, options=how),
                    ends_at=ends_at,
                )
            else:
                charge = calls.send(
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
        return Parent(payment_id=objects.our_payment_id(intent), provider_payment_id=intent.id)

    def list_changes(
        self, since: datetime, until: datetime, position: str | None, *, ends_at: datetime
    ) -> Iterator[ChangePage]:
        """GET /v1/payment_intents, then /v1/refunds, then /v1/disputes. See stripe_lists."""
        for page, reached in lists.pages(lists.CHANGES, since, until, position, ends_at):
            changes = filter(None, map(objects.read_change, page))
            yield ChangePage(changes=tuple(changes), position=reached)

    def list_events(
        self, since: datetime, until: datetime, position: str | None, *, ends_at: datetime
    ) -> Iterator[EventPage]:
        """GET /v1/events, for the types about payments, then those about methods."""
        for page, reached in lists.pages(lists.EVENTS, since, until, position, ends_at):
            yield stripe_events.read_page(page, reached)

    def read_event(
        self, headers: Mapping[str, str], raw: bytes
    ) -> WebhookEventReference | MethodEventReference | None:
        """The ids of a signed webhook. See stripe_events."""
        return stripe_events.read_signed(headers, raw)

    def read_partner_event(
        self, event: object
    ) -> WebhookEventReference | MethodEventReference | None:
        """The ids of an event from EventBridge, without a signature. See stripe_events."""
        return stripe_events.read(event)

    def write_creation(self, payment: Payment, token: str | None) -> str:
        """The parameters of the creation as JSON text, which is stored with the attempt."""
        ours = {"payment_id": payment.id}
        if payment.reference_code:
            ours["reference_code"] = payment.reference_code
        texts, room = objects.write_metadata(payment.metadata), objects.METADATA_KEYS - len(ours)
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
            objects.write_amount(payment)
            | objects.write_descriptor(payment)
            | {name: value for name, value in optional.items() if value}
            | {
                "automatic_payment_methods": automatic,
                "metadata": dict(list(texts.items())[:room]) | ours,
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
        speed: calls.Speed = "fast",
    ) -> ProviderPayment:
        """A call on an intent. A decline, and "already done", are answers too.

        Raises WrongState if the intent's state forbids the call.
        """

        def call(client: stripe.StripeClient, how: Any) -> Any:
            verbs = client.v1.payment_intents
            return getattr(verbs, verb)(payment.provider_payment_id, params=params, options=how)

        try:
            return objects.read_payment(calls.send(call, key=key, ends_at=ends_at, speed=speed))
        except calls.Declined as decline:
            if decline.intent is None or verb not in ("confirm", "capture"):
                raise
            declined = objects.read_failure(decline.error)
            return replace(objects.read_payment(decline.intent), declined=declined)
        except calls.UnexpectedState as refusal:
            if refusal.intent.status in self.ALREADY.get(verb, ()):
                return self._fetch_done(payment, ends_at)
            raise WrongState(str(refusal), code=NOT_ABLE[verb]) from refusal
        except Refused as refusal:
            if refusal.reason == EXPIRED:
                raise WrongState(str(refusal), code=NOT_ABLE[verb]) from refusal
            raise

    def _fetch_done(self, payment: Payment, ends_at: datetime) -> ProviderPayment:
        """The payment that is in the wanted state already. The error's intent lacks the charge.

        Raises UnknownOutcome: after "already done" a failed fetch is not a refusal.
        """
        try:
            return self.fetch_payment(payment, ends_at=ends_at)
        except NotExecuted as error:
            raise UnknownOutcome("Stripe did it, and did not say how it stands") from error
