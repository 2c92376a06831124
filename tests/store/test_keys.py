"""The keys of items. Source: docs/data-model.md, section 2."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from bridge.models.identifier import new_id
from bridge.store import keys
from bridge.store.keys import Key

TEXT = st.text(max_size=40)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (keys.payment("pay_123"), Key("ledger", "P#123", "P")),
        (keys.entry("pay_123", 7), Key("ledger", "P#123", "H#0000000007")),
        (keys.provider_payment("stripe", "pi_1"), Key("ledger", "PP#stripe#pi_1", "PP")),
        (keys.client_secret("pay_123"), Key("secrets", "CS#123", "CS")),
        (keys.customer("cust_123"), Key("ledger", "C#123", "C")),
        (keys.automatic_customer("u", "stripe", None), Key("ledger", "U#u", "AUTO#stripe")),
        (keys.automatic_customer("u", "stripe", "o"), Key("ledger", "U#u", "AUTO#stripe#o")),
        (keys.customer_counter("o", "2026-01", 7), Key("ledger", "O#o#N", "2026-01#7")),
        (keys.job("job_1"), Key("ledger", "J#1", "J")),
        (keys.provider_walk("stripe", "events"), Key("ledger", "PW#stripe", "EVENTS")),
        (keys.method_owner("pm_1_2"), Key("ledger", "M#1_2", "I")),
        (keys.method("cust_1", "pm_2"), Key("ledger", "C#1", "M#2")),
        (keys.method_token("pm_2"), Key("secrets", "PT#2", "PT")),
        (keys.payment_pointer("U#u", "uid"), Key("ledger", "U#u", "P#uid")),
        (keys.customer_pointer("O#o#C#0", "uid"), Key("ledger", "O#o#C#0", "C#uid")),
    ],
)
def test_keys_have_the_documented_form(key: Key, expected: Key) -> None:
    assert key == expected


def test_texts_of_callers_are_hashed_in_keys() -> None:
    for key in (
        keys.session("secret session"),
        keys.record("U#u", "chosen key"),
        keys.limit("rule", "192.0.2.1", 5),
    ):
        assert not {"secret", "chosen", "192.0"} & set(key.pk.replace("#", " ").split())
        assert len(key.pk) < 120
    assert "donor" not in keys.guest("donor@example.com")


def test_guest_key_ignores_case_and_spaces_of_the_email() -> None:
    assert keys.guest(" Donor@Example.COM") == keys.guest("donor@example.com")
    assert keys.guest("donor@example.com") != keys.guest("donor@example.org")


@given(TEXT, TEXT, TEXT, TEXT)
def test_record_keys_of_two_callers_differ(
    scope: str, key: str, other: str, other_key: str
) -> None:
    same = (scope, key) == (other, other_key)
    assert (keys.record(scope, key) == keys.record(other, other_key)) == same


def test_timeline_entry_keys_sort_by_number() -> None:
    numbers = [1, 9, 10, 99, 1000, 9_999_999_999]
    sort_keys = [keys.entry("pay_1", number).sk for number in numbers]
    assert sort_keys == sorted(sort_keys)


def test_due_partition_is_stable_and_spreads_evenly() -> None:
    ids = [new_id("pay", datetime.now(UTC)) for _ in range(400)]
    shards = [keys.due_partition(each) for each in ids]
    assert set(shards) == set(keys.due_partitions())
    assert shards == [keys.due_partition(each) for each in ids]
    assert max(shards.count(each) for each in keys.due_partitions()) < 100
