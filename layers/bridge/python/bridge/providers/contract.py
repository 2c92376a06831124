"""The protocol that every provider adapter implements.

Source: docs/providers.md, section A; docs/payment-correctness.md, section 6.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from bridge.models.customer import Customer
from bridge.models.payment import Payment
from bridge.models.provider import ProviderMethod, ProviderPayment
from bridge.models.provider_walk import ChangePage, EventPage
from bridge.models.queue_message import MethodEventReference, Parent, WebhookEventReference
from bridge.models.refund import Refund


class Provider(Protocol):
    """One provider. A decline is an answer: a ProviderPayment with the status `failed`.

    Every verb that calls the provider takes `ends_at`, the moment after which nothing may be sent.
    A verb that moves money also takes `key`, the idempotency key of its attempt. Each of them can
    raise NotExecuted (on every try surely nothing happened) or UnknownOutcome (it may have).

    `single_capture`: the object can be charged only once, so confirming again is safe.
    `horizon_s`: the longest time after sending in which a call can still take effect.
    `create_check_s`: how long the same keyed creation gives the same object, so that it can serve
    as a status check. `events_kept_s`: how long the provider's log keeps an event. All in seconds.
    """

    single_capture: bool
    horizon_s: int
    create_check_s: int
    events_kept_s: int

    def check_ready(self) -> None:
        """Raises TemporarilyUnavailable if our credentials cannot be read. Calls no provider."""

    def check_amount(self, cents: int, currency: str, field: str = "total_cents") -> None:
        """Raises InvalidRequest `amount_not_representable` if the amount does not convert exactly.

        `field` is named in the error. Calls nobody.
        """

    def create_customer(self, customer: Customer, *, key: str, ends_at: datetime) -> str:
        """Create a customer at the provider. Returns the provider's id."""

    def update_customer(self, seen: Customer, changed: Customer, *, ends_at: datetime) -> None:
        """Send what differs between the stored customer and the changed one."""

    def delete_customer(self, provider_customer_id: str, *, ends_at: datetime) -> None:
        """Delete a customer at the provider. One that is gone already is not an error."""

    def attach_method(
        self, token: str, provider_customer_id: str, *, ends_at: datetime
    ) -> ProviderMethod:
        """Save a method for a customer. One that the customer has already is an answer too.

        The token in the answer may differ from the given one. Raises Refused for a token that the
        provider does not accept.
        """

    def fetch_method(
        self, token: str, provider_customer_id: str, *, ends_at: datetime
    ) -> ProviderMethod | None:
        """A saved method as it is now, or None if that customer no longer has it.

        Raises Refused for a method that the provider has never had.
        """

    def detach_method(self, token: str, *, ends_at: datetime) -> None:
        """Detach a saved method from its customer. This cannot be undone.

        A method that is not attached any more, or gone, is not an error.
        """

    def write_creation(self, payment: Payment, token: str | None) -> str:
        """The text of the creation request. It is stored, so a status check can repeat it.

        `token` only if the caller sent the provider's own token. Calls nobody. Raises
        InvalidRequest for an amount that does not convert exactly.
        """

    def create_payment(self, request: str, *, key: str, ends_at: datetime) -> ProviderPayment:
        """Create the object that will be paid. Moves no money.

        The same key and request again give the same object.
        """

    def update_payment(
        self, changed: Payment, token: str | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Set the changed amounts and, if a token is given, another method."""

    def confirm_payment(
        self, payment: Payment, token: str | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Charge. Without a token the object is confirmed with the method that it has."""

    def cancel_payment(
        self, payment: Payment, reason: str, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Void what has not been captured. An object that is canceled already is an answer too."""

    def capture_payment(
        self, payment: Payment, amount_cents: int | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Take the authorized amount, all of it if `amount_cents` is None. The rest is released."""

    def refund_payment(
        self, payment: Payment, refund: Refund, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Refund an amount. The answer contains this refund."""

    def fetch_payment(self, payment: Payment, *, ends_at: datetime) -> ProviderPayment:
        """The object as it is now, with its latest dispute and all its refunds, if it has any."""

    def find_objects(
        self, payment: Payment, since: datetime, *, ends_at: datetime
    ) -> list[ProviderPayment]:
        """The objects in the provider's list, since then, that have the payment's id.

        Not by a search index: those lag.
        """

    def cancel_duplicate(self, provider_payment_id: str, *, ends_at: datetime) -> None:
        """Cancel an object that was made for a payment which has another one (rule 17).

        One that is canceled already is not an error. Raises WrongState if it is paid.
        """

    def find_parent(self, object_id: str, *, ends_at: datetime) -> Parent | None:
        """The payment that an object belongs to, or None if there is no such object."""

    def list_changes(
        self, since: datetime, until: datetime, position: str | None, *, ends_at: datetime
    ) -> Iterator[ChangePage]:
        """The payments, refunds and disputes that were made from `since` to before `until`.

        `position`: that of the last page that was read, so the list goes on after it; at most the
        end of that page comes again. None: from the beginning. A position never expires.
        """

    def list_events(
        self, since: datetime, until: datetime, position: str | None, *, ends_at: datetime
    ) -> Iterator[EventPage]:
        """The provider's own log of events, from `since` to before `until`; positions as above.

        Only events that `read_event` would return: of the types and of the mode that we act on.
        """

    def read_event(
        self, headers: Mapping[str, str], raw: bytes
    ) -> WebhookEventReference | MethodEventReference | None:
        """Verify a webhook's signature and read its ids. None: we do not act on this event.

        Raises InvalidRequest, TemporarilyUnavailable if our secrets cannot be read.
        """

    def read_partner_event(
        self, event: object
    ) -> WebhookEventReference | MethodEventReference | None:
        """The same for an event from the provider's own event bus, which has no signature.

        Call it only for messages that only that bus can send. Raises InvalidRequest.
        """
