"""Read payments: one, lists, refunds, the timeline. Source: docs/api/native.md, section 4."""

from collections.abc import Callable

import pytest

from bridge.bodies.customer import GuestData
from bridge.bodies.payment import NewPayment, NewRefund
from bridge.core.customers import user_customers
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.errors import Forbidden, NotAuthenticated, NotFound
from bridge.models.caller import Caller
from bridge.models.page import Page
from bridge.models.payment import Payment
from tests.conftest import STRANGER, USER, run_context
from tests.core.payment_state.conftest import VISA, created

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
EMAIL = "guest@example.com"


def guest_payment() -> Payment:
    new = NewPayment(
        total_cents=500, currency="EUR", guest_data=GuestData(email=EMAIL, name="Guest")
    )
    return create_payment.create_payment_intent(Caller(), new, run_context()).payment


def test_guest_token_of_a_payment_opens_the_payment_but_not_its_customer() -> None:
    guest = GuestData(email="a@example.com", name="A")
    new = NewPayment(
        total_cents=2000, currency="USD", setup_future_usage="off_session", guest_data=guest
    )
    made = create_payment.create_payment_intent(Caller(), new, run_context()).payment
    guest_caller = Caller(guest_of=made.id)
    assert read_payments.get_payment(guest_caller, made.id).id == made.id
    with pytest.raises(NotFound):
        user_customers.get_customer(guest_caller, made.customer_id or "")


def test_get_payment_finds_it_by_our_id_and_by_the_providers() -> None:
    payment = created()
    assert read_payments.get_payment(USER, payment.id) == payment
    assert read_payments.get_payment(USER, str(payment.provider_payment_id)) == payment


@pytest.mark.parametrize("payment_id", ["pay_nowhere", "pi_nowhere", "a b", "", "x" * 300])
def test_get_payment_raises_not_found_for_an_unknown_or_malformed_id(payment_id: str) -> None:
    with pytest.raises(NotFound):
        read_payments.get_payment(USER, payment_id)


def test_get_payment_raises_not_found_for_another_user() -> None:
    payment = created()
    with pytest.raises(NotFound):
        read_payments.get_payment(STRANGER, payment.id)


def test_find_reads_the_idempotency_record_of_the_clients_key() -> None:
    payment = created()
    assert read_payments.find(USER, payment.id, run_context("key-1")) == (payment, None)
    change_payment.confirm(USER, payment.id, VISA, run_context("key-1"))
    _, record = read_payments.find(USER, payment.id, run_context("key-1"))
    assert record
    assert (record.state, record.subject_id) == ("done", payment.id)


def test_list_payments_of_user_customer_and_organization_newest_first() -> None:
    own = [created() for _ in range(2)]
    ours = created(organization_id="org_456")
    listed = read_payments.list_payments(USER, Page())
    assert [each.id for each in listed] == [ours.id, own[1].id, own[0].id]
    page = Page(organization_id="org_456")
    assert [each.id for each in read_payments.list_payments(USER, page)] == [ours.id]
    page = Page(customer_id=own[0].customer_id)
    listed = read_payments.list_payments(USER, page)
    assert [each.id for each in listed] == [own[1].id, own[0].id]
    assert read_payments.list_payments(STRANGER, Page()) == []


def test_list_payments_of_another_organization_raises_forbidden() -> None:
    with pytest.raises(Forbidden):
        read_payments.list_payments(USER, Page(organization_id="org_1"))


def test_list_payments_of_a_customer_of_another_user_raises_not_found() -> None:
    payment = created()
    with pytest.raises(NotFound):
        read_payments.list_payments(STRANGER, Page(customer_id=payment.customer_id))


def test_b10_guest_listing_follows_the_setting(setting: Callable[[str, str], None]) -> None:
    payment = guest_payment()

    def listed(caller: Caller) -> list[str]:
        found = read_payments.list_guest_payments(
            caller, "GUEST@example.com", Page(), run_context()
        )
        return [each.id for each in found]

    setting("GUEST_LISTING", "public")
    assert listed(Caller()) == [payment.id]
    setting("GUEST_LISTING", "token")
    assert listed(Caller(guest_of=payment.id)) == [payment.id]
    for other in (Caller(), USER, Caller(guest_of=created().id), Caller(guest_of="pay_nowhere")):
        with pytest.raises(NotAuthenticated):
            listed(other)
    setting("GUEST_LISTING", "off")
    with pytest.raises(NotFound):
        listed(Caller(guest_of=payment.id))


def test_list_refunds_is_oldest_first_and_for_users_only() -> None:
    payment = created()
    change_payment.confirm(USER, payment.id, VISA, run_context())
    for cents in (100, 200):
        change_payment.refund(USER, payment.id, NewRefund(amount_cents=cents), run_context())
    refunds = read_payments.list_refunds(USER, payment.id)
    assert [each.amount_cents for each in refunds] == [100, 200]
    with pytest.raises(NotFound):
        read_payments.list_refunds(STRANGER, payment.id)
    guest = guest_payment()
    with pytest.raises(NotAuthenticated):
        read_payments.list_refunds(Caller(guest_of=guest.id), guest.id)


def test_timeline_is_oldest_first_and_for_users_only() -> None:
    payment = created()
    change_payment.confirm(USER, payment.id, VISA, run_context())
    entries = read_payments.timeline(USER, payment.id)
    assert [each.sequence for each in entries] == [1, 2]
    assert [each.to_status for each in entries] == ["created", "succeeded"]
    with pytest.raises(NotFound):
        read_payments.timeline(STRANGER, payment.id)
    guest = guest_payment()
    with pytest.raises(NotAuthenticated):
        read_payments.timeline(Caller(guest_of=guest.id), guest.id)
