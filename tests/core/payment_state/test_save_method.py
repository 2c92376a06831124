"""A payment saves its method once, whichever worker does it.

Source: docs/api/native.md, sections 4 and 5.
"""

from collections.abc import Callable

import pytest

from bridge import clock
from bridge.bodies.customer import GuestData
from bridge.bodies.payment import Capture, Confirmation, NewPayment
from bridge.bodies.payment_method import NewMethod
from bridge.core.customers import user_customers
from bridge.core.payment_state import synchronize
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.wallet import payment_methods
from bridge.core.workers import sweep
from bridge.errors import InvalidRequest, PaymentDeclined
from bridge.models.caller import Caller
from bridge.models.page import Page
from bridge.models.payment import Payment
from bridge.models.payment_method import PaymentMethod
from bridge.store.customers import customer_items
from bridge.store.wallet import method_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, Killed, run_context, sweep_run, together

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
VISA = Confirmation(payment_method_id="pm_card_visa")
Later = Callable[[float], None]


def new_payment(caller: Caller = USER, **more: object) -> Payment:
    known = {"total_cents": 2000, "currency": "USD", "setup_future_usage": "off_session"}
    new = NewPayment.model_validate(known | more)
    return create_payment.create_payment_intent(caller, new, run_context()).payment


def pay(payment: Payment, caller: Caller = USER, asked: Confirmation = VISA) -> Payment:
    return change_payment.confirm(caller, payment.id, asked, run_context()).payment


def saved_for(payment: Payment) -> list[PaymentMethod]:
    customer = customer_items.get(payment.customer_id or "")
    assert customer
    return method_items.list_of_customer(customer, Page())


def tokens_of(stripe: StripeSimulator, customer_id: str | None) -> set[str]:
    customer = customer_items.get(customer_id or "")
    assert customer
    methods = stripe.world.methods.values()
    return {each.id for each in methods if each.customer == customer.provider_customer_id}


@pytest.mark.parametrize("usage", ["off_session", "on_session"])
def test_method_that_paid_is_saved_and_can_pay_again(
    usage: str, stripe_simulator: StripeSimulator
) -> None:
    payment = new_payment(setup_future_usage=usage)
    assert saved_for(payment) == []
    assert pay(payment).status == "succeeded"
    (method,) = saved_for(payment)
    assert (method.brand, method.last4, method.is_default) == ("visa", "4242", True)
    assert {method.token} == tokens_of(stripe_simulator, payment.customer_id)
    again = new_payment(payment_method_id=method.id)
    assert pay(again, asked=Confirmation()).status == "succeeded"
    assert saved_for(payment) == [method], "it was ours already"


def test_nothing_is_saved_without_setup_future_usage_or_after_a_decline() -> None:
    plain = new_payment(setup_future_usage=None)
    pay(plain)
    declined = new_payment()
    with pytest.raises(PaymentDeclined):
        pay(declined, asked=Confirmation(payment_method_id="pm_card_visa_chargeDeclined"))
    assert saved_for(plain) == saved_for(declined) == []


def test_authorization_saves_the_method_and_capture_does_not_save_it_again() -> None:
    payment = new_payment(capture_method="manual")
    assert pay(payment).status == "requires_capture"
    (method,) = saved_for(payment)
    change_payment.capture(USER, payment.id, Capture(), run_context())
    assert saved_for(payment) == [method]


