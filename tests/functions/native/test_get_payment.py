"""GET /bridge-payment/payments/{id}. Source: contracts/bridge.md, section 4."""

from collections.abc import Callable

import pytest

from functions.native.get_payment.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, PAYMENT_FIELDS, TIME, VISA, Api, Dashboard, Reply


def test_the_event_file_is_answered_with_the_full_payment(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    before = len(demo_data.requests)
    reply = invoke(handler, "native/get_payment")
    assert reply.status == 200
    assert reply.body.keys() == PAYMENT_FIELDS
    shown = [reply.body[name] for name in ("id", "total_cents", "status", "concept")]
    assert shown == ["pay_123", 2000, "succeeded", "Premium Subscription"]
    assert len(demo_data.requests) == before  # a read calls nobody


@pytest.mark.parametrize("path", ["/payments/{id}", "/payments/intents/{id}"])
@pytest.mark.parametrize("name", ["id", "provider_payment_id"])
def test_a_payment_is_named_by_our_id_or_the_providers_on_both_paths(
    api: Api, path: str, name: str
) -> None:
    made = api.payment()
    reply = api.get(path.replace("{id}", made[name]))
    assert (reply.status, reply.body) == (200, made)


def test_times_are_whole_seconds_in_utc(api: Api) -> None:
    made = api.payment()
    api.confirm(made, VISA)
    shown = api.get(f"/payments/{made['id']}").body
    for name in ("created_at", "updated_at", "completed_at"):
        assert TIME.fullmatch(shown[name])


def test_b13_a_payment_shows_as_created_first(api: Api) -> None:
    made = api.payment()
    assert api.get(f"/payments/{made['id']}").body["status"] == "created"
    assert made["completed_at"] is None


@pytest.mark.parametrize(
    ("refunded", "status"), [(0, "succeeded"), (1, "partially_refunded"), (2000, "refunded")]
)
def test_b13_refunds_show_in_the_status(
    api: Api, dashboard: Dashboard, refunded: int, status: str
) -> None:
    made = api.payment()
    api.confirm(made, VISA)
    if refunded:
        dashboard.refund(made, refunded)
    api.sync(made)
    shown = api.get(f"/payments/{made['id']}").body
    assert (shown["status"], shown["amount_refunded_cents"]) == (status, refunded)


@pytest.mark.parametrize(
    "identifier", ["pay_404", "pi_404", "%20", "pay_%00", "..", "%F0%9F%92%B3", "x" * 200]
)
def test_b1_an_id_that_nobody_has_is_not_found(api: Api, identifier: str) -> None:
    reply = api.get(f"/payments/{identifier}")
    assert (reply.status, reply.code) == (404, "not_found")


def test_somebody_elses_record_is_as_if_it_were_not_there(api: Api, stranger: Api) -> None:
    made = api.payment()
    nobodys = stranger.get("/payments/pay_404")
    for identifier in (made["id"], made["provider_payment_id"]):
        theirs = stranger.get(f"/payments/{identifier}")
        assert theirs.status == 404
        assert {**theirs.body, "request_id": ""} == {**nobodys.body, "request_id": ""}


def test_b8_a_guest_token_opens_its_payment_by_header_and_by_query(guest: Api, api: Api) -> None:
    made = guest.payment(guest_data=GUEST)
    token = made.pop("guest_token")
    assert guest.bearing(x_guest_token=token).get(f"/payments/{made['id']}").body == made
    assert guest.get(f"/payments/{made['id']}?guest_token={token}").body == made
    assert guest.get(f"/payments/{made['id']}").status == 401
    assert api.get(f"/payments/{made['id']}").status == 404


def test_b8_a_guest_token_is_good_for_30_days(guest: Api, later: Callable[[float], None]) -> None:
    made = guest.payment(guest_data=GUEST)
    bearing = guest.bearing(x_guest_token=made["guest_token"])
    later(30 * 24 * 3600 - 10)
    assert bearing.get(f"/payments/{made['id']}").status == 200
    later(20)
    reply = bearing.get(f"/payments/{made['id']}")
    assert (reply.status, reply.code) == (401, "session_invalid")


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "member"])
def test_b9_every_role_reads_its_organizations_payments(
    api: Api, signed_in: Callable[..., Api], role: str
) -> None:
    made = api.payment(organization_id="org_456")
    shown = signed_in("user_1", org_456=role).get(f"/payments/{made['id']}")
    assert shown.body == made | {"client_secret": None}
    assert signed_in("user_2", org_other=role).get(f"/payments/{made['id']}").status == 404
