"""The background part of a customer's deletion ends right, also if its runs crash.

Source: docs/data-model.md, section 6; docs/api/native.md, section 3 (B12).
"""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bridge import clock, config
from bridge.bodies.customer import NewCustomer
from bridge.bodies.payment import Confirmation, NewPayment, NewRefund
from bridge.core.customers import user_customers
from bridge.core.operations import payment_operator
from bridge.core.payment_state import synchronize
from bridge.core.payments import change_payment, create_payment, read_payments
from bridge.core.rules import scheduling
from bridge.core.workers import deletion, sweep
from bridge.errors import NotFound
from bridge.models import field_rules
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.identifier import new_id, suffix
from bridge.models.job import Job
from bridge.models.page import Page
from bridge.models.payment import Payment
from bridge.models.payment_method import PaymentMethod
from bridge.models.run_context import RunContext
from bridge.store import dynamodb, keys
from bridge.store.customers import customer_items
from bridge.store.jobs import due_items, job_items
from bridge.store.payments import payment_items, payment_writes
from bridge.store.wallet import method_items
from local import database
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, Crash, Killed, run_context, sweep_run, together
from tests.store.conftest import FRESH_WRITE, customer as customer_row, payment as payment_row

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]
Setting = Callable[[str, str], None]
VISA = Confirmation(payment_method_id="pm_card_visa")
HOUR = 3600


