"""Idempotency records. Source: docs/payment-correctness.md, sections 4 and 5."""

import msgspec
import pytest

from bridge.models.idempotency import IdempotencyRecord
from bridge.store import dynamodb
from bridge.store.dedupe import idempotency_items
from bridge.store.dedupe.idempotency_items import KeyTaken
from tests.conftest import together
from tests.store.conftest import DAY, NOW, Wire

pytestmark = pytest.mark.usefixtures("tables")
PLACE = idempotency_items.of_creation("key-1", user_id="user_1", email=None)


def record(**more: object) -> IdempotencyRecord:
    known = {"key": PLACE, "fingerprint": "f", "subject_id": "cust_1", "expires": NOW + DAY}
    return msgspec.convert(known | more, IdempotencyRecord)


def stored(now: int = NOW) -> IdempotencyRecord | None:
    return idempotency_items.get(PLACE, now)


def test_record_key_depends_on_caller_or_payment() -> None:
    places = {
        PLACE,
        idempotency_items.of_creation("key-2", user_id="user_1", email=None),
        idempotency_items.of_creation("key-1", user_id="user_2", email=None),
        idempotency_items.of_creation("key-1", user_id=None, email="a@example.com"),
        idempotency_items.of_payment("pay_1", "key-1"),
        idempotency_items.of_payment("pay_2", "key-1"),
    }
    assert len(places) == 6
    folded = idempotency_items.of_creation("key-1", user_id=None, email="A@Example.com")
    assert folded in places


def test_record_is_read_as_it_was_written() -> None:
    whole = record(state="done", declined=True, snapshot='{"a":1}', until=7)
    dynamodb.write(idempotency_items.close_action(whole))
    assert stored() == whole


def test_expired_record_is_not_returned_and_can_be_reserved() -> None:
    """TTL deletes items days too late."""
    idempotency_items.reserve(record(), NOW)
    assert stored(NOW + DAY - 1)
    assert stored(NOW + DAY) is None
    idempotency_items.reserve(record(subject_id="cust_2", expires=NOW + 2 * DAY), NOW + DAY)
    found = stored(NOW + DAY)
    assert found
    assert found.subject_id == "cust_2"


def test_concurrent_reserves_only_one_succeeds() -> None:
    def reserve(number: int) -> str:
        idempotency_items.reserve(record(subject_id=f"cust_{number}"), NOW)
        return f"cust_{number}"

    results = together(8, reserve)
    (winner,) = [each for each in results if isinstance(each, str)]
    taken = [each for each in results if isinstance(each, KeyTaken)]
    assert len(taken) == 7
    assert {each.record.subject_id for each in taken} == {winner}


@pytest.mark.parametrize(
    ("more", "now", "taken"),
    [
        ({}, NOW + 10, False),  # the run is over: the same request takes its place
        ({}, NOW + 9, True),  # it still runs
        ({"fingerprint": "other"}, NOW + 10, True),
        ({"subject_id": "cust_2"}, NOW + 10, True),
    ],
)
def test_reserve_takes_over_the_same_open_request_after_its_run(
    more: dict[str, object], now: int, taken: bool
) -> None:
    first = record(until=NOW + 10)
    idempotency_items.reserve(first, NOW)
    again = record(until=NOW + 40, **more)
    if taken:
        with pytest.raises(KeyTaken) as raised:
            idempotency_items.reserve(again, now)
        assert raised.value.record == first
    else:
        idempotency_items.reserve(again, now)
        assert stored() == again


def test_reserve_of_a_done_record_raises_key_taken() -> None:
    done = record(state="done", snapshot="{}", until=0)
    dynamodb.write(idempotency_items.close_action(done))
    with pytest.raises(KeyTaken) as raised:
        idempotency_items.reserve(record(), NOW)
    assert raised.value.record == done
    assert raised.value.record.stored_response == "{}"


def test_reserve_repeated_by_the_sdk_is_recognized_as_ours(wire: Wire) -> None:
    wire.lose_answer("PutItem")
    idempotency_items.reserve(record(until=NOW + 10), NOW)
    assert len(wire.requests) == 2


def test_released_record_can_be_reserved_at_once() -> None:
    mine = record(until=NOW + 100)
    idempotency_items.reserve(mine, NOW)
    idempotency_items.release(mine)
    idempotency_items.reserve(record(until=NOW + 100), NOW)


def test_late_release_changes_nothing() -> None:
    mine, theirs = record(until=NOW + 10), record(until=NOW + 100)
    idempotency_items.reserve(mine, NOW)
    idempotency_items.reserve(theirs, NOW + 20)
    idempotency_items.release(mine)
    assert stored() == theirs
    done = record(state="done", snapshot="{}")
    dynamodb.write(idempotency_items.close_action(done))
    idempotency_items.release(theirs)
    assert stored() == done


def test_close_action_of_a_free_record_deletes_it() -> None:
    idempotency_items.reserve(record(), NOW)
    dynamodb.write(idempotency_items.close_action(record(state="free")))
    assert stored() is None


def test_stored_response_of_an_open_record_raises() -> None:
    with pytest.raises(RuntimeError):
        _ = record().stored_response
