"""A Charge: one attempt to move money, also a failed one. Shape: schema.json, charge."""

from dataclasses import dataclass, field
from typing import Literal

from local.stripe.cards import DECLINES, OWN_CODES
from local.stripe.forms import Value
from local.stripe.resources.json import Json
from local.stripe.resources.payment_method import NO_CHECKS, PaymentMethod

Hold = Literal["kept", "lapsed", "declined"]


@dataclass
class Charge:
    """Amounts: in Stripe's smallest unit. `decline`: why it failed. `expires`: Unix time.

    `pending`: the bank has not answered yet. `hold`: what the bank does at a capture.
    """

    id: str
    created: int
    amount: int
    currency: str
    payment_intent: str
    method: PaymentMethod
    customer: str | None
    captured: bool
    description: str | None = None
    receipt_email: str | None = None
    shipping: Value | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    decline: str | None = None
    pending: bool = False
    hold: Hold = "kept"
    authenticated: bool = False
    amount_captured: int = 0
    amount_refunded: int = 0
    disputed: bool = False
    expires: int | None = None

    @property
    def status(self) -> Literal["pending", "succeeded", "failed"]:
        """Whether it took or reserved the money."""
        if self.pending:
            return "pending"
        return "succeeded" if self.decline is None else "failed"

    @property
    def paid(self) -> bool:
        """True if the money moved or is reserved."""
        return self.status == "succeeded"

    def render(self) -> Json:
        """As the API returns it."""
        code, message = DECLINES[self.decline] if self.decline else (None, None)
        return {
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount_captured,
            "amount_refunded": self.amount_refunded,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": self.method.render_billing_details(),
            "calculated_statement_descriptor": self._calculated_descriptor(),
            "captured": self.captured,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "disputed": self.disputed,
            "failure_balance_transaction": None,
            "failure_code": code,
            "failure_message": message,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(self.metadata),
            "on_behalf_of": None,
            "outcome": self._outcome(),
            "paid": self.paid,
            "payment_intent": self.payment_intent,
            "payment_method": self.method.id,
            "payment_method_details": self._method_details(),
            "receipt_email": self.receipt_email,
            "receipt_number": None,
            "receipt_url": f"https://pay.stripe.com/receipts/{self.id}" if self.paid else None,
            "refunded": self.amount_refunded == self.amount,
            "review": None,
            "shipping": self.shipping,
            "source_transfer": None,
            "statement_descriptor": self.statement_descriptor,
            "statement_descriptor_suffix": self.statement_descriptor_suffix,
            "status": self.status,
            "transfer_data": None,
            "transfer_group": None,
        }

    def _calculated_descriptor(self) -> str:
        """What the payer reads. A suffix stands behind the account's prefix."""
        if not self.statement_descriptor_suffix:
            return "BRIDGE SIMULATOR"
        return f"BRIDGE* {self.statement_descriptor_suffix}"[:22]

    def _outcome(self) -> Json:
        declined = self.status == "failed"
        reason = DECLINES[self.decline][0] if self.decline in OWN_CODES else self.decline
        return {
            "advice_code": "try_again_later" if declined else None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "declined_by_network" if declined else "approved_by_network",
            "reason": reason,
            "risk_level": "normal",
            "risk_score": 10,
            "seller_message": "The bank declined." if declined else "Payment complete.",
            "type": "issuer_declined" if declined else "authorized",
        }

    def _method_details(self) -> Json:
        if self.method.card.kind == "card":
            return {"card": self._card(), "type": "card"}
        account = self.method.render_account() | {"payment_reference": None}
        return {"type": self.method.card.kind, self.method.card.kind: account}

    def _card(self) -> Json:
        card = self.method.card
        secure = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
        details: Json = {
            "amount_authorized": self.amount if self.paid else None,
            "authorization_code": None,
            "brand": card.brand,
            "checks": NO_CHECKS,
            "country": card.country,
            "exp_month": self.method.exp_month,
            "exp_year": self.method.exp_year,
            "fingerprint": card.fingerprint,
            "funding": "credit",
            "installments": None,
            "last4": card.last4,
            "mandate": None,
            "network": card.brand,
            "network_token": {"used": False},
            "network_transaction_id": None,
            "regulated_status": "unregulated",
            "three_d_secure": secure if self.authenticated else None,
            "wallet": None,
        }
        if self.expires is not None and not self.captured:
            details["capture_before"] = self.expires
        return details
