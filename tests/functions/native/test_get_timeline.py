"""GET /bridge-payment/payments/{id}/timeline. Source: docs/api/native.md, section 4."""

import hashlib
from collections.abc import Callable

import rfc8785

from functions.native.get_timeline.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, TIME, VISA, Api, Reply

FIELDS = {
    "seq",
    "at",
    "from",
    "to",
    "cause",
    "operation",
    "attempt",
    "outcome",
    "previous_hash",
    "hash",
}


def test_get_timeline_with_event_file_returns_its_entries(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/get_timeline")
    assert reply.status == 200
    assert [each["seq"] for each in reply.body] == [1, 2]
    assert all(each.keys() >= FIELDS for each in reply.body)


def test_timeline_has_one_entry_per_change_and_valid_hash_chain(api: Api) -> None:
    payment = api.payment(capture_method="manual")
    api.confirm(payment, VISA)
    api.post(f"/payments/{payment['id']}/capture", {"amount_cents": 1500})
    api.post(f"/payments/{payment['provider_payment_id']}/refund", {"amount_cents": 500})
    entries = api.get(f"/payments/{payment['id']}/timeline").body
    assert [(each["from"], each["to"], each["operation"]) for each in entries] == [
        ("new", "created", "create"),
        ("created", "requires_capture", "confirm"),
        ("requires_capture", "succeeded", "capture"),
        ("succeeded", "succeeded", "refund"),
    ]
    assert [each["event"] for each in entries][2:] == [
        "payment.succeeded",
        "payment.partially_refunded",
    ]
    assert {each["cause"] for each in entries} == {"api"}
    assert {each["outcome"] for each in entries} == {"done"}
    previous = ""
    for number, entry in enumerate(entries, start=1):
        hashed = {name: value for name, value in entry.items() if name != "hash"}
        assert (entry["seq"], entry["attempt"], entry["previous_hash"]) == (
            number,
            number,
            previous,
        )
        assert TIME.fullmatch(entry["at"])
        assert entry["hash"] == hashlib.sha256(rfc8785.dumps(hashed)).hexdigest()
        previous = entry["hash"]


def test_get_timeline_returns_404_to_other_user_and_401_to_guest(
    api: Api, stranger: Api, guest: Api
) -> None:
    payment = api.payment()
    assert stranger.get(f"/payments/{payment['id']}/timeline").status == 404
    theirs = guest.payment(guest_data=GUEST)
    with_token = guest.with_headers(x_guest_token=theirs["guest_token"])
    assert with_token.get(f"/payments/{theirs['id']}/timeline").status == 401
