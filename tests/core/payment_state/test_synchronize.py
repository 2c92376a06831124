"""Synchronize: crashes, lost answers, the sweep.

Source: docs/payment-correctness.md, sections 5 and 9.
"""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from bridge import clock
from bridge.bodies.payment import Confirmation, NewPayment, PaymentChange
from bridge.core.payment_state import attempts, synchronize
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.workers import sweep
from bridge.errors import (
    ProviderUnavailable,
    Refused,
    TemporarilyUnavailable,
    UnknownOutcome,
)
from bridge.models.page import Page
from bridge.models.payment import AttemptOutcome
from bridge.providers import registry
from bridge.store import dynamodb, keys
from bridge.store.payments import payment_items, payment_writes
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, Killed, run_context, sweep_run
from tests.core.payment_state.conftest import (
    CRASH_POINTS,
    VISA,
    Later,
    assert_settled,
    created,
    logged,
    stored,
)
from tests.store.conftest import Wire

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")


@pytest.mark.parametrize("point", CRASH_POINTS)
@pytest.mark.parametrize("rescue", ["retry", "sync", "sweep"])
def test_confirm_killed_at_any_crash_point_ends_in_the_providers_state(
    point: str, rescue: str, crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    crash.at = point
    with pytest.raises(Killed):
        change_payment.confirm(USER, payment.id, VISA, run_context("key-1"))
    later(200)
    if rescue == "sync":
        change_payment.sync(USER, payment.id, run_context())
    if rescue == "sweep":
        sweep.sweep(sweep_run())
    charged = len(stripe_simulator.charges())
    assert charged == (point in ("answered", "committing", "committed"))
    if rescue != "retry":
        found = stored(payment.id)
        expected = {"locking": "created", "locked": "failed"}.get(point, "succeeded")
        assert found.status == expected
        assert_settled(payment.id)
    result = change_payment.confirm(USER, payment.id, VISA, run_context("key-1"))
    assert result.payment.displayed_status == "succeeded"
    assert len(stripe_simulator.charges()) == 1
    assert_settled(payment.id)


def test_status_check_of_creation_repeats_what_was_sent_after_own_fields_changed(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    """The status check repeats what was sent, not what the row says now."""
    stripe_simulator.fault("create_payment", "drop_after", times=2)
    payment = created(description="first", metadata={"a": 1})
    assert payment.displayed_status == "processing"
    change = PaymentChange(description="second", metadata={"b": 2})
    change_payment.update(USER, payment.id, change, run_context())
    later(120)
    sweep.sweep(sweep_run())
    found = stored(payment.id)
    assert (found.status, found.description) == ("created", "second")
    assert len(stripe_simulator.intents()) == 1


@pytest.mark.slow
def test_confirm_in_3d_secure_stays_requires_action_over_many_sweeps(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created(return_url="http://localhost:3000/back")
    secure = Confirmation(payment_method_id="pm_card_threeDSecure2Required")
    waiting = change_payment.confirm(USER, payment.id, secure, run_context()).payment
    assert waiting.displayed_status == "requires_action"
    assert waiting.next_action
    for _ in range(30):
        later(300)
        sweep.sweep(sweep_run())
    assert stored(payment.id).status == "requires_action"
    stripe_simulator.authenticate(str(waiting.provider_payment_id), success=True)
    assert change_payment.sync(USER, payment.id, run_context()).status == "succeeded"
    assert len(stripe_simulator.charges()) == 1
    assert_settled(payment.id)


def test_lost_3d_secure_answer_is_found_by_the_first_status_check(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created(return_url="http://localhost:3000/back")
    secure = Confirmation(payment_method_id="pm_card_threeDSecure2Required")
    stripe_simulator.fault("confirm", "drop_after")
    assert change_payment.confirm(USER, payment.id, secure, run_context()).retry_after
    later(30)
    synced = change_payment.sync(USER, payment.id, run_context())
    assert synced.displayed_status == "requires_action"
    assert (
        synced.active_attempt
    )  # its call can still take effect: the lock lasts as long as the lease
    later(100)
    sweep.sweep(sweep_run())
    assert stored(payment.id).status == "requires_action"
    assert_settled(payment.id)


@pytest.mark.slow
def test_charge_is_found_within_a_minute_after_a_long_outage(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    stripe_simulator.fault("fetch", "500_before", times=None)
    change_payment.confirm(USER, payment.id, VISA, run_context())
    for _ in range(40):
        later(600)
        sweep.sweep(sweep_run())
    assert stored(payment.id).active_attempt
    stripe_simulator.faults.clear()
    later(60)
    sweep.sweep(sweep_run())
    assert stored(payment.id).status == "succeeded"
    assert_settled(payment.id)


def test_status_check_of_creation_sends_the_same_bytes(
    crash: Crash, later: Later, stripe_simulator: StripeSimulator
) -> None:
    """DynamoDB keeps neither 1.0 nor the order of keys, and Stripe would see another request."""
    metadata = {"x": 1.0, "big": 10**17} | {f"key-{n}": str(n) for n in range(48)}
    crash.at = "answered"
    new = NewPayment.model_validate({"total_cents": 900, "currency": "USD", "metadata": metadata})
    with pytest.raises(Killed):
        create_payment.create_payment_intent(USER, new, run_context())
    later(200)
    sweep.sweep(sweep_run())
    assert read_payments.list_payments(USER, Page())[0].status == "created"
    assert len(stripe_simulator.intents()) == 1


def test_rule11_refusal_releases_the_lock_if_the_status_check_fails(
    crash: Crash, stripe_simulator: StripeSimulator
) -> None:
    """The version has changed, so the state is fetched again; that nothing was done stays known."""
    payment = created()

    def meanwhile(payment_id: str) -> None:
        change_payment.sync(USER, payment_id, run_context())
        stripe_simulator.fault("confirm", "429", times=None)
        stripe_simulator.fault("fetch", "500_before", times=None)

    crash.at, crash.meanwhile = "locked", meanwhile
    with pytest.raises(ProviderUnavailable):
        change_payment.confirm(USER, payment.id, VISA, run_context("a key"))
    assert stored(payment.id).active_attempt is None
    stripe_simulator.faults.clear()
    confirmed = change_payment.confirm(USER, payment.id, VISA, run_context("a key")).payment
    assert confirmed.status == "succeeded"
    assert len(stripe_simulator.charges()) == 1
    assert_settled(payment.id)


def test_rule11_outcome_is_kept_if_the_version_has_changed() -> None:
    """The provider's state, which is fetched again, does not tell that the cancel was refused."""
    payment = stored(created().id)
    row = attempts.lock_for(payment, "cancel", "hash", run_context())
    locked = payment_writes.lock(payment, row, None)
    assert synchronize.synchronize(stored(payment.id), sweep_run()).active_attempt
    refused = AttemptOutcome(attempt=locked.locked_attempt.number, kind="refused")
    written = synchronize.record_outcome(locked, None, refused, run_context())
    assert (written.status, written.active_attempt) == ("created", None)
    assert payment_items.timeline(payment.id)[-1].outcome == "refused"
    assert_settled(payment.id)


def test_outcome_that_cannot_be_written_is_left_to_the_sweep(
    caplog: pytest.LogCaptureFixture,
) -> None:
    payment = stored(created().id)
    row = attempts.lock_for(payment, "cancel", "hash", run_context())
    locked = payment_writes.lock(payment, row, None)
    refused = AttemptOutcome(attempt=locked.locked_attempt.number, kind="refused")
    with ExitStack() as undo:
        Wire(undo, dynamodb.client()).cancel("ThrottlingError", times=dynamodb.TRIES)
        assert synchronize.record_outcome(locked, None, refused, run_context()) == locked
    assert logged(caplog, "left to the sweep") == [payment.id]
    assert stored(payment.id).active_attempt == locked.active_attempt


def test_status_check_that_is_overtaken_ten_times_gives_up_with_503(
    crash: Crash, stripe_simulator: StripeSimulator
) -> None:
    """What was not written is not an answer: others change the row during every check."""
    payment = created()
    asked = stripe_simulator.log.counts["fetch"]

    def meanwhile(payment_id: str) -> None:
        change = PaymentChange(metadata={"at": str(clock.now())})
        change_payment.update(USER, payment_id, change, run_context())
        crash.at = "fetched"

    crash.at, crash.meanwhile = "fetched", meanwhile
    with pytest.raises(TemporarilyUnavailable, match="keep changing") as given_up:
        synchronize.synchronize(stored(payment.id), sweep_run())
    assert given_up.value.retry_after == 1
    assert stripe_simulator.log.counts["fetch"] - asked == 10


def test_failed_status_check_is_logged_and_raised(
    stripe_simulator: StripeSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    payment = stored(created().id)
    stripe_simulator.fault("fetch", "503", times=2)
    with caplog.at_level("INFO"), pytest.raises(UnknownOutcome):
        synchronize.synchronize(payment, sweep_run())
    assert logged(caplog, "status check failed") == [payment.id]


def test_lease_lasts_for_the_horizon_and_5_seconds_after_the_run() -> None:
    run = run_context()
    end = synchronize.lease_end(run, registry.open_provider("stripe"))
    assert end == int(run.ends_at.timestamp()) + 60 + 5


def test_status_checks_that_cannot_be_queued_are_left_to_the_sweep(
    stripe_simulator: StripeSimulator,
    setting: Callable[[str, str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    payment = created()
    stripe_simulator.fault("confirm", "drop_after")
    setting("QUEUE_URL", "http://127.0.0.1:1/queue")
    assert change_payment.confirm(USER, payment.id, VISA, run_context()).retry_after
    assert logged(caplog, "outcome unknown") == [payment.id]
    assert logged(caplog, "status checks could not be queued") == [payment.id]
    assert stored(payment.id).due_at


def test_refused_status_check_ends_a_creation_only_after_the_lease(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    """Its first call may still arrive, and until then a refusal of the second proves nothing."""
    stripe_simulator.fault("create_payment", "drop_before", times=2)
    payment = created(total_cents=10)  # less than Stripe takes
    with pytest.raises(Refused):
        synchronize.synchronize(stored(payment.id), sweep_run())
    assert stored(payment.id).active_attempt
    later(100)
    failed = synchronize.synchronize(stored(payment.id), sweep_run())
    assert (failed.status, failed.active_attempt) == ("failed", None)
    assert failed.failure
    assert failed.failure.code == "amount_too_small"
    assert_settled(payment.id)


def test_rule17_status_check_counts_the_answers_5xx_of_a_creations_key(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.fault("create_payment", "drop_before", times=2)
    payment = created()
    stripe_simulator.fault("create_payment", "500_before", times=2)
    with pytest.raises(UnknownOutcome):
        synchronize.synchronize(stored(payment.id), sweep_run())
    assert stored(payment.id).locked_attempt.server_errors == 2


def test_rule17_creation_with_a_spent_key_is_unknown_until_its_object_could_be_listed(
    stripe_simulator: StripeSimulator,
) -> None:
    stripe_simulator.fault("create_payment", "500_stored", times=1)
    payment = created()
    for _ in range(2):  # the first check learns that the key is spent, the second finds no object
        with pytest.raises(UnknownOutcome):
            synchronize.synchronize(stored(payment.id), sweep_run())
    assert stored(payment.id).locked_attempt.number == 1


def test_unreadable_row_does_not_stop_the_sweep(later: Later) -> None:
    payment = created()
    shard = keys.due_partition(payment.id)
    broken = next(
        f"pay_broken{n}" for n in range(99) if keys.due_partition(f"pay_broken{n}") == shard
    )
    item = {"id": broken, "due_pk": shard, "due_at": 1, "status": "a word of a newer release"}
    dynamodb.write(dynamodb.put(keys.payment(broken), item))
    version = stored(payment.id).version
    later(120)
    assert sweep.sweep(sweep_run()).failed == 1
    assert stored(payment.id).version > version
