"""Customers of users: races, retries and a busy store.

Source: docs/api/native.md, section 3; B17.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.bodies.customer import CustomerChange, NewCustomer
from bridge.core.customers import user_customers
from bridge.core.rules import idempotency
from bridge.errors import (
    BridgeError,
    Conflict,
    NotFound,
    ProviderUnavailable,
    TemporarilyUnavailable,
)
from bridge.models.customer import Customer, CustomerResult
from bridge.models.page import Page
from bridge.models.run_context import ClientKey
from bridge.store.customers import customer_items
from bridge.store.dedupe import idempotency_items
from local.stripe.simulator import StripeSimulator
from tests.conftest import STRANGER, USER, run_context, together
from tests.store.conftest import Wire, wire

__all__ = ["wire"]  # a fixture

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
Later = Callable[[float], None]
NEW = NewCustomer(provider_id="stripe", email="jane@example.com")


def created(**more: object) -> Customer:
    new = NewCustomer.model_validate(NEW.model_dump(exclude_none=True) | more)
    return user_customers.create_customer(USER, new, run_context()).customer


def listed() -> list[str]:
    return [each.id for each in user_customers.list_customers(USER, Page())]


def test_creations_at_once_with_one_key_make_one_customer(
    stripe_simulator: StripeSimulator,
) -> None:
    results = together(6, lambda _: user_customers.create_customer(USER, NEW, run_context("key-1")))
    made = [each for each in results if isinstance(each, CustomerResult)]
    refused = [each for each in results if isinstance(each, Conflict)]
    assert len(made) + len(refused) == 6
    assert {each.code for each in refused} <= {"idempotency_in_progress"}
    assert {each.customer.id for each in made} == set(listed())
    assert sum(not each.replayed for each in made) == 1
    assert len(stripe_simulator.customers()) == len(listed()) == 1


def test_b17_a_retry_takes_over_a_crashed_creation_with_its_id_after_the_runs_end(
    later: Later, stripe_simulator: StripeSimulator
) -> None:
    run = run_context("key-1")
    key = ClientKey(key="key-1", fingerprint="f")
    record_key = idempotency_items.of_creation("key-1", user_id=USER.user_id, email=None)
    until = int((clock.now() + timedelta(seconds=25)).timestamp())
    first = idempotency.new_record(record_key, key, "cust_01kjpx0000e0080000000000a1", until=until)
    idempotency_items.reserve(first, clock.seconds())
    with pytest.raises(Conflict) as waiting:
        user_customers.create_customer(USER, NEW, run)
    assert waiting.value.code == "idempotency_in_progress"
    assert 0 < (waiting.value.retry_after or 0) <= 25
    later(30)
    result = user_customers.create_customer(USER, NEW, run_context("key-1"))
    assert (result.customer.id, result.replayed) == (first.subject_id, False)
    key_sent = stripe_simulator.requests[-1].headers["Idempotency-Key"]
    assert key_sent == "01kjpx0000e0080000000000a1.c"
    assert user_customers.create_customer(USER, NEW, run_context("key-1")).replayed


@pytest.mark.parametrize("trouble", ["provider", "store"])
def test_a_failed_creation_can_be_retried_at_once(
    trouble: str, stripe_simulator: StripeSimulator, wire: Wire
) -> None:
    if trouble == "provider":
        stripe_simulator.fault("create_customer", "429")
    else:
        wire.cancel("TransactionConflict", times=3)
    with pytest.raises((ProviderUnavailable, TemporarilyUnavailable)) as failed:
        user_customers.create_customer(USER, NEW, run_context("key-1"))
    assert failed.value.status == 503
    assert listed() == []
    result = user_customers.create_customer(USER, NEW, run_context("key-1"))
    assert not result.replayed
    assert len(stripe_simulator.customers()) == len(listed()) == 1


def test_changes_at_once_of_different_fields_are_both_stored() -> None:
    seen = created()
    changes = [CustomerChange(phone="12345"), CustomerChange(name="Jane Roe")]

    def change(number: int) -> Customer:
        return user_customers.update_customer(USER, seen.id, changes[number], run_context())

    together(2, change)
    found = user_customers.get_customer(USER, seen.id)
    assert (found.phone, found.name, found.version) == ("12345", "Jane Roe", 3)


def test_many_changes_at_once_succeed_or_are_temporarily_unavailable() -> None:
    seen = created()

    def change(number: int) -> Customer:
        phone = CustomerChange(phone=f"1234{number}")
        return user_customers.update_customer(USER, seen.id, phone, run_context())

    results = together(8, change)
    done = [each for each in results if isinstance(each, Customer)]
    assert done
    refused = [each for each in results if isinstance(each, BridgeError)]
    assert {each.code for each in refused} <= {"temporarily_unavailable"}
    assert len(done) + len(refused) == 8
    assert user_customers.get_customer(USER, seen.id).version == 1 + len(done)


def test_update_with_a_busy_store_changes_nothing(wire: Wire) -> None:
    seen = created()
    wire.cancel("TransactionConflict", times=3)
    with pytest.raises(TemporarilyUnavailable):
        user_customers.update_customer(USER, seen.id, CustomerChange(phone="12345"), run_context())
    assert user_customers.get_customer(USER, seen.id) == seen


def test_a_change_and_a_deletion_at_once_leave_the_customer_deleted() -> None:
    seen = created()

    def act(number: int) -> object:
        if not number:
            return user_customers.update_customer(
                USER, seen.id, CustomerChange(phone="12345"), run_context()
            )
        user_customers.delete_customer(USER, seen.id)
        return None

    changed, deleted = together(2, act)
    assert deleted is None
    assert isinstance(changed, Customer | NotFound)
    with pytest.raises(NotFound):
        user_customers.get_customer(USER, seen.id)
    assert listed() == []


def test_deletions_at_once_succeed_once_and_are_else_not_found() -> None:
    seen = created()
    results = together(4, lambda _: user_customers.delete_customer(USER, seen.id))
    assert results.count(None) == 1
    assert sum(isinstance(each, NotFound) for each in results) == 3


def test_update_of_a_customer_without_a_provider_calls_no_provider(
    stripe_simulator: StripeSimulator,
) -> None:
    bare = replace(
        created(), id="cust_bare", uid="bare", provider_id=None, provider_customer_id=None
    )
    customer_items.insert(bare, None)
    calls = len(stripe_simulator.requests)
    changed = user_customers.update_customer(
        USER, bare.id, CustomerChange(phone="12345"), run_context()
    )
    assert changed.phone == "12345"
    assert len(stripe_simulator.requests) == calls


def test_a_missing_name_is_derived_only_when_first_or_last_name_changes() -> None:
    nameless = {"id": "cust_bare", "uid": "bare", "provider_id": None, "name": None}
    bare = replace(created(), **(nameless | {"provider_customer_id": None, "first_name": "Jane"}))
    customer_items.insert(bare, None)

    def changed(**change: str) -> str | None:
        return user_customers.update_customer(
            USER, bare.id, CustomerChange.model_validate(change), run_context()
        ).name

    assert changed(phone="12345") is None
    assert changed(last_name="Doe") == "Jane Doe"
    assert changed(first_name="", last_name="") is None, "it was derived, so it is cleared too"


def test_update_and_delete_of_anothers_customer_are_not_found() -> None:
    seen = created()
    with pytest.raises(NotFound):
        user_customers.update_customer(
            STRANGER, seen.id, CustomerChange(phone="12345"), run_context()
        )
    with pytest.raises(NotFound):
        user_customers.delete_customer(STRANGER, seen.id)
    assert user_customers.get_customer(USER, seen.id) == seen
