"""What core asks of a provider. Source: contracts/providers.md, section A; convergence.md 6."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from bridge.models.customer import Customer
from bridge.models.payment import Payment
from bridge.models.provider import ProviderChange, ProviderMethod, ProviderPayment
from bridge.models.queue_message import MethodEventReference, Parent, WebhookEventReference
from bridge.models.refund import Refund


class Provider(Protocol):
    """One adapter. A decline is an answer; everything else that is no answer raises.

    Every verb takes `ends_at`, after which nothing may be sent, and a money verb the `key` of its
    attempt. Raises NotExecuted (surely nothing happened, on any try) or UnknownOutcome.
    `single_capture`: the object can be charged only once, so confirming again is safe.
    `horizon_s`: longest time after sending in which a call can still take effect.
    `create_look_s`: how long the same keyed creation gives the same object.
    """

    single_capture: bool
    horizon_s: int
    create_check_s: int

    def check_amount(self, cents: int, currency: str, field: str = "total_cents") -> None:
        """Raises InvalidRequest `amount_not_representable`, naming the field, for what does not
        convert exactly."""

    def create_customer(self, customer: Customer, *, key: str, ends_at: datetime) -> str:
        """The provider's id of a new customer."""

    def update_customer(self, seen: Customer, changed: Customer, *, ends_at: datetime) -> None:
        """Send what differs between the stored customer and the wanted one."""

    def delete_customer(self, provider_customer_id: str, *, ends_at: datetime) -> None:
        """Delete a customer there; one that is gone already is no error."""

    def attach_method(
        self, token: str, provider_customer_id: str, *, ends_at: datetime
    ) -> ProviderMethod:
        """Keep a method for a customer; one that is kept for it already is an answer too. The
        answer's token may be another one. Raises Refused for a token that it does not take."""

    def fetch_method(
        self, token: str, provider_customer_id: str, *, ends_at: datetime
    ) -> ProviderMethod | None:
        """A saved method as it is now; None where that customer has it no longer. Raises
        Refused for one that the provider has never had."""

    def detach_method(self, token: str, *, ends_at: datetime) -> None:
        """Take a saved method from its customer, for good; one that is no longer attached, or
        gone, is no error."""

    def write_creation(self, payment: Payment, token: str | None) -> str:
        """The request that makes the object, with a method's token that the caller brought."""

    def create_payment(self, request: str, *, key: str, ends_at: datetime) -> ProviderPayment:
        """Make the object that will be paid; moves no money. The same key and request again give
        the same object."""

    def update_payment(
        self, changed: Payment, token: str | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Let the object bear the wanted amounts and, if given, another method."""

    def confirm_payment(
        self, payment: Payment, token: str | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Charge. Without a token the object is confirmed with the method that it bears."""

    def cancel_payment(
        self, payment: Payment, reason: str, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Void what has not been captured; canceled already is an answer too."""

    def capture_payment(
        self, payment: Payment, amount_cents: int | None, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Take an authorized amount, by default all; the rest is released."""

    def refund_payment(
        self, payment: Payment, refund: Refund, *, key: str, ends_at: datetime
    ) -> ProviderPayment:
        """Give an amount back; the answer holds this refund."""

    def fetch_payment(self, payment: Payment, *, ends_at: datetime) -> ProviderPayment:
        """The object as it is now, with its dispute, and with all its refunds if it has any."""

    def find_parent(self, object_id: str, *, ends_at: datetime) -> Parent | None:
        """Which payment an object belongs to; None where there is no such object."""

    def list_changes(self, since: datetime, *, ends_at: datetime) -> Iterator[list[ProviderChange]]:
        """Pages of the payments, refunds and disputes that were made since then."""

    def read_event(
        self, headers: Mapping[str, str], raw: bytes
    ) -> WebhookEventReference | MethodEventReference | None:
        """What a webhook tells, once its signature is verified; None where we do not act on it.

        Raises InvalidRequest, TemporarilyUnavailable where our secrets cannot be read.
        """

    def read_partner_event(
        self, event: object
    ) -> WebhookEventReference | MethodEventReference | None:
        """The same for an event that came by the provider's own bus, which vouches for it."""