def test_authorization_canceled_before_the_first_status_check_saves_the_method(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = new_payment(capture_method="manual")
    intent = stripe_simulator.world.intents[payment.provider_payment_id or ""]
    stripe_simulator.browser_confirm(intent.id, intent.client_secret, "pm_card_visa")
    stripe_simulator.dashboard("cancel", intent.id, None)
    assert change_payment.sync(USER, payment.id, run_context()).status == "canceled"
    (method,) = saved_for(payment)
    assert {method.token} == tokens_of(stripe_simulator, payment.customer_id)


def test_guest_with_setup_future_usage_gets_a_customer_and_a_saved_method() -> None:
    guest = GuestData(email="guest@example.com", name="Guest")
    payment = new_payment(Caller(), guest_data=guest.model_dump())
    assert payment.customer_id
    pay(payment, Caller(guest_of=payment.id))
    (method,) = saved_for(payment)
    assert method.last4 == "4242"


def test_deleted_method_is_not_saved_again_by_synchronize(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = new_payment()
    pay(payment)
    (method,) = saved_for(payment)
    payment_methods.delete_method(USER, method.id)
    synchronize.synchronize(payment, run_context())
    assert saved_for(payment) == []


def test_payment_of_deleted_customer_succeeds_and_saves_nothing() -> None:
    payment = new_payment()
    user_customers.delete_customer(USER, payment.customer_id or "")
    assert pay(payment).status == "succeeded"
    assert method_items.list_of_user("user_456", Page()) == []


def test_payment_in_the_browser_is_saved_by_the_sweep(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = new_payment()
    at_stripe, secret = payment.provider_payment_id, payment.client_secret
    assert at_stripe
    assert secret
    stripe_simulator.browser_confirm(at_stripe, secret, "pm_card_mastercard")
    later(600)
    for _ in range(3):
        sweep.sweep(sweep_run())
    (method,) = saved_for(payment)
    assert method.brand == "mastercard"


@pytest.mark.parametrize("at", ["locked", "answered", "committing", "saving", "committed"])
def test_method_is_saved_once_after_a_crash_at_any_crash_point(
    at: str, crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = new_payment()
    crash.at = at
    with pytest.raises(Killed):
        pay(payment)
    later(600)
    for _ in range(3):
        sweep.sweep(sweep_run())
    saved = saved_for(payment)
    assert {method.token for method in saved} == tokens_of(stripe_simulator, payment.customer_id)
    assert len(saved) == len(stripe_simulator.charges()) == (at != "locked")


def test_customer_deleted_during_the_write_saves_nothing_and_payment_succeeds(crash: Crash) -> None:
    payment = new_payment()
    crash.at = "saving"
    crash.meanwhile = lambda _: user_customers.delete_customer(USER, payment.customer_id or "")
    assert pay(payment).status == "succeeded"
    assert method_items.list_of_user("user_456", Page()) == []


def test_same_token_saved_during_the_write_is_saved_once(
    crash: Crash, stripe_simulator: StripeSimulator
) -> None:
    payment = new_payment()

    def save(_: str) -> None:
        (token,) = tokens_of(stripe_simulator, payment.customer_id)
        new = NewMethod(token=token, customer_id=payment.customer_id)
        payment_methods.create_method(USER, new, run_context())

    crash.at, crash.meanwhile = "saving", save
    assert pay(payment).status == "succeeded"
    assert len(saved_for(payment)) == 1


def test_other_method_saved_during_the_write_both_are_saved_and_payment_succeeds(
    crash: Crash,
) -> None:
    payment = new_payment()

    def save(_: str) -> None:
        new = NewMethod(token="pm_card_amex", customer_id=payment.customer_id)
        payment_methods.create_method(USER, new, run_context())

    crash.at, crash.meanwhile = "saving", save
    assert pay(payment).status == "succeeded"
    methods = saved_for(payment)
    assert [each.brand for each in methods if each.is_default] == ["amex"]
    assert {each.brand for each in methods} == {"amex", "visa"}


@pytest.mark.race
def test_concurrent_payments_of_one_customer_save_each_method_once(dynamodb_local: None) -> None:
    """Also while other workers synchronize each of them at the same time."""
    paid = [new_payment() for _ in range(4)]

    def act(number: int) -> Payment:
        payment = paid[number % 4]
        if number < 4:
            return pay(payment)
        return synchronize.synchronize(payment, run_context())

    together(12, act)
    for payment in paid:
        synchronize.synchronize(read_payments.get_payment(USER, payment.id), run_context())
    methods = saved_for(paid[0])
    assert len(methods) == len({each.token for each in methods}) == 4
    assert [each.is_default for each in methods].count(True) == 1


def test_expired_saved_card_is_refused(later: Later) -> None:
    payment = new_payment()
    pay(payment)
    (method,) = saved_for(payment)
    later(400 * 24 * 3600)
    assert method.is_expired(clock.now())
    asked = Confirmation(payment_method_id=method.id)
    with pytest.raises(InvalidRequest, match="expired"):
        pay(new_payment(), asked=asked)
