"""What the tests of the Stripe adapter share: the verbs as functions, and a payment at Stripe."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.models.customer import Customer
from bridge.models.identifier import new_id, suffix
from bridge.models.payment import Payment
from bridge.models.provider import ProviderMethod, ProviderPayment
from bridge.providers.stripe import Stripe
from local.stripe.log import Exchange
from local.stripe.simulator import StripeSimulator
from tests import records

ADAPTER = Stripe()
VERSION = "2026-10-28.endive"
CUSTOMER_ID = "cust_01kjpx0000e0080000000000a1"
DECLINED = "pm_card_visa_chargeDeclinedInsufficientFunds"
SECURE = "pm_card_threeDSecure2Required"
Verb = Callable[[Payment], Any]


def soon(seconds: float = 25) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


def customer(**more: object) -> Customer:
    at = clock.now()
    known = {"id": CUSTOMER_ID, "uid": suffix(CUSTOMER_ID), "email": "jane@example.com"}
    return msgspec.convert(known | {"created_at": at, "updated_at": at} | more, Customer)


def payment(**more: object) -> Payment:
    """A payment that is not created at the provider yet."""
    at = clock.now()
    return records.payment(at, **{"id": new_id("pay", at), "status": "new"} | more)


def create(row: Payment, token: str | None = None, **more: Any) -> ProviderPayment:
    how: dict[str, Any] = {"key": f"{row.uid}.1", "ends_at": soon()} | more
    return ADAPTER.create_payment(ADAPTER.write_creation(row, token), **how)


def opened(**more: object) -> Payment:
    """A payment that is created at the simulator."""
    row = payment(**more)
    return replace(row, provider_payment_id=create(row).provider_payment_id)


def confirm(row: Payment, token: str | None = "pm_card_visa", **more: Any) -> ProviderPayment:
    how: dict[str, Any] = {"key": f"{row.uid}.2", "ends_at": soon()} | more
    return ADAPTER.confirm_payment(row, token, **how)


def update(row: Payment, token: str | None = None, **more: Any) -> ProviderPayment:
    how: dict[str, Any] = {"key": f"{row.uid}.3", "ends_at": soon()} | more
    return ADAPTER.update_payment(row, token, **how)


def cancel(row: Payment, **more: Any) -> ProviderPayment:
    how: dict[str, Any] = {"key": f"{row.uid}.4", "ends_at": soon()} | more
    return ADAPTER.cancel_payment(row, "abandoned", **how)


def fetch(row: Payment, **more: Any) -> ProviderPayment:
    return ADAPTER.fetch_payment(row, **{"ends_at": soon()} | more)


def find(row: Payment, since: datetime | None = None, **more: Any) -> list[ProviderPayment]:
    """`since`: a minute before the row was made, if it is not given."""
    since = since or row.created_at - timedelta(minutes=1)
    return ADAPTER.find_objects(row, since, **{"ends_at": soon()} | more)


def make_customer(row: Payment, **more: Any) -> str:
    how: dict[str, Any] = {"key": f"{row.uid}.c", "ends_at": soon()} | more
    return ADAPTER.create_customer(customer(), **how)


def update_customer(row: Payment, **more: Any) -> None:
    seen = customer(provider_customer_id="cus_there")
    changed = replace(seen, phone="12345")
    ADAPTER.update_customer(seen, changed, **{"ends_at": soon()} | more)


def delete_customer(row: Payment, **more: Any) -> None:
    ADAPTER.delete_customer("cus_there", **{"ends_at": soon()} | more)


def detach(row: Payment, **more: Any) -> None:
    ADAPTER.detach_method("pm_there", **{"ends_at": soon()} | more)


def fetch_method(row: Payment, **more: Any) -> ProviderMethod | None:
    return ADAPTER.fetch_method("pm_there", "cus_there", **{"ends_at": soon()} | more)


def attach(row: Payment, **more: Any) -> ProviderMethod:
    return ADAPTER.attach_method("pm_there", "cus_there", **{"ends_at": soon()} | more)


def create_another(row: Payment, **more: Any) -> ProviderPayment:
    """The creation of the row is done and remembered by its key, so this is another payment."""
    return create(payment(), **more)


# By the simulator's name of the operation: the verb, and how often it may be sent.
VERBS: dict[str, tuple[Callable[..., Any], int]] = {
    "create_customer": (make_customer, 2),
    "update_customer": (update_customer, 2),
    "delete_customer": (delete_customer, 2),
    "attach": (attach, 2),
    "detach": (detach, 2),
    "fetch_method": (fetch_method, 2),
    "create_payment": (create_another, 2),
    "update_payment": (update, 2),
    "confirm": (confirm, 1),
    "cancel": (cancel, 2),
    "fetch": (fetch, 2),
    "list_payments": (find, 2),
}

EACH_VERB = pytest.mark.parametrize("operation", list(VERBS))

# One that is keyed and repeated, one that is sent once, one that only reads. Not every verb: each
# rotation needs a new client of SSM, which takes a fifth of a second.
EACH_KIND = pytest.mark.parametrize("operation", ["create_payment", "confirm", "fetch"])


@pytest.fixture
def row(stripe_simulator: StripeSimulator) -> Payment:
    """A payment, and a customer with a method, at the simulator. The log of requests is empty."""
    stripe_simulator.seed_customer("cus_there")
    stripe_simulator.seed_method("pm_there", "cus_there")
    made = opened()
    stripe_simulator.log.clear()
    return made


def sent(simulator: StripeSimulator, operation: str) -> Exchange:
    """The one request of an operation."""
    (found,) = [each for each in simulator.requests if each.operation == operation]
    return found


def state_of(answer: ProviderPayment) -> str | None:
    return answer.dispute.state if answer.dispute else None