class Pauses:
    """A pause that returns at once. `slept`: the seconds that were asked for."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def job_call(seconds: float = 60) -> RunContext:
    return RunContext(cause="sweep", ends_at=clock.now() + timedelta(seconds=seconds))


def run(seconds: float = 60) -> tuple[int, int, int]:
    """Run the job function. Returns the numbers of jobs finished, failed and left."""
    worked = deletion.finish_due(job_call(seconds), Pauses())
    return worked.finished, worked.failed, worked.left


def new_customer(**more: object) -> Customer:
    known: dict[str, object] = {"provider_id": "stripe", "email": "jane@example.com"}
    new = NewCustomer.model_validate(known | more)
    return user_customers.create_customer(USER, new, run_context()).customer


def save_methods(stripe: StripeSimulator, customer: Customer, count: int) -> list[PaymentMethod]:
    saved = []
    for _ in range(count):
        now = clock.now()
        method_id = new_id("pm", now)
        at_stripe = stripe.seed_method(f"pm_at_stripe_{method_id}", customer.provider_customer_id)
        method = PaymentMethod(
            id=method_id,
            uid=suffix(method_id),
            customer_id=customer.id,
            provider_id="stripe",
            token=str(at_stripe["id"]),
            created_at=now,
            updated_at=now,
        )
        seen = customer_items.get(customer.id)
        assert seen
        method_items.insert(method, seen, None)
        saved.append(method)
    return saved


def pay(customer: Customer, **more: object) -> Payment:
    """A payment of the customer that has succeeded and can change no more."""
    asked: dict[str, object] = {"total_cents": 2000, "currency": "USD", "customer_id": customer.id}
    new = NewPayment.model_validate(asked | more)
    payment = create_payment.create_payment_intent(USER, new, run_context()).payment
    return change_payment.confirm(USER, payment.id, VISA, run_context()).payment


def delete(customer: Customer) -> None:
    user_customers.delete_customer(USER, customer.id)


def jobs() -> list[Job]:
    listed = [due for shard in due_items.shards() for due in due_items.list_due(shard, 2**40)]
    found = [job_items.get(due.id) for due in listed if due.kind == "job"]
    return [job for job in found if job]


def attached(stripe: StripeSimulator) -> list[str]:
    return [each.id for each in stripe.world.methods.values() if each.customer]


def stored(payment: Payment) -> Payment:
    found = payment_items.get(payment.id)
    assert found
    return found


def test_b12_deletion_detaches_all_methods_and_deletes_the_provider_customer(
    stripe_simulator: StripeSimulator,
) -> None:
    gone, kept = new_customer(), new_customer()
    saved = save_methods(stripe_simulator, gone, deletion.PAGE + 3)
    (other,) = save_methods(stripe_simulator, kept, 1)
    delete(gone)
    asked = len(stripe_simulator.requests)
    assert run() == (1, 0, 0)
    assert attached(stripe_simulator) == [other.token]
    names = [each.operation for each in stripe_simulator.requests[asked:]]
    assert names == ["detach"] * len(saved) + ["delete_customer"]
    deleted = {each["id"]: each.get("deleted", False) for each in stripe_simulator.customers()}
    assert deleted == {gone.provider_customer_id: True, kept.provider_customer_id: False}
    for method in saved:
        left, _ = method_items.get(method.id)
        assert left
        assert (left.state, left.token) == ("deleted", None)
        assert dynamodb.get(keys.method_token(method.id)) is None
    assert jobs() == []
    assert run() == (0, 0, 0)


def test_deletion_of_customer_without_provider_does_not_call_the_provider(
    stripe_simulator: StripeSimulator,
) -> None:
    seen = customer_row(provider_id=None, provider_customer_id=None)
    customer_items.insert(seen, None)
    gone = replace(seen, state="deleted")
    customer_items.delete(seen, gone, new_id("job", clock.now()), clock.seconds())
    assert run() == (1, 0, 0)
    assert stripe_simulator.requests == []


def test_deletion_succeeds_if_methods_and_customer_are_already_gone_at_provider(
    stripe_simulator: StripeSimulator,
) -> None:
    gone = new_customer()
    first, second = save_methods(stripe_simulator, gone, 2)
    stripe_simulator.world.methods[str(first.token)].customer = None
    del stripe_simulator.world.methods[str(second.token)]
    stripe_simulator.world.customers[str(gone.provider_customer_id)].deleted = True
    delete(gone)
    assert run() == (1, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("crash_point", ["detached", "paged"])
@pytest.mark.parametrize("deaths", [1, 4])
def test_job_whose_run_was_killed_continues_after_the_end_of_that_run(
    crash_point: str, deaths: int, stripe_simulator: StripeSimulator, crash: Crash, later: Later
) -> None:
    gone = new_customer()
    save_methods(stripe_simulator, gone, deletion.PAGE + 3)
    delete(gone)
    died = 0
    for _ in range(deaths):
        crash.at = crash_point
        try:
            run()
        except Killed:
            died += 1
        crash.at = None
        assert run() == (0, 0, 0)  # no other run takes it while that run may be alive
        later(60 + synchronize.CLOCKS_DIFFER_S + 1)
    assert died >= min(deaths, 2)
    run()
    assert jobs() == []
    assert attached(stripe_simulator) == []
    assert [each["deleted"] for each in stripe_simulator.customers()] == [True]


@pytest.mark.parametrize("operation", ["detach", "delete_customer"])
@pytest.mark.parametrize("kind", ["500_before", "drop_after", "429"])
def test_job_is_deferred_for_a_minute_if_the_provider_fails(
    operation: str, kind: str, stripe_simulator: StripeSimulator, later: Later
) -> None:
    gone = new_customer()
    save_methods(stripe_simulator, gone, 2)
    delete(gone)
    stripe_simulator.fault(operation, kind, times=None)
    began = clock.seconds()
    assert run() == (0, 1, 0)
    (job,) = jobs()
    assert began + 60 <= job.due_at <= clock.seconds() + 60
    assert run() == (0, 0, 0)
    stripe_simulator.faults.clear()
    later(61)
    assert run() == (1, 0, 0)
    assert attached(stripe_simulator) == []


@pytest.mark.slow
def test_job_that_fails_for_a_day_raises_alarm_and_is_still_tried_hourly(
    stripe_simulator: StripeSimulator,
    later: Later,
    setting: Setting,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = new_customer()
    delete(gone)
    stripe_simulator.fault("delete_customer", "429", times=None)
    setting("POWERTOOLS_METRICS_DISABLED", "false")
    capsys.readouterr()
    began, stuck = clock.seconds(), []
    while clock.seconds() - began < 27 * HOUR:
        assert run() == (0, 1, 0)
        lines = capsys.readouterr().out.splitlines()
        stuck.append(any("stuck_jobs" in json.loads(line) for line in lines if "_aws" in line))
        (job,) = jobs()
        later(job.due_at - clock.seconds())
    assert stuck == sorted(stuck)
    assert 2 <= sum(stuck) <= 4
    stripe_simulator.faults.clear()
    assert run() == (1, 0, 0)


def test_concurrent_runs_work_on_a_job_once(stripe_simulator: StripeSimulator) -> None:
    gone = new_customer()
    save_methods(stripe_simulator, gone, 5)
    delete(gone)
    asked = len(stripe_simulator.requests)
    results = together(6, lambda _: run())
    assert sorted(results)[-1] == (1, 0, 0)
    assert sum(sum(each) for each in results) == 1
    names = [each.operation for each in stripe_simulator.requests[asked:]]
    assert names == ["detach"] * 5 + ["delete_customer"]


def test_run_stops_writing_after_another_run_took_its_job(
    stripe_simulator: StripeSimulator, crash: Crash, later: Later
) -> None:
    gone = new_customer()
    save_methods(stripe_simulator, gone, 2)
    delete(gone)

    def sleep_until_another_run_finished(_: str) -> None:
        later(210)
        assert run() == (1, 0, 0)

    crash.at, crash.meanwhile = "paged", sleep_until_another_run_finished
    assert run(200) == (0, 0, 0)
    assert jobs() == []


def test_run_without_time_leaves_the_job_due_now(
    stripe_simulator: StripeSimulator,
) -> None:
    gone = new_customer()
    save_methods(stripe_simulator, gone, 1)
    delete(gone)
    assert run(scheduling.SPARE_S - 1) == (0, 0, 1)
    assert len(attached(stripe_simulator)) == 1
    assert run() == (1, 0, 0)


def test_page_that_ran_out_of_time_is_finished_by_the_next_run(
    stripe_simulator: StripeSimulator, crash: Crash, later: Later
) -> None:
    gone = new_customer()
    save_methods(stripe_simulator, gone, 3)
    delete(gone)
    crash.at, crash.meanwhile = "detached", lambda _: later(50)
    assert run() == (0, 0, 1)
    assert len(attached(stripe_simulator)) == 2
    (job,) = jobs()
    assert (job.stage, job.cursor) == ("methods", None)
    assert job.due_at <= clock.seconds()
    assert run() == (1, 0, 0)
    assert attached(stripe_simulator) == []


def test_invalid_job_is_logged_and_the_other_jobs_are_done(
    stripe_simulator: StripeSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    alive, gone = new_customer(), new_customer()
    item = {"kind": "of a newer release", "customer_id": gone.id, "version": 1, "due_at": 1}
    for shard in range(8):
        odd = item | {"due_pk": f"D#{shard}"}
        dynamodb.write(dynamodb.put(keys.job(f"job_odd{shard}"), odd))
    wrong = Job(id="job_wrong", customer_id=alive.id, due_at=1)
    dynamodb.write(job_items.creation(wrong))
    delete(gone)
    assert run() == (1, 9, 0)
    assert [each.get("deleted", False) for each in stripe_simulator.customers()] == [False, True]
    assert [each.levelname for each in caplog.records].count("ERROR") == 9


def cascading(setting: Setting) -> None:
    setting("CASCADE_PAYMENTS", "1")


def test_b12_payments_stay_readable_without_cascade() -> None:
    customer = new_customer()
    payment = pay(customer)
    delete(customer)
    assert run() == (1, 0, 0)
    assert read_payments.get_payment(USER, payment.id).status == "succeeded"
    assert stored(payment) == replace(payment, client_secret=None)


@pytest.mark.parametrize("whose", ["the stack's", "the organization's", "another's"])
def test_b12_payments_are_hidden_by_setting_of_stack_or_organization(
    whose: str, setting: Setting
) -> None:
    if whose == "the stack's":
        cascading(setting)
    else:
        name = "org_456" if whose == "the organization's" else "org_789"
        dynamodb.write(dynamodb.put(keys.organization_settings(name), {"cascade_payments": True}))
    customer = new_customer(organization_id="org_456")
    payment = pay(customer, organization_id="org_456")
    delete(customer)
    assert run() == (1, 0, 0)
    assert stored(payment).is_hidden == (whose != "another's")


def test_hidden_payment_is_not_visible_and_keeps_its_amounts_and_timeline(
    setting: Setting, stripe_simulator: StripeSimulator
) -> None:
    cascading(setting)
    customer = new_customer(organization_id="org_456")
    texts = {
        "description": "private words",
        "concept": "private concept",
        "reference_code": "private code",
        "category": "private category",
        "tags": "private tags",
        "statement_descriptor": "private order",
        "metadata": {"private key": "private value"},
        "return_url": "http://localhost/private",
        "cancel_url": "http://localhost/private",
    }
    personal = field_rules.fields_with(Payment, set_by="client", is_personal=True)
    assert {*texts, "guest"} == set(personal)
    payment = pay(customer, organization_id="org_456", **texts)
    seen = stored(payment)
    delete(customer)
    assert run() == (1, 0, 0)
    left = stored(payment)
    row = dynamodb.get(keys.payment(payment.id))
    assert "private" not in str(row)
    for field in ("status", "total_cents", "captured_cents", "currency", "last_hash", "charge_id"):
        assert getattr(left, field) == getattr(seen, field)
    assert payment_operator.inspect_payment(payment.id).timeline_is_whole
    assert payment_items.id_at_provider(str(payment.provider_payment_id)) == payment.id
    for payment_id in (payment.id, str(payment.provider_payment_id)):
        with pytest.raises(NotFound):
            read_payments.get_payment(USER, payment_id)
        with pytest.raises(NotFound):
            change_payment.sync(USER, payment_id, run_context())
    assert read_payments.list_payments(USER, Page()) == []
    assert read_payments.list_payments(USER, Page(organization_id="org_456")) == []
    assert payment_items.walk_customer(customer.id, None, 10) == ([], "")


def test_hidden_guest_payment_contains_no_data_of_the_guest(setting: Setting) -> None:
    cascading(setting)
    customer = new_customer()
    guest = {"email": "donor@example.com", "name": "Private Person", "phone": "+1234567890"}
    row = payment_row(customer_id=customer.id, user_id=None, guest=guest, status="succeeded")
    payment_writes.insert_locked(row, None, FRESH_WRITE)
    assert [each.id for each in payment_items.list_of_guest("donor@example.com", Page())] == [
        row.id
    ]
    delete(customer)
    assert run() == (1, 0, 0)
    assert payment_items.list_of_guest("donor@example.com", Page()) == []
    assert stored(row).guest is None
    with pytest.raises(NotFound):
        read_payments.get_payment(Caller(guest_of=row.id), row.id)


def test_b12_payment_in_progress_is_hidden_in_a_later_round(
    setting: Setting, stripe_simulator: StripeSimulator, later: Later
) -> None:
    cascading(setting)
    customer = new_customer()
    done = pay(customer)
    new = NewPayment.model_validate(
        {"total_cents": 2000, "currency": "USD", "customer_id": customer.id}
    )
    moving = create_payment.create_payment_intent(USER, new, run_context()).payment
    delete(customer)
    began = clock.seconds()
    assert run() == (0, 0, 1)
    assert (stored(done).is_hidden, stored(moving).is_hidden) == (True, False)
    (job,) = jobs()
    assert began + 3600 <= job.due_at <= clock.seconds() + 3600
    assert run() == (0, 0, 0)
    change_payment.confirm(USER, moving.id, VISA, run_context())
    later(HOUR)
    assert run() == (1, 0, 0)
    assert stored(moving).is_hidden
    assert stored(moving).status == "succeeded"


def test_b12_payment_that_is_only_watched_is_hidden_at_once(
    setting: Setting, stripe_simulator: StripeSimulator, later: Later
) -> None:
    """It has a young refund and an open dispute (rule 16): both are still followed."""
    cascading(setting)
    customer = new_customer()
    payment = pay(customer)
    change_payment.refund(USER, payment.id, NewRefund(amount_cents=500), run_context())
    stripe_simulator.dashboard("inquire", str(payment.provider_payment_id))
    change_payment.sync(USER, payment.id, run_context())
    assert stored(payment).due_at
    delete(customer)
    assert run() == (1, 0, 0)
    assert stored(payment).is_hidden
    stripe_simulator.dashboard("close_dispute", str(payment.provider_payment_id), outcome="won")
    later(8 * 24 * HOUR)
    sweep.sweep(sweep_run())
    dispute = stored(payment).dispute
    assert dispute
    assert dispute.state == "won"


def test_payment_that_changes_meanwhile_is_hidden_in_the_next_round(
    setting: Setting, crash: Crash, later: Later
) -> None:
    cascading(setting)
    customer = new_customer()
    first, second = pay(customer), pay(customer)

    def touch(_: str) -> None:
        seen = stored(second)
        payment_writes.advance(seen, replace(seen, category="touched"))

    delete(customer)
    crash.at, crash.meanwhile = "hidden", touch
    assert run() == (0, 0, 1)
    assert (stored(first).is_hidden, stored(second).is_hidden) == (True, False)
    later(HOUR)
    assert run() == (1, 0, 0)
    assert stored(second).is_hidden


def test_hidden_payment_is_still_synchronized(
    setting: Setting, stripe_simulator: StripeSimulator
) -> None:
    cascading(setting)
    customer = new_customer()
    payment = pay(customer)
    delete(customer)
    run()
    stripe_simulator.dashboard("refund", str(payment.provider_payment_id), 500)
    synchronize.synchronize(stored(payment), run_context())
    after = stored(payment)
    assert (after.refunded_cents, after.is_hidden) == (500, True)
    assert payment_operator.inspect_payment(payment.id).timeline_is_whole


def seed_payments(customer: Customer, count: int) -> list[Payment]:
    """Succeeded payments with a row and three pointers each, written in batches."""
    rows = [
        payment_row(
            customer_id=customer.id,
            organization_id="org_456",
            status="succeeded",
            description="private words",
        )
        for _ in range(count)
    ]
    partitions = (
        keys.user("user_1"),
        keys.organization_payments("org_456", 0),
        keys.customer_payments(customer.id),
    )
    puts = [
        {"PutRequest": {"Item": dynamodb.key_of(key) | dynamodb.typed(item)}}
        for row in rows
        for key, item in [
            (keys.payment(row.id), payment_items.item_of(row)),
            *((keys.payment_pointer(each, row.uid), {"id": row.id}) for each in partitions),
        ]
    ]
    name, client = config.table_name("ledger"), database.client()
    for start in range(0, len(puts), 25):
        answer = client.batch_write_item(RequestItems={name: puts[start : start + 25]})
        assert not answer["UnprocessedItems"]
    return rows


def test_deletion_pauses_after_each_page_to_limit_the_write_rate(setting: Setting) -> None:
    cascading(setting)
    customer = new_customer()
    seed_payments(customer, deletion.PAGE + 5)
    delete(customer)
    began, pauses = clock.now(), Pauses()
    assert deletion.finish_due(job_call(), pauses).finished == 1
    took = (clock.now() - began).total_seconds()
    written = (deletion.PAGE, 5)  # four items each: the row and three pointers
    units = [2 * 4 * payments for payments in written]
    assert len(pauses.slept) == len(written)
    for unit, slept in zip(units, pauses.slept, strict=True):
        assert unit / deletion.WRITE_UNITS_S - took <= slept <= unit / deletion.WRITE_UNITS_S


@pytest.mark.scale
@pytest.mark.usefixtures("dynamodb_local")
def test_ten_thousand_payments_are_hidden_although_the_job_is_killed_twice(
    setting: Setting, crash: Crash, later: Later
) -> None:
    cascading(setting)
    customer = new_customer(organization_id="org_456")
    rows = seed_payments(customer, 10_000)
    other = pay(new_customer())
    delete(customer)
    assert not stored(rows[0]).is_hidden  # the deletion did not wait for the payments

    def die_after(count: int) -> None:
        """Hide so many payments, then die before the job is written."""
        if count:
            crash.at, crash.meanwhile = "hidden", lambda _: die_after(count - 1)
        else:
            raise Killed

    killed = runs = 0
    while jobs():
        if runs in (2, 4):
            die_after(333)
        try:  # a pause only moves the clock
            deletion.finish_due(job_call(), later)
        except Killed:
            killed += 1
        crash.at = crash.meanwhile = None
        runs += 1
        later(70)
    assert killed == 2
    assert runs > 80_000 / deletion.WRITE_UNITS_S / 60  # the rate is limited: four items a payment
    assert payment_items.walk_customer(customer.id, None, 10) == ([], "")
    assert dynamodb.query("ledger", keys.user("user_1"), "P#", Select="COUNT")["Count"] == 0
    found = payment_items.list_by_id([row.id for row in rows])
    assert len(found) == 10_000
    assert all(each.is_hidden and each.description is None for each in found)
    assert not stored(other).is_hidden
