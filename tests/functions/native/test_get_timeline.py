"""GET /bridge-payment/payments/{id}/timeline. Source: contracts/bridge.md, section 4."""

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


def test_the_event_file_is_answered_with_the_timeline(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "native/get_timeline")
    assert reply.status == 200
    assert [each["seq"] for each in reply.body] == [1, 2]
    assert all(each.keys() >= FIELDS for each in reply.body)


def test_every_change_has_its_line_in_a_chain_that_a_caller_can_check(api: Api) -> None:
    made = api.payment(capture_method="manual")
    api.confirm(made, VISA)
    api.post(f"/payments/{made['id']}/capture", {"amount_cents": 1500})
    api.post(f"/payments/{made['provider_payment_id']}/refund", {"amount_cents": 500})
    lines = api.get(f"/payments/{made['id']}/timeline").body
    assert [(each["from"], each["to"], each["operation"]) for each in lines] == [
        ("new", "created", "create"),
        ("created", "requires_capture", "confirm"),
        ("requires_capture", "succeeded", "capture"),
        ("succeeded", "succeeded", "refund"),
    ]
    assert [each["event"] for each in lines][2:] == [
        "payment.succeeded",
        "payment.partially_refunded",
    ]
    assert {each["cause"] for each in lines} == {"api"}
    assert {each["outcome"] for each in lines} == {"done"}
    previous = ""
    for number, line in enumerate(lines, start=1):
        told = {name: value for name, value in line.items() if name != "hash"}
        assert (line["seq"], line["attempt"], line["previous_hash"]) == (number, number, previous)
        assert TIME.fullmatch(line["at"])
        assert line["hash"] == hashlib.sha256(rfc8785.dumps(told)).hexdigest()
        previous = line["hash"]


def test_others_see_none(api: Api, stranger: Api, guest: Api) -> None:
    made = api.payment()
    assert stranger.get(f"/payments/{made['id']}/timeline").status == 404
    theirs = guest.payment(guest_data=GUEST)
    bearer = guest.bearing(x_guest_token=theirs["guest_token"])
    assert bearer.get(f"/payments/{theirs['id']}/timeline").status == 401
