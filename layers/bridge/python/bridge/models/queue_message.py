"""What travels over the queue: which payment or saved method to look at, never its state.

Source: design/convergence.md, rule 7, sections 6 and 7.
"""

from pydantic import BaseModel, Field

from bridge.models.provider import ProviderId


class WebhookEventReference(BaseModel, frozen=True):
    """A provider's event, as far as it is read. Its ids lead to a payment; the provider is asked.

    `payment_id`: our own reference, where the event's object bears it. `parent_id`: the provider's
    object that leads to the payment where these two do not.
    """

    provider_id: ProviderId
    event_id: str = Field(min_length=1, max_length=255)
    type: str
    payment_id: str | None = None
    provider_payment_id: str | None = None
    parent_id: str | None = None


class MethodEventReference(BaseModel, frozen=True):
    """A provider's event about a payment method that it keeps: its token, and no more."""

    provider_id: ProviderId
    event_id: str = Field(min_length=1, max_length=255)
    type: str
    token: str = Field(min_length=1, max_length=255, repr=False)


class StatusCheck(BaseModel, frozen=True):
    """A payment to look at soon, and the attempt whose outcome is unknown, where it is for one."""

    payment_id: str
    attempt: int | None = None


class Parent(BaseModel, frozen=True):
    """What a provider's object says of the payment it belongs to: our id, and the provider's."""

    payment_id: str | None = None
    provider_payment_id: str | None = None
