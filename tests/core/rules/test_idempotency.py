"""Idempotency keys of clients.

Source: docs/payment-correctness.md, section 5; docs/api/native.md, section 4 (B17).
"""

from contextlib import ExitStack, suppress
from typing import Any

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.core.rules import idempotency, scheduling
from bridge.errors import Conflict, NotFound, PaymentDeclined
from bridge.models.idempotency import IdempotencyRecord
from bridge.models.model import json_of
from bridge.models.payment import Payment
from bridge.models.provider import Failure
from bridge.models.refund import Refund
from bridge.models.run_context import ClientKey, RunContext
from bridge.store import dynamodb
from bridge.store.dedupe import idempotency_items
from tests.conftest import run_context
from tests.store.conftest import Wire, attempt, customer, payment

pytestmark = pytest.mark.usefixtures("tables")
PLACE = idempotency_items.of_creation("key-1", user_id="user_1", email=None)
KEY = ClientKey(key="key-1", fingerprint="f")
CUSTOMER = customer(id="cust_1")
OTHER_REQUEST = ClientKey(key="key-1", fingerprint="another")


def reserve(subject_id: str, run: RunContext | None = None) -> IdempotencyRecord:
    return idempotency.reserve(PLACE, KEY, subject_id, run or run_context())


def done(snapshot: str, **more: Any) -> IdempotencyRecord:
    record = idempotency.new_record(PLACE, KEY, "pay_1")
    return replace(record, **({"state": "done", "snapshot": snapshot} | more))


def test_b17_new_record_is_open_and_expires_in_24_hours() -> None:
    record = idempotency.new_record(PLACE, KEY, "pay_1")
    assert (record.state, record.fingerprint, record.subject_id) == ("open", "f", "pay_1")
    assert record.expires == pytest.approx(clock.seconds() + 24 * 3600, abs=5)
    assert idempotency_items.get(PLACE, clock.seconds()) is None


def test_b17_reserve_stores_an_open_record_until_the_end_of_the_run() -> None:
    run = run_context(seconds=25)
    record = reserve("cust_1", run)
    assert idempotency_items.get(PLACE, clock.seconds()) == record
    assert (record.subject_id, record.until) == ("cust_1", int(run.ends_at.timestamp()))


