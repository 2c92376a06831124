"""What the tests of the wallet share: a customer with saved payment methods."""

from typing import Any

import pytest

from bridge.bodies.customer import NewCustomer
from bridge.bodies.payment_method import NewMethod
from bridge.core.customers import user_customers
from bridge.core.wallet import payment_methods
from bridge.models.customer import Customer
from bridge.models.page import Page
from bridge.models.payment_method import PaymentMethod
from bridge.store.customers import customer_items
from bridge.store.wallet import method_items
from tests.conftest import USER, run_context

MANY = 8  # requests at once; each may need as many rounds
HOME = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}


@pytest.fixture
def customer(tables: None, stripe_simulator: object) -> Customer:
    """A customer of USER at Stripe."""
    new = NewCustomer(provider_id="stripe", email="jane@example.com")
    return user_customers.create_customer(USER, new, run_context()).customer


def attach(customer: Customer, token: str = "pm_card_visa", **more: Any) -> PaymentMethod:
    new = NewMethod(token=token, customer_id=customer.id, **more)
    return payment_methods.create_method(USER, new, run_context()).method


def saved_methods(customer: Customer) -> list[PaymentMethod]:
    stored = customer_items.get(customer.id)
    assert stored
    return method_items.list_of_customer(stored, Page())


def failures(results: list[Any]) -> list[Any]:
    return [each for each in results if isinstance(each, Exception)]
