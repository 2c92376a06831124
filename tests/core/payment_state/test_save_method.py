"""A payment saves its method, once, whoever finds out. Source: bridge.md 4 and 5."""

from collections.abc import Callable

import pytest

from bridge import clock
from bridge.core.customers import user_customers
from bridge.core.payment_state import synchronize
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.wallet import payment_methods
from bridge.core.workers import sweep
from bridge.errors import InvalidRequest, PaymentDeclined
from bridge.models.caller import Caller
from bridge.models.customer import GuestData
from bridge.models.page import Page
from bridge.models.payment import Capture, Confirmation, NewPayment, Payment
from bridge.models.payment_method import NewMethod, PaymentMethod
from bridge.store.customers import customer_items
from bridge.store.wallet import method_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, Killed, run_context, sweep_run, together

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
VISA = Confirmation(payment_method_id="pm_card_visa")
Later = Callable[[float], None]


def made(caller: Caller = USER, **more: object) -> Payment:
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
    held = stripe.world.methods.values()
    return {each.id for each in held if each.customer == customer.provider_customer_id}


@pytest.mark.parametrize("usage", ["off_session", "on_session"])
def test_the_method_that_paid_is_saved_and_pays_again(
    usage: str, stripe_simulator: StripeSimulator
) -> None:
    payment = made(setup_future_usage=usage)
    assert saved_for(payment) == []
    assert pay(payment).status == "succeeded"
    (method,) = saved_for(payment)
    assert (method.brand, method.last4, method.is_default) == ("visa", "4242", True)
    assert {method.token} == tokens_of(stripe_simulator, payment.customer_id)
    again = made(payment_method_id=method.id)
    assert pay(again, asked=Confirmation()).status == "succeeded"
    assert saved_for(payment) == [method], "it was ours already"


def test_without_it_or_declined_nothing_is_saved() -> None:
    plain = made(setup_future_usage=None)
    pay(plain)
    declined = made()
    with pytest.raises(PaymentDeclined):
        pay(declined, asked=Confirmation(payment_method_id="pm_card_visa_chargeDeclined"))
    assert saved_for(plain) == saved_for(declined) == []


def test_an_authorization_saves_and_its_capture_does_not_again() -> None:
    payment = made(capture_method="manual")
    assert pay(payment).status == "requires_capture"
    (method,) = saved_for(payment)
    change_payment.capture(USER, payment.id, Capture(), run_context())
    assert saved_for(payment) == [method]


def test_an_authorization_that_was_given_up_before_anybody_looked_has_saved(
    stripe_simulator: StripeSimulator,
) -> None:
    payment = made(capture_method="manual")
    intent = stripe_simulator.world.intents[payment.provider_payment_id or ""]
    stripe_simulator.browser_confirm(intent.id, intent.client_secret, "pm_card_visa")
    stripe_simulator.dashboard("cancel", intent.id, None)
    assert change_payment.sync(USER, payment.id, run_context()).status == "canceled"
    (method,) = saved_for(payment)
    assert {method.token} == tokens_of(stripe_simulator, payment.customer_id)


def test_a_guest_who_saves_gets_a_customer() -> None:
    guest = GuestData(email="guest@example.com", name="Guest")
    payment = made(Caller(), guest_data=guest.model_dump())
    assert payment.customer_id
    pay(payment, Caller(guest_of=payment.id))
    (method,) = saved_for(payment)
    assert method.last4 == "4242"


def test_a_method_that_was_deleted_does_not_come_back(stripe_simulator: StripeSimulator) -> None:
    payment = made()
    pay(payment)
    (method,) = saved_for(payment)
    payment_methods.delete_method(USER, method.id)
    synchronize.synchronize(payment, run_context())
    assert saved_for(payment) == []


def test_a_customer_that_was_deleted_saves_nothing_and_the_payment_succeeds() -> None:
    payment = made()
    user_customers.delete_customer(USER, payment.customer_id or "")
    assert pay(payment).status == "succeeded"
    assert method_items.list_of_user("user_456", Page()) == []


def test_a_browser_paid_and_the_sweep_finds_out(
    stripe_simulator: StripeSimulator, later: Later
) -> None:
    payment = made()
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
def test_whoever_dies_at_any_step_it_is_saved_once(
    at: str, crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = made()
    crash.at = at
    with pytest.raises(Killed):
        pay(payment)
    later(600)
    for _ in range(3):
        sweep.sweep(sweep_run())
    saved = saved_for(payment)
    assert {method.token for method in saved} == tokens_of(stripe_simulator, payment.customer_id)
    assert len(saved) == len(stripe_simulator.charges()) == (at != "locked")


def test_what_is_deleted_meanwhile_saves_nothing_and_delays_nothing(crash: Crash) -> None:
    payment = made()
    crash.at = "saving"
    crash.meanwhile = lambda _: user_customers.delete_customer(USER, payment.customer_id or "")
    assert pay(payment).status == "succeeded"
    assert method_items.list_of_user("user_456", Page()) == []


def test_the_same_token_saved_meanwhile_is_saved_once(
    crash: Crash, stripe_simulator: StripeSimulator
) -> None:
    payment = made()

    def save(_: str) -> None:
        (token,) = tokens_of(stripe_simulator, payment.customer_id)
        new = NewMethod(token=token, customer_id=payment.customer_id)
        payment_methods.create_method(USER, new, run_context())

    crash.at, crash.meanwhile = "saving", save
    assert pay(payment).status == "succeeded"
    assert len(saved_for(payment)) == 1


def test_what_is_saved_meanwhile_delays_nothing(crash: Crash) -> None:
    payment = made()

    def save(_: str) -> None:
        new = NewMethod(token="pm_card_amex", customer_id=payment.customer_id)
        payment_methods.create_method(USER, new, run_context())

    crash.at, crash.meanwhile = "saving", save
    assert pay(payment).status == "succeeded"
    methods = saved_for(payment)
    assert [each.brand for each in methods if each.is_default] == ["amex"]
    assert {each.brand for each in methods} == {"amex", "visa"}


@pytest.mark.race
def test_many_payments_of_one_customer_save_each_method_once(dynamodb_local: None) -> None:
    """Also where ten others look at each of them at the same time."""
    paid = [made() for _ in range(4)]

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


def test_an_expired_card_is_refused(later: Later) -> None:
    payment = made()
    pay(payment)
    (method,) = saved_for(payment)
    later(400 * 24 * 3600)
    assert method.is_expired(clock.now())
    asked = Confirmation(payment_method_id=method.id)
    with pytest.raises(InvalidRequest, match="expired"):
        pay(made(), asked=asked)
