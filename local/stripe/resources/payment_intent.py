"""A PaymentIntent. Shape: schema.json, payment_intent."""

from dataclasses import dataclass, field
from typing import Literal

from local.stripe.forms import Value
from local.stripe.resources.json import Json
from local.stripe.resources.payment_method import PaymentMethod

Status = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "canceled",
    "succeeded",
]
CONFIRMABLE: tuple[Status, ...] = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
)


@dataclass
class PaymentIntent:
    """`method`: the one to charge. None after a decline; `last_error` then has that method."""

    id: str
    created: int
    amount: int
    currency: str
    client_secret: str
    status: Status = "requires_payment_method"
    automatic: bool = True
    redirects: bool = True
    allowed_types: list[str] | None = None
    excluded_types: list[str] | None = None
    capture_method: str = "automatic_async"
    customer: str | None = None
    method: PaymentMethod | None = None
    description: str | None = None
    receipt_email: str | None = None
    shipping: Value | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    setup_future_usage: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    latest_charge: str | None = None
    last_error: Json | None = None
    next_action: Json | None = None
    return_url: str | None = None
    amount_capturable: int = 0
    amount_received: int = 0
    canceled_at: int | None = None
    cancellation_reason: str | None = None

    def render(self) -> Json:
        """As the API returns it."""
        return {
            "id": self.id,
            "object": "payment_intent",
            "allowed_payment_method_types": self.allowed_types,
            "amount": self.amount,
            "amount_capturable": self.amount_capturable,
            "amount_details": {"tip": {}},
            "amount_received": self.amount_received,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": self._automatic(),
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "capture_method": self.capture_method,
            "client_secret": self.client_secret,
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": None,
            "description": self.description,
            "excluded_payment_method_types": self.excluded_types,
            "last_payment_error": self.last_error,
            "latest_charge": self.latest_charge,
            "livemode": False,
            "metadata": dict(self.metadata),
            "next_action": self.next_action,
            "on_behalf_of": None,
            "payment_method": self.method.id if self.method else None,
            "payment_method_configuration_details": None,
            "payment_method_options": {
                "card": {
                    "installments": None,
                    "mandate_options": None,
                    "network": None,
                    "request_three_d_secure": "automatic",
                }
            },
            "payment_method_types": self.types(),
            "processing": None,
            "receipt_email": self.receipt_email,
            "review": None,
            "setup_future_usage": self.setup_future_usage,
            "shipping": self.shipping,
            "statement_descriptor": self.statement_descriptor,
            "statement_descriptor_suffix": self.statement_descriptor_suffix,
            "status": self.status,
            "transfer_data": None,
            "transfer_group": None,
        }

    def _automatic(self) -> Json | None:
        if not self.automatic:
            return None
        return {"allow_redirects": "always" if self.redirects else "never", "enabled": True}

    def types(self) -> list[str]:
        """The types of payment methods that can pay it.

        Only dollars are debited from a bank account, and never held there. Source: Stripe, "ACH
        Direct Debit".
        """
        offered = self.allowed_types or ["card", "klarna", "us_bank_account"]
        excluded = set(self.excluded_types or [])
        if not self.redirects:
            excluded.add("klarna")
        if self.currency != "usd" or self.capture_method == "manual":
            excluded.add("us_bank_account")
        return [each for each in offered if each not in excluded]
