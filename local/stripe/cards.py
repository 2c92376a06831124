"""Stripe's test cards and bank accounts: what `pm_card_*`, `tok_*` and their raw numbers do.

Sources: Stripe, "Testing", "ACH Direct Debit" (test account numbers); docs/providers.md, section G.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

Kind = Literal["card", "us_bank_account"]
Authentication = Literal["none", "always", "unless_set_up"]
Refunds = Literal["at_once", "late", "fail"]
Disputes = Literal["chargeback", "inquiry"]

DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
    "debit_insufficient_funds": (
        "insufficient_funds",
        "The customer's account has insufficient funds to cover this payment.",
    ),
}
"""reason: (code, message)."""

OWN_CODES = frozenset(
    {"expired_card", "incorrect_cvc", "processing_error", "debit_insufficient_funds"}
)
"""Reasons that are a code themselves: their errors have no decline_code."""


@dataclass(frozen=True)
class Card:
    """One test card, or a test bank account.

    `kind`: the type of its payment methods. A debit of a bank account succeeds or fails later.
    `decline`: why every charge fails. `attachable`: a customer can save it although it is declined.
    `refunds`: when and how refunds end. `disputes`: which kind of dispute a payment leads to.
    """

    number: str
    brand: str = "visa"
    decline: str | None = None
    attachable: bool = True
    authentication: Authentication = "none"
    country: str = "US"
    refunds: Refunds = "at_once"
    disputes: Disputes | None = None
    kind: Kind = "card"

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """Equal for equal numbers, as at Stripe."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


def _declined(number: str, reason: str) -> Card:
    return Card(number, decline=reason, attachable=False)


CARDS = {
    "visa": Card("4242424242424242"),
    "visa_debit": Card("4000056655665556"),
    "mastercard": Card("5555555555554444", "mastercard"),
    "amex": Card("378282246310005", "amex"),
    "discover": Card("6011111111111117", "discover"),
    "visa_chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "visa_chargeDeclinedInsufficientFunds": _declined("4000000000009995", "insufficient_funds"),
    "visa_chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "visa_chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "chargeDeclinedExpiredCard": _declined("4000000000000069", "expired_card"),
    "chargeDeclinedIncorrectCvc": _declined("4000000000000127", "incorrect_cvc"),
    "chargeDeclinedProcessingError": _declined("4000000000000119", "processing_error"),
    "chargeCustomerFail": Card("4000000000000341", decline="generic_decline"),
    "authenticationRequired": Card("4000002760003184", authentication="always", country="DE"),
    "threeDSecure2Required": Card("4000000000003220", authentication="always", country="IE"),
    "authenticationRequiredOnSetup": Card(
        "4000002500003155", authentication="unless_set_up", country="DE"
    ),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        "4000008260003178", decline="insufficient_funds", authentication="always", country="GB"
    ),
    "createDispute": Card("4000000000000259", disputes="chargeback"),
    "createDisputeInquiry": Card("4000000000001976", disputes="inquiry"),
    "pendingRefund": Card("4000000000007726", refunds="late"),
    "refundFail": Card("4000000000005126", refunds="fail"),
}
BY_NUMBER = {card.number: card for card in CARDS.values()}
BANK_ACCOUNTS = {
    "success": Card("000123456789", kind="us_bank_account"),
    "insufficientFunds": Card(
        "000222222227", decline="debit_insufficient_funds", kind="us_bank_account"
    ),
}
ALIASES = {f"pm_card_{name}": card for name, card in CARDS.items()} | {
    f"pm_usBankAccount_{name}": account for name, account in BANK_ACCOUNTS.items()
}


def by_alias(token: str) -> Card | None:
    """Return the card of `pm_card_visa`, the account of `pm_usBankAccount_success`, or None."""
    return ALIASES.get(token)


def by_token(token: str) -> Card | None:
    """Return the card of `tok_visa`, or None."""
    return CARDS.get(token.removeprefix("tok_")) if token.startswith("tok_") else None


def render_decline(reason: str, charge: str | None) -> dict[str, object]:
    """Return the fields of a card error. Source: Stripe, "Decline codes"."""
    code, message = DECLINES[reason]
    fields: dict[str, object] = {
        "code": code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
        "type": "card_error",
    }
    if charge is not None:
        fields |= {"advice_code": "try_again_later", "charge": charge}
    if reason not in OWN_CODES:
        fields["decline_code"] = reason
    return fields
