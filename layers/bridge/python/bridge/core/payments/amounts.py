"""Subtotal, tax, discount and total: check what was sent, compute the rest (B14).

Amounts are integers in the currency's minor unit. Source: docs/api/native.md, section 4.
"""

from typing import TYPE_CHECKING, TypedDict

from bridge.errors import Detail, InvalidRequest
from bridge.models.payment import Payment

if TYPE_CHECKING:
    from bridge.bodies.payment import NewPayment, PaymentChange

MOST = 999_999_999_999


class Amounts(TypedDict):
    """The four amounts of a payment: total = subtotal + tax - discount."""

    subtotal_cents: int
    tax_cents: int
    discount_cents: int
    total_cents: int


AMOUNTS = frozenset(Amounts.__annotations__)


def complete(given: "NewPayment") -> Amounts:
    """All four amounts of a new payment. Raises InvalidRequest if they do not add up."""
    return _balanced(
        given.subtotal_cents, given.tax_cents or 0, given.discount_cents or 0, given.total_cents
    )


def change(stored: Payment, given: "PaymentChange") -> Amounts:
    """All four amounts after a change of some of them.

    Tax and discount stay unless they are sent; subtotal and total are computed from each other.
    Raises InvalidRequest if they do not add up.
    """
    subtotal, total = given.subtotal_cents, given.total_cents
    if subtotal is None and total is None:
        subtotal = stored.subtotal_cents
    return _balanced(
        subtotal,
        stored.tax_cents if given.tax_cents is None else given.tax_cents,
        stored.discount_cents if given.discount_cents is None else given.discount_cents,
        total,
    )


def _balanced(subtotal: int | None, tax: int, discount: int, total: int | None) -> Amounts:
    """The amounts with total = subtotal + tax - discount. Raises InvalidRequest."""
    if subtotal is None:
        subtotal = (total or 0) - tax + discount
    owed = subtotal + tax - discount
    if total is not None and total != owed:
        message = f"must be subtotal_cents + tax_cents - discount_cents = {owed}"
        raise InvalidRequest(
            f"total_cents {message}",
            code="amount_mismatch",
            details=[Detail("total_cents", message)],
        )
    if subtotal < 0:
        raise _out_of_range("total_cents", f"must be at least {tax - discount}, tax less discount")
    if discount > subtotal + tax:
        raise _out_of_range("discount_cents", "must not exceed subtotal_cents + tax_cents")
    if not 1 <= owed <= MOST or subtotal > MOST:
        raise _out_of_range("total_cents", f"must be between 1 and {MOST}")
    return Amounts(
        subtotal_cents=subtotal, tax_cents=tax, discount_cents=discount, total_cents=owed
    )


def _out_of_range(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(f"{field} {message}", details=[Detail(field, message)])