def test_b17_same_key_with_other_request_raises_idempotency_key_reused() -> None:
    record = reserve("cust_1")
    for act in (
        lambda: idempotency.check_same(record, OTHER_REQUEST),
        lambda: idempotency.reserve(PLACE, OTHER_REQUEST, "cust_2", run_context()),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "idempotency_key_reused"
    idempotency.check_same(record, KEY)


def test_b17_same_key_while_the_first_request_runs_raises_idempotency_in_progress() -> None:
    reserve("cust_1", run_context(seconds=25))
    with pytest.raises(Conflict) as refused:
        reserve("cust_2")
    assert refused.value.code == "idempotency_in_progress"
    assert 1 <= (refused.value.retry_after or 0) <= 25


def test_b17_reserve_takes_over_the_record_and_subject_of_a_run_that_is_over() -> None:
    reserve("cust_1", run_context(seconds=25))
    clock.set_offset(26)
    record = reserve("cust_2")
    assert record.subject_id == "cust_1"
    assert record.until > clock.seconds()
    assert idempotency_items.get(PLACE, clock.seconds()) == record


def test_b17_reserve_returns_a_record_that_is_done() -> None:
    first = reserve("cust_1")
    finished = replace(first, state="done", snapshot="{}")
    idempotency_items.close(finished)
    assert reserve("cust_2") == finished


def test_b17_reserve_raises_conflict_if_retries_compete_for_the_key() -> None:
    reserve("cust_1", run_context(seconds=-1))
    item = {"pk": {"S": PLACE}, "subject_id": {"S": "cust_3"}, "fingerprint": {"S": "f"}}
    item |= {"state": {"S": "open"}, "until": {"N": "1"}, "exp": {"N": str(2**40)}}
    kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
    with ExitStack() as undo:
        wire = Wire(undo, dynamodb.client())
        wire.answer("PutItem", 400, {"__type": kind, "Item": item}, times=None)
        with pytest.raises(Conflict) as refused:
            reserve("cust_2")
        assert len(wire.requests) == scheduling.WRITE_TRIES
    assert (refused.value.code, refused.value.retry_after) == ("idempotency_in_progress", None)


def creation(subject_id: str, key: str | None = "key-1") -> Any:
    return idempotency.creation(lambda _: PLACE, subject_id, run_context(key))


def test_b17_failed_creation_releases_its_record_for_the_next_one() -> None:
    with pytest.raises(NotFound), creation("cust_1"):
        raise NotFound
    with creation("cust_2") as next_one:
        assert (next_one.subject_id, next_one.stored_response) == ("cust_1", None)


def test_b17_creation_without_a_key_reserves_nothing() -> None:
    with creation("cust_1", None) as made:
        assert (made.subject_id, made.record, made.stored_response) == ("cust_1", None, None)
        assert made.completed(CUSTOMER) is None
    assert idempotency_items.get(PLACE, clock.seconds()) is None


def test_b17_completed_creation_is_the_stored_response_of_the_next_one() -> None:
    with creation("cust_1") as made:
        done = made.completed(CUSTOMER)
        assert done
        idempotency_items.close(done)
    for error in (NotFound, KeyError):  # an error after it was done does not free the key
        with suppress(error), creation("cust_2") as again:
            assert again.stored_response == json_of(CUSTOMER)
            raise error


def test_creation_that_ends_without_error_keeps_its_record() -> None:
    with creation("cust_1") as made:
        pass
    assert idempotency_items.get(PLACE, clock.seconds()) == made.record


def test_recorded_refers_to_the_record() -> None:
    record = idempotency.new_record(PLACE, KEY, "pay_1")
    reference = idempotency.recorded(record)
    assert (reference.record, reference.fingerprint) == (PLACE, "f")
    assert reference.expires == record.expires


def test_b17_replay_returns_the_stored_payment_with_its_client_secret() -> None:
    stored = payment(id="pay_1", status="created")
    now = replace(stored, status="succeeded", client_secret="pi_1_secret_x")
    result = idempotency.replay(done(json_of(stored)), now)
    assert result.replayed
    assert (result.payment.status, result.payment.client_secret) == ("created", "pi_1_secret_x")


def test_b17_replay_returns_the_stored_refund() -> None:
    at = clock.now()
    refund = Refund(
        id="ref_1", payment_id="pay_1", amount_cents=5, currency="USD", created_at=at, updated_at=at
    )
    row = payment(id="pay_1")
    result = idempotency.replay(done(json_of(refund), subject_id="ref_1"), row)
    assert (result.refund, result.payment, result.replayed) == (refund, row, True)


def test_b17_replay_of_a_decline_raises_it_again() -> None:
    failed = declined_payment(Failure(code="card_declined", message="No.", decline_code="stolen"))
    with pytest.raises(PaymentDeclined) as raised:
        idempotency.replay(done(json_of(failed), declined=True), failed)
    assert raised.value.replayed
    assert (str(raised.value), raised.value.decline_code) == ("No.", "stolen")


def test_replay_of_an_open_record_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError):
        idempotency.replay(idempotency.new_record(PLACE, KEY, "pay_1"), payment(id="pay_1"))


def declined_payment(failure: Failure | None) -> Payment:
    return payment(id="pay_1", status="failed", failure=failure)


@pytest.mark.parametrize(
    ("failure", "message", "decline_code"),
    [
        (Failure(code="card_declined", message="No.", decline_code="stolen"), "No.", "stolen"),
        (Failure(code="card_declined", message="No."), "No.", "card_declined"),
        (None, "The payment was declined.", None),
    ],
)
def test_declined_has_message_and_decline_code_of_the_failure(
    failure: Failure | None, message: str, decline_code: str | None
) -> None:
    error = idempotency.declined(declined_payment(failure))
    assert (str(error), error.decline_code, error.payment_id) == (message, decline_code, "pay_1")
    assert not error.replayed


def test_in_progress_says_when_the_lease_is_over() -> None:
    locked = payment(active_attempt=attempt(at=clock.seconds()))
    assert 85 <= idempotency.seconds_left(locked) <= 90
    error = idempotency.in_progress(locked)
    assert error.code == "payment_in_progress"
    assert 85 <= (error.retry_after or 0) <= 90


def test_seconds_left_is_at_least_1() -> None:
    assert idempotency.seconds_left(payment()) == 1
    assert idempotency.seconds_left(payment(active_attempt=attempt(at=1000))) == 1
