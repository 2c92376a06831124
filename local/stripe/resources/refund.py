"""A Refund: money goes back, or an authorization is released. Shape: schema.json, refund."""

from dataclasses import dataclass, field
from typing import Literal

from local.stripe.cards import Kind
from local.stripe.resources.json import Json

Status = Literal["pending", "succeeded", "failed"]


@dataclass
class Refund:
    """`kind`: the type of the payment method.

    `reversal`: it releases money that was never captured, so no money moves.
    """

    id: str
    created: int
    amount: int
    currency: str
    charge: str
    payment_intent: str
    status: Status
    reason: str | None = None
    kind: Kind = "card"
    reversal: bool = False
    failure_reason: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def render(self) -> Json:
        """As the API returns it."""
        body: Json = {
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": None,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "metadata": dict(self.metadata),
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": self.status,
            "transfer_reversal": None,
        }
        if self.kind == "card":
            body["destination_details"] = {"card": {"type": self._movement()}, "type": "card"}
        if self.status == "pending":
            body["pending_reason"] = "processing"
        if self.failure_reason is not None:
            body["failure_reason"] = self.failure_reason
        return body

    def _movement(self) -> str:
        if self.reversal:
            return "reversal"
        return "pending" if self.status == "pending" else "refund"
