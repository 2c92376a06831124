"""A Dispute: the customer's bank takes the money back, or asks first. Shape: schema.json."""

from dataclasses import dataclass
from typing import Literal

from local.stripe.resources.json import Json

Status = Literal["warning_needs_response", "warning_closed", "needs_response", "won", "lost"]
OPEN: tuple[Status, ...] = ("warning_needs_response", "needs_response")
REFUNDABLE: tuple[Status, ...] = ("warning_needs_response", "warning_closed", "won")
"""In these states the merchant has the money."""

EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
RESPONSE_TIME = 7 * 24 * 3600
"""Seconds that the merchant has to answer."""


@dataclass
class Dispute:
    """`inquiry`: the bank only asks, and has taken no money."""

    id: str
    created: int
    amount: int
    currency: str
    charge: str
    payment_intent: str
    brand: str
    inquiry: bool
    status: Status

    @property
    def refundable(self) -> bool:
        """Whether the charge can still be refunded."""
        return self.status in REFUNDABLE

    def render(self) -> Json:
        """As the API returns it."""
        return {
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": [],
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": self.created + RESPONSE_TIME if self.status in OPEN else None,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": self.refundable,
            "livemode": False,
            "metadata": {},
            "payment_intent": self.payment_intent,
            "payment_method_details": {
                "card": {
                    "brand": self.brand,
                    "case_type": "inquiry" if self.inquiry else "chargeback",
                    "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": "fraudulent",
            "status": self.status,
        }
