"""GET /bridge-payment/payments/guest/{email}. Source: docs/api/native.md, section 2 (B10)."""

from collections.abc import Callable

import pytest

from functions.native.list_guest_payments.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, VISA, Api, Reply

Setting = Callable[[str, str], None]
PUBLIC_FIELDS = {"id", "status", "total_cents", "currency", "concept", "created_at"}
PATH = f"/payments/guest/{GUEST['email']}"


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [each["id"] for each in reply.body]


def test_list_guest_payments_with_event_file_needs_no_credential(
    guest: Api, invoke: Callable[..., Reply]
) -> None:
    payment = guest.payment(guest_data=GUEST, concept="Donation", description="private")
    reply = invoke(handler, "native/list_guest_payments")
    assert reply.status == 200
    assert reply.body == [{name: payment[name] for name in PUBLIC_FIELDS}]


def test_b10_list_contains_only_public_fields(guest: Api) -> None:
    payment = guest.payment(guest_data=GUEST, metadata={"a": "private"}, description="private")
    guest.with_headers(x_guest_token=payment["guest_token"]).confirm(payment, VISA)
    reply = guest.get(PATH)
    assert reply.body[0].keys() == PUBLIC_FIELDS
    assert reply.body[0]["status"] == "succeeded"
    for hidden in ("private", "_secret_", "pi_", GUEST["name"], GUEST["phone"], GUEST["email"]):
        assert hidden not in reply.text


def test_b10_list_contains_only_guest_payments_with_that_email(api: Api, guest: Api) -> None:
    mine = guest.payment(guest_data=GUEST)
    guest.payment(guest_data=GUEST | {"email": "other@example.com"})
    api.payment(guest_data=GUEST)
    assert ids(guest.get(PATH)) == [mine["id"]]
    assert ids(guest.get("/payments/guest/nobody@example.com")) == []
    assert ids(guest.get("/payments/guest/not-an-address")) == []


@pytest.mark.parametrize(
    "spelled",
    [
        "Donor%2Btag@Example.COM",
        "donor+tag@example.com",
        "donor%2Btag%40example.com",
        "donor tag@example.com".replace(" ", "%20"),
        "DONOR%20TAG@EXAMPLE.COM",
    ],
)
def test_b10_email_is_decoded_lower_cased_and_its_space_read_as_plus(
    guest: Api, spelled: str
) -> None:
    payment = guest.payment(guest_data=GUEST | {"email": "Donor+Tag@example.com"})
    assert ids(guest.get(f"/payments/guest/{spelled}")) == [payment["id"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", slice(0, 3)), ("limit=2", slice(0, 2)), ("limit=1&page=3", slice(2, 3))],
)
def test_list_guest_payments_applies_limit_and_page(
    guest: Api, query: str, expected: slice
) -> None:
    created = [guest.payment(guest_data=GUEST)["id"] for _ in range(3)][::-1]
    assert ids(guest.get(f"{PATH}?{query}")) == created[expected]
    assert guest.get(f"{PATH}?limit=0").status == 400


def test_b10_mode_token_needs_guest_token_with_that_email(
    api: Api, guest: Api, setting: Setting
) -> None:
    setting("GUEST_LISTING", "token")
    mine = guest.payment(guest_data=GUEST | {"email": "Donor@example.com"})
    other = guest.payment(guest_data=GUEST | {"email": "other@example.com"})
    customer = guest.customer(email=None, guest_data=GUEST)
    assert guest.get(PATH).status == 401
    assert api.get(PATH).status == 401
    assert guest.with_headers(x_guest_token=other["guest_token"]).get(PATH).status == 401
    for record in (mine, customer):
        with_token = guest.with_headers(x_guest_token=record["guest_token"])
        assert ids(with_token.get(PATH)) == [mine["id"]]
        assert (
            with_token.get(PATH.upper().replace("/PAYMENTS/GUEST", "/payments/guest")).status == 200
        )


def test_b10_mode_off_returns_404(guest: Api, setting: Setting) -> None:
    token = guest.payment(guest_data=GUEST)["guest_token"]
    setting("GUEST_LISTING", "off")
    for caller in (guest, guest.with_headers(x_guest_token=token)):
        reply = caller.get(PATH)
        assert (reply.status, reply.code) == (404, "not_found")


def test_list_guest_payments_with_invalid_credential_returns_401(guest: Api) -> None:
    assert guest.with_headers(x_session_id="nobody").get(PATH).status == 401


def test_list_guest_payments_above_limit_of_ip_returns_429(guest: Api, setting: Setting) -> None:
    setting("GUEST_LISTINGS_PER_MINUTE", "2")

    def status(ip: str) -> int:
        reply = guest.send("GET", "/bridge-payment" + PATH, ip=ip)
        assert reply.status == 200 or 1 <= int(reply.headers["retry-after"]) <= 60
        return reply.status

    assert [status("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert status("192.0.2.2") == 200


def test_limit_counts_cloudfront_viewer_address_only_with_trust_proxy(
    guest: Api, setting: Setting
) -> None:
    setting("GUEST_LISTINGS_PER_MINUTE", "1")
    behind = [
        guest.with_headers(cloudfront_viewer_address=f"198.51.100.{n}:4711") for n in range(2)
    ]
    assert [each.get(PATH).status for each in behind] == [200, 429]
    setting("TRUST_PROXY", "1")
    assert [each.get(PATH).status for each in behind] == [200, 200]


def test_list_guest_payments_with_email_of_demo_user_returns_empty_array(
    demo_data: StripeSimulator, guest: Api
) -> None:
    assert ids(guest.get("/payments/guest/jane.doe@example.com")) == []
