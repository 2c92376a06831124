"""The queue messages: which payment or saved method to ask the provider about. Never a state.

Source: docs/payment-correctness.md, sections 6 and 7.
"""

from typing import Annotated

import msgspec

from bridge.models.model import PRIVATE, Model
from bridge.models.provider import ProviderId

ProvidersId = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class WebhookEventReference(Model, frozen=True, kw_only=True):
    """A provider's event about a payment: the ids that lead to the payment (rule 7).

    `payment_id`: our own id, if the event's object has it. `parent_id`: the provider's object that
    belongs to the payment, in case the other two ids are missing or unknown.
    """

    provider_id: ProviderId
    event_id: ProvidersId
    type: str
    payment_id: str | None = None
    provider_payment_id: str | None = None
    parent_id: str | None = None


class MethodEventReference(Model, frozen=True, kw_only=True):
    """A provider's event about a saved payment method: only the event's ids and the token."""

    provider_id: ProviderId
    event_id: ProvidersId
    type: str
    token: Annotated[ProvidersId, PRIVATE]


class StatusCheck(Model, frozen=True, kw_only=True):
    """Ask the provider about a payment soon: how did this attempt end?"""

    payment_id: str
    attempt: int


class Parent(Model, frozen=True, kw_only=True):
    """The payment that a provider's object belongs to: our id of it, and the provider's."""

    payment_id: str | None = None
    provider_payment_id: str
