"""What operators do by hand. Source: design/data-model.md 2 (timeline); contracts/bridge.md, B7."""

from datetime import timedelta

import pytest

from bridge import clock
from bridge.core import convergence, operators, payments
from bridge.errors import NotFound
from bridge.models.caller import Caller, Named
from bridge.models.payment import Confirmation, Entry, NewPayment, Payment
from bridge.store import keys, payment_items, session_items, table
from local.stripe.simulator import StripeSimulator
from tests.conftest import USER, call_of

pytestmark = pytest.mark.usefixtures("tables", "stripe_simulator")
USD_20 = {"total_cents": 2000, "currency": "USD"}
SESSION = "a-session-of-sixteen-or-more"


def paid() -> Payment:
    payment = payments.create_payment_intent(USER, NewPayment(**USD_20), call_of()).payment
    visa = Confirmation(payment_method_id="pm_card_visa")
    payments.confirm(USER, payment.id, visa, call_of())
    found = payment_items.get(payment.id)
    assert found
    return found


def rehashed(entry: Entry, **changes: object) -> Entry:
    changed = entry.model_copy(update=changes)
    return changed.model_copy(update={"hash": convergence.hash_of(changed)})


def test_a_changed_entry_is_found_by_its_hash() -> None:
    payment = paid()
    assert operators.inspect_payment(payment.id).timeline_is_whole
    first = payment_items.timeline(payment.id)[0]
    tampered = first.model_copy(update={"to_status": "failed"})
    table.write(table.put(keys.entry(payment.id, 1), tampered.model_dump()))
    seen = operators.inspect_payment(payment.id)
    assert not seen.timeline_is_whole
    assert len(seen.timeline) == 2


def test_no_tampering_goes_unseen() -> None:
    payment = paid()
    first, second = timeline = payment_items.timeline(payment.id)
    assert operators.is_whole(timeline, payment)
    earlier = rehashed(first, at=first.at - timedelta(days=1))
    third = rehashed(second, sequence=3, previous_hash=second.hash)
    for forged in (
        [],
        [first],
        [second],
        [second, first],
        [first, first, second],
        [earlier, second],
        [first, rehashed(second, to_status="failed")],
        [earlier, rehashed(second, previous_hash=earlier.hash)],
        [first, second, third],
        [first, rehashed(second, sequence=3)],
    ):
        assert not operators.is_whole(forged, payment)
    row = payment.model_copy(update={"last_hash": third.hash})
    assert not operators.is_whole([first, second, third], row)


def test_what_is_shown_holds_no_personal_data(stripe_simulator: StripeSimulator) -> None:
    private = {"email": "donor@example.com", "name": "Private Person", "phone": "+1234567890"}
    texts = {"description": "private words", "metadata": {"private key": "private value"}}
    new = NewPayment.model_validate(USD_20 | texts | {"guest_data": private})
    stripe_simulator.fault("create_payment", "500_after", times=None)
    payment = payments.create_payment_intent(Caller(), new, call_of()).payment
    seen = operators.inspect_payment(payment.id)
    assert seen.is_locked
    assert seen.payment["total_cents"] == 2000
    told = seen.model_dump_json().lower()
    for hidden in ("donor", "private", "1234567890", "_secret_", "sk_test"):
        assert hidden not in told


@pytest.mark.parametrize("payment_id", ["pay_404", "", "pay 1", "P#1", "x" * 129])
def test_what_is_not_there_is_not_found(payment_id: str) -> None:
    with pytest.raises(NotFound):
        operators.inspect_payment(payment_id)
    with pytest.raises(NotFound):
        operators.converge_payment(payment_id, call_of())


def test_converging_shows_what_it_found(stripe_simulator: StripeSimulator) -> None:
    payment = payments.create_payment_intent(USER, NewPayment(**USD_20), call_of()).payment
    stripe_simulator.browser_confirm(
        str(payment.provider_payment_id), str(payment.client_secret), "pm_card_visa"
    )
    seen = operators.converge_payment(payment.id, call_of())
    assert (seen.shown_status, seen.timeline_is_whole) == ("succeeded", True)
    assert len(seen.timeline) == 2


def test_b7_a_session_is_written_renewed_and_revoked() -> None:
    ends = clock.now() + timedelta(hours=1)
    event = operators.SessionEvent(session_id=SESSION, user_id="user_1", expires_at=ends)
    operators.put_session(event)
    operators.put_session(event.model_copy(update={"organizations": {"org_1": "member"}}))
    session, expires, _ = session_items.read(SESSION, Named())
    assert session
    assert (session.user_id, session.organizations) == ("user_1", {"org_1": "member"})
    assert expires == int(ends.timestamp())
    for _ in range(2):  # the second finds it ended already
        operators.revoke_session(SESSION)
        assert session_items.read(SESSION, Named())[0] is None
