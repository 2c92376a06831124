"""jobs/reconcile_payments, every day. Source: docs/payment-correctness.md, section 8 and rule 8."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge import clock
from bridge.errors import UnknownOutcome
from bridge.models.payment import Payment
from bridge.store.payments import payment_items
from functions.jobs.reconcile_payments.handler import handler
from functions.jobs.sweep_payments.handler import handler as sweep
from local.functions import Context
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.functions.conftest import VISA, Api

Operate = Callable[..., dict[str, Any]]
Later = Callable[[float], None]
NAME = "jobs/reconcile_payments"
DAY = 24 * 3600


@pytest.fixture
def paid(api: Api) -> dict[str, Any]:
    made = api.payment()
    assert api.confirm(made, VISA).status == 200
    return made


@pytest.fixture
def run(operate: Operate) -> Callable[[], int]:
    """Reconcile, then sweep; returns how many payments differed."""

    def both() -> int:
        done = operate(handler, NAME)
        assert done["is_whole"]
        operate(sweep, "jobs/sweep_payments")
        return int(done["differing"])

    return both


def status(api: Api, payment: dict[str, Any]) -> str:
    return str(api.get(f"/payments/{payment['id']}").body["status"])


def stored(payment: dict[str, Any]) -> Payment:
    found = payment_items.get(payment["id"])
    assert found
    return found


def test_event_file_finds_no_difference(demo_data: StripeSimulator, operate: Operate) -> None:
    done = operate(handler, NAME)
    assert done["listed"] >= 1
    assert (done["differing"], done["is_whole"]) == (0, True)


def test_payments_that_agree_are_not_written(
    api: Api, paid: dict[str, Any], run: Callable[[], int], later: Later
) -> None:
    declined, open_one = api.payment(), api.payment()
    api.confirm(declined, {"payment_method_id": "pm_card_visa_chargeDeclined"})
    assert api.post(f"/payments/{paid['id']}/refund", {"amount_cents": 500}).status == 201
    before = [stored(each).version for each in (paid, declined, open_one)]
    assert run() == 0
    assert [stored(each).version for each in (paid, declined, open_one)] == before


@pytest.mark.parametrize(
    ("acts", "found", "watched_days"),
    [
        ([{"action": "refund", "amount": 500}], "partially_refunded", 1),
        ([{"action": "refund"}], "refunded", 1),
        ([{"action": "dispute"}], "disputed", 7),
        ([{"action": "dispute"}, {"action": "close_dispute", "outcome": "won"}], "succeeded", None),
    ],
    ids=["a refund in part", "a refund", "a dispute", "a dispute that was won"],
)
def test_refund_or_dispute_made_at_provider_is_found(
    acts: list[dict[str, Any]],
    found: str,
    watched_days: int | None,
    api: Api,
    paid: dict[str, Any],
    run: Callable[[], int],
    later: Later,
    stripe_simulator: StripeSimulator,
) -> None:
    """The payment is not due, and no webhook came. From then on it is watched (rule 16)."""
    assert stored(paid).due_at is None
    for act in acts:
        stripe_simulator.dashboard(**act, payment_intent=paid["provider_payment_id"])
    later(3600)
    assert run() == 1
    assert status(api, paid) == found
    due_at = stored(paid).due_at
    assert (due_at and round((due_at - clock.seconds()) / DAY)) == watched_days
    later(DAY)
    assert run() == 0


def test_refund_of_an_old_payment_is_found(
    api: Api,
    paid: dict[str, Any],
    run: Callable[[], int],
    later: Later,
    stripe_simulator: StripeSimulator,
) -> None:
    later(30 * DAY)
    stripe_simulator.dashboard("refund", paid["provider_payment_id"])
    assert run() == 1
    assert status(api, paid) == "refunded"


def test_payment_paid_in_the_browser_becomes_due_now(
    api: Api, run: Callable[[], int], later: Later, stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert run() == 1
    assert status(api, made) == "succeeded"


def test_foreign_payment_is_ignored(
    environment: Environment, tables: None, stripe_simulator: StripeSimulator, operate: Operate
) -> None:
    stripe_simulator.seed_payment("pi_of_another_system", amount=700, currency="eur")
    done = operate(handler, NAME)
    assert (done["listed"], done["differing"]) == (1, 0)


def test_locked_payment_is_checked_too(
    api: Api, run: Callable[[], int], stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    stripe_simulator.fault("confirm", "drop_after")
    assert api.confirm(made, VISA).status == 202
    assert run() == 1
    assert status(api, made) == "succeeded"


def test_partial_capture_is_no_difference_on_any_day(
    api: Api, run: Callable[[], int], later: Later
) -> None:
    made = api.payment(capture_method="manual")
    assert api.confirm(made, VISA).status == 200
    assert api.post(f"/payments/{made['id']}/capture", {"amount_cents": 700}).status == 200
    for _ in range(4):
        later(DAY)
        assert run() == 0


def test_refund_of_ours_does_not_hide_one_that_was_found_at_the_provider(
    api: Api,
    paid: dict[str, Any],
    operate: Operate,
    later: Later,
    stripe_simulator: StripeSimulator,
) -> None:
    later(100)
    stripe_simulator.dashboard("refund", paid["provider_payment_id"], 300)
    assert operate(handler, NAME)["differing"] == 1
    assert api.post(f"/payments/{paid['id']}/refund", {"amount_cents": 200}).status == 201
    later(70)
    operate(sweep, "jobs/sweep_payments")
    refunds = api.get(f"/payments/{paid['id']}/refunds").body
    assert sorted(each["amount_cents"] for each in refunds) == [200, 300]


def test_all_pages_of_the_provider_list_are_read(
    api: Api, run: Callable[[], int], stripe_simulator: StripeSimulator
) -> None:
    made = api.payment()
    for number in range(130):
        stripe_simulator.seed_payment(f"pi_foreign_{number}", amount=700, currency="eur")
    intent, secret = made["provider_payment_id"], made["client_secret"]
    stripe_simulator.browser_confirm(intent, secret, "pm_card_visa")
    assert run() == 1
    assert status(api, made) == "succeeded"


def test_failing_provider_fails_the_run(
    api: Api,
    paid: dict[str, Any],
    stripe_simulator: StripeSimulator,
    event: Callable[[str], dict[str, Any]],
    context: Callable[[str], Context],
) -> None:
    stripe_simulator.fault("list_refunds", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        handler(event(NAME), context("JobsReconcilePayments"))
