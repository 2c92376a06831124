"""What an adapter answers, in our words. Source: contracts/providers.md, section 0."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

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
FINAL: tuple[Status, ...] = ("succeeded", "canceled")  # nothing follows but refunds and disputes


class NextAction(BaseModel, frozen=True):
    """What the customer has to do now (B16)."""

    type: Literal["redirect", "use_client_secret"]
    url: str | None = None


class Dispute(BaseModel, frozen=True):
    """The latest dispute of a charge; `won` is over, as is an inquiry that was closed."""

    id: str
    state: Literal["open", "won", "lost"]


class ProviderRefund(BaseModel, frozen=True):
    """A refund as its provider tells it. `refund_id` is ours, None where it was made elsewhere."""

    provider_refund_id: str
    refund_id: str | None
    amount_cents: int
    currency: str
    status: Literal["pending", "succeeded", "failed"]
    reason: str | None = Field(default=None, repr=False)
    created_at: AwareDatetime


class ProviderChange(BaseModel, frozen=True):
    """What a provider's list says of a payment: the payment itself, one refund, or a dispute."""

    provider_payment_id: str
    payment: "ProviderPayment | None" = None
    refund: ProviderRefund | None = None
    dispute: Dispute | None = None


class Failure(BaseModel, frozen=True):
    """Why money did not move. `decline_code` is the issuer's word, where it gave one."""

    code: str
    message: str
    decline_code: str | None = None


class ProviderMethod(BaseModel, frozen=True):
    """A payment method that the provider keeps for a customer of ours."""

    token: str = Field(repr=False)
    type: str
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


class ProviderPayment(BaseModel, frozen=True):
    """A provider's payment object at one moment.

    `status` is None for a word we do not know: the merge then keeps ours. Amounts are integers in
    the currency's minor unit (ISO 4217). `is_open`: the customer can still pay this object in a
    browser. `has_method`: it could be confirmed as it is. `charged_at`: when `charge_id` was made.
    `refunds`: those that the provider told of, which are all of them in a look that asked.
    `saved`: the method that has paid and stays with its customer.
    """

    provider_payment_id: str
    status: Status | None
    raw_status: str
    total_cents: int
    captured_cents: int = 0
    refunded_cents: int = 0
    currency: str
    charge_id: str | None = None
    charged_at: AwareDatetime | None = None
    client_secret: str | None = Field(default=None, repr=False)
    next_action: NextAction | None = None
    failure: Failure | None = None
    is_open: bool = False
    dispute: Dispute | None = None
    refunds: tuple[ProviderRefund, ...] = ()
    has_method: bool = False
    saved: ProviderMethod | None = None
