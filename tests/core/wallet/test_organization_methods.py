"""Payment methods by an organization's credential. Source: docs/api/payments-ai.md, section 3."""

from collections.abc import Callable

import msgspec
import pytest

from bridge.bodies.address import NewAddress
from bridge.bodies.payment_method import MethodChange
from bridge.core.customers import organization_customers
from bridge.core.wallet import addresses, organization_methods, payment_methods
from bridge.errors import Conflict, InvalidRequest, NotFound
from bridge.models.caller import Caller
from bridge.models.customer import Customer, CustomerFields
from bridge.models.page import OffsetPage
from bridge.models.payment_method import Instrument, InstrumentsPage
from tests.conftest import KEY, USER, run_context
from tests.core.wallet.conftest import HOME

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
OTHER = Caller(key_of="org_789")


@pytest.fixture
def customer(tables: None) -> Customer:
    """A customer of org_456 that is at no provider yet."""
    fields = CustomerFields(name="Nadia")
    return organization_customers.create(KEY, fields, "required", run_context()).customer


def attach(customer: Customer, token: str = "pm_card_visa", caller: Caller = KEY) -> Instrument:
    return organization_methods.attach(caller, customer.id, lambda: token, run_context)


def listed(customer: Customer, caller: Caller = KEY, **page: int) -> InstrumentsPage:
    asked = msgspec.convert({"limit": 10} | page, OffsetPage)
    return organization_methods.list_page(caller, customer.id, lambda: asked)


def test_attach_saves_the_method_and_the_first_is_the_default(customer: Customer) -> None:
    first, second = attach(customer), attach(customer, "pm_card_mastercard")
    assert (first.method.is_default, second.method.is_default) == (True, False)
    assert (first.status, first.billing_address) == ("active", None)
    linked = organization_customers.get(KEY, customer.id)
    assert (linked.provider_id, bool(linked.provider_customer_id)) == ("stripe", True)
    assert payment_methods.get_method(USER, first.method.id).last4 == "4242"


def test_attach_with_a_token_that_the_provider_refuses_names_the_token(customer: Customer) -> None:
    with pytest.raises(InvalidRequest) as refused:
        attach(customer, "pm_nobody")
    assert refused.value.details == [("token", "is invalid or already used")]
    assert listed(customer).total == 0


def test_attach_reads_the_request_only_after_the_customer_is_found(customer: Customer) -> None:
    def refuse() -> str:
        raise InvalidRequest("no")

    for caller, customer_id in ((OTHER, customer.id), (KEY, "cust_nobody")):
        with pytest.raises(NotFound):
            organization_methods.attach(caller, customer_id, refuse, run_context)
    with pytest.raises(InvalidRequest):
        organization_methods.attach(KEY, customer.id, refuse, run_context)


def test_attach_to_a_deleted_customer_is_a_conflict_and_its_list_is_empty(
    customer: Customer,
) -> None:
    saved = attach(customer)
    organization_customers.delete(KEY, customer.id)
    with pytest.raises(Conflict) as refused:
        attach(customer)
    assert refused.value.code == "customer_deleted"
    assert (listed(customer).instruments, listed(customer).total) == ([], 0)
    with pytest.raises(NotFound):
        organization_methods.get(KEY, customer.id, saved.method.id)


def test_list_page_returns_the_newest_first_with_the_total(customer: Customer) -> None:
    ids = [attach(customer).method.id for _ in range(3)][::-1]
    page = listed(customer, limit=2, offset=1)
    assert ([each.method.id for each in page.instruments], page.total) == (ids[1:], 3)
    assert (page.asked.limit, page.asked.offset) == (2, 1)
    with pytest.raises(NotFound):
        listed(customer, OTHER)


def test_get_returns_status_and_billing_address_and_only_the_customers_own_method(
    customer: Customer, later: Callable[[float], None]
) -> None:
    saved = attach(customer).method
    new = NewAddress.model_validate(HOME | {"customer_id": customer.id})
    address = addresses.create_address(USER, new, run_context()).address
    change = MethodChange(billing_address_id=address.id)
    payment_methods.update_method(USER, saved.id, change)
    assert organization_methods.get(KEY, customer.id, saved.id).billing_address == address
    later(20 * 365 * 24 * 3600)
    assert organization_methods.get(KEY, customer.id, saved.id).status == "expired"
    fields = CustomerFields(name="Other")
    other = organization_customers.create(KEY, fields, "required", run_context()).customer
    for caller, customer_id in ((KEY, other.id), (OTHER, customer.id)):
        with pytest.raises(NotFound):
            organization_methods.get(caller, customer_id, saved.id)


def test_delete_removes_the_method_and_a_second_time_is_not_found(customer: Customer) -> None:
    saved = attach(customer).method
    with pytest.raises(NotFound):
        organization_methods.delete(OTHER, customer.id, saved.id)
    organization_methods.delete(KEY, customer.id, saved.id)
    assert listed(customer).total == 0
    with pytest.raises(NotFound):
        organization_methods.delete(KEY, customer.id, saved.id)
