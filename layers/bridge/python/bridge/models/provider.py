"""What a provider adapter returns, in our own terms. Source: docs/providers.md, section A."""

import hashlib
from typing import Annotated, Literal

from bridge.models.model import PRIVATE, Model, Time

ProviderId = Literal["stripe", "paypal", "authorize_net"]
Status = Literal[
    "new",
    "created",
    "requires_action",
    "processing",
    "requires_capture",
    "failed",
    "succeeded",
    "canceled",
]
FINAL: tuple[Status, ...] = ("succeeded", "canceled")  # only refunds and disputes can follow
Usage = Literal["on_session", "off_session"]


def method_digest(token: str) -> str:
    """The SHA-256 of a method's token in hex: rows compare it, and must not contain the secret."""
    return hashlib.sha256(token.encode()).hexdigest()


class NextAction(Model, frozen=True, kw_only=True):
    """What the payer has to do now (B16)."""

    type: Literal["redirect", "use_client_secret"]
    url: str | None = None


class Dispute(Model, frozen=True, kw_only=True):
    """The latest dispute of a charge. `won` also stands for an inquiry that was closed."""

    id: str
    state: Literal["open", "won", "lost"]


class ProviderRefund(Model, frozen=True, kw_only=True):
    """A refund as the provider reports it. `refund_id` is ours; None if it was made elsewhere."""

    provider_refund_id: str
    refund_id: str | None
    amount_cents: int
    currency: str
    status: Literal["pending", "succeeded", "failed"]
    reason: Annotated[str | None, PRIVATE] = None
    created_at: Time


class ProviderChange(Model, frozen=True, kw_only=True):
    """One line of a provider's lists: a payment, or one of its refunds, or its dispute.

    `refunded_cents`: what a listed refund's payment has given back in all. A refund that only
    releases what was authorized and not captured has this sum and no `refund`.
    """

    provider_payment_id: str
    payment: "ProviderPayment | None" = None
    refund: ProviderRefund | None = None
    refunded_cents: int | None = None
    dispute: Dispute | None = None


class Failure(Model, frozen=True, kw_only=True):
    """Why money did not move. `decline_code` is the bank's code, if it gave one."""

    code: str
    message: str
    decline_code: str | None = None


class ProviderMethod(Model, frozen=True, kw_only=True):
    """A payment method that the provider stores for a customer of ours."""

    token: Annotated[str, PRIVATE]
    type: str
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


class ProviderPayment(Model, frozen=True, kw_only=True):
    """A provider's payment object at one moment: the provider state.

    Every answer has the object itself. `payment_id`: our own id, if the object has it. `status` is
    None for a status that we do not know; the merge then keeps ours. `raw_status` is the provider's
    own word. Amounts are integers in the currency's minor unit (ISO 4217). `is_open`: the payer can
    still pay this object in a browser. `method`: the `method_digest` of the method that it would be
    confirmed with. `declined`: why the call that brought this answer moved no money. `saved`: the
    method that has paid and stays with its customer.

    What belongs to the charge, its refunds or its dispute is in some answers only. There None
    always means "not told", never "none" (rule 13). `charged_at`: when the charge `charge_id` was
    made. `refunded_cents`: the sum that the charge gives. `refunds`: all of them; a status check
    always tells. `refund`: the one that this call has made. `is_disputed`: the charge has, or had,
    a dispute; `dispute` is the latest one.
    """

    provider_payment_id: str
    payment_id: str | None = None
    status: Status | None
    raw_status: str
    total_cents: int
    currency: str
    captured_cents: int = 0
    setup_future_usage: Usage | None = None
    statement_descriptor: Annotated[str | None, PRIVATE] = None
    method: str | None = None
    client_secret: Annotated[str | None, PRIVATE] = None
    next_action: NextAction | None = None
    failure: Failure | None = None
    declined: Failure | None = None
    is_open: bool = False
    saved: ProviderMethod | None = None
    charge_id: str | None = None
    charged_at: Time | None = None
    refunded_cents: int | None = None
    refunds: tuple[ProviderRefund, ...] | None = None
    refund: ProviderRefund | None = None
    is_disputed: bool = False
    dispute: Dispute | None = None
