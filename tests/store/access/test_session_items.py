"""Sessions by the hash of their id, read together with other records of the request.

Source: docs/data-model.md, section 8.
"""

from datetime import timedelta

import pytest

from bridge import clock
from bridge.models.caller import PrefetchIds, Session
from bridge.store.access import session_items
from bridge.store.customers import customer_items
from bridge.store.payments import payment_items, payment_writes
from tests.store.conftest import Wire, customer, payment

pytestmark = pytest.mark.usefixtures("tables")
SESSION = Session(
    user_id="user_1",
    email="jane@example.com",
    organizations={"org_1": "member"},
    expires_at=clock.now() + timedelta(hours=1),
)


def test_read_returns_the_whole_session_and_its_end() -> None:
    session_items.put("session-1", SESSION)
    found, expires, prefetched = session_items.read("session-1", PrefetchIds())
    assert found == SESSION
    assert expires == int(SESSION.expires_at.timestamp())
    assert prefetched == {}


def test_read_of_unknown_session_id_returns_none() -> None:
    session_items.put("session-1", SESSION)
    assert session_items.read("session-2", PrefetchIds())[0] is None


def test_read_gets_session_and_prefetched_records_in_one_batch(wire: Wire) -> None:
    session_items.put("session-1", SESSION)
    row, owner = payment(), customer()
    payment_writes.insert_locked(row, None, {})
    customer_items.insert(owner, None)
    wire.watch("BatchGetItem")
    ids = PrefetchIds(payment_id=row.id, client_key="key-1")
    _, _, prefetched = session_items.read("session-1", ids)
    assert len(wire.requests) == 1
    found, record = payment_items.read(row.id, "key-1", 0, prefetched)
    assert (found, record) == (row, None)
    _, _, prefetched = session_items.read("session-1", PrefetchIds(customer_id=owner.id))
    assert customer_items.get(owner.id, prefetched) == owner
    assert len(wire.requests) == 2


def test_deleted_session_is_gone_at_once() -> None:
    session_items.put("session-1", SESSION)
    session_items.delete("session-1")
    session_items.delete("session-1")
    assert session_items.read("session-1", PrefetchIds())[0] is None
