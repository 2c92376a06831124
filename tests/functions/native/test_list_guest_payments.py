"""GET /bridge-payment/payments/guest/{email}. Source: contracts/bridge.md, B10."""

from collections.abc import Callable

import pytest

from functions.native.list_guest_payments.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import GUEST, VISA, Api, Reply

Setting = Callable[[str, str], None]
SHOWN = {"id", "status", "total_cents", "currency", "concept", "created_at"}
PATH = f"/payments/guest/{GUEST['email']}"


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [each["id"] for each in reply.body]


def test_the_event_file_is_answered_without_any_credential(
    guest: Api, invoke: Callable[..., Reply]
) -> None:
    made = guest.payment(guest_data=GUEST, concept="Donation", description="private")
    reply = invoke(handler, "native/list_guest_payments")
    assert reply.status == 200
    assert reply.body == [{name: made[name] for name in SHOWN}]


def test_b10_it_shows_nothing_but_what_anybody_may_know(guest: Api) -> None:
    made = guest.payment(guest_data=GUEST, metadata={"a": "private"}, description="private")
    guest.bearing(x_guest_token=made["guest_token"]).confirm(made, VISA)
    reply = guest.get(PATH)
    assert reply.body[0].keys() == SHOWN
    assert reply.body[0]["status"] == "succeeded"
    for hidden in ("private", "_secret_", "pi_", GUEST["name"], GUEST["phone"], GUEST["email"]):
        assert hidden not in reply.text


def test_b10_only_payments_of_guests_with_that_address(api: Api, guest: Api) -> None:
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
def test_b10_the_address_is_decoded_lower_cased_and_a_space_read_as_a_plus(
    guest: Api, spelled: str
) -> None:
    made = guest.payment(guest_data=GUEST | {"email": "Donor+Tag@example.com"})
    assert ids(guest.get(f"/payments/guest/{spelled}")) == [made["id"]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [("", slice(0, 3)), ("limit=2", slice(0, 2)), ("limit=1&page=3", slice(2, 3))],
)
def test_it_is_cut_like_any_list(guest: Api, query: str, wanted: slice) -> None:
    made = [guest.payment(guest_data=GUEST)["id"] for _ in range(3)][::-1]
    assert ids(guest.get(f"{PATH}?{query}")) == made[wanted]
    assert guest.get(f"{PATH}?limit=0").status == 400


def test_b10_with_token_it_takes_a_guest_token_of_that_address(
    api: Api, guest: Api, setting: Setting
) -> None:
    setting("GUEST_LISTING", "token")
    mine = guest.payment(guest_data=GUEST | {"email": "Donor@example.com"})
    other = guest.payment(guest_data=GUEST | {"email": "other@example.com"})
    customer = guest.customer(email=None, guest_data=GUEST)
    assert guest.get(PATH).status == 401
    assert api.get(PATH).status == 401
    assert guest.bearing(x_guest_token=other["guest_token"]).get(PATH).status == 401
    for record in (mine, customer):
        bearing = guest.bearing(x_guest_token=record["guest_token"])
        assert ids(bearing.get(PATH)) == [mine["id"]]
        assert bearing.get(PATH.upper().replace("/PAYMENTS/GUEST", "/payments/guest")).status == 200


def test_b10_switched_off_it_is_not_found(guest: Api, setting: Setting) -> None:
    token = guest.payment(guest_data=GUEST)["guest_token"]
    setting("GUEST_LISTING", "off")
    for caller in (guest, guest.bearing(x_guest_token=token)):
        reply = caller.get(PATH)
        assert (reply.status, reply.code) == (404, "not_found")


def test_a_credential_that_is_there_must_be_valid(guest: Api) -> None:
    assert guest.bearing(x_session_id="nobody").get(PATH).status == 401


def test_it_is_limited_by_address_of_the_network(guest: Api, setting: Setting) -> None:
    setting("GUEST_LISTINGS_PER_MINUTE", "2")

    def status(ip: str) -> int:
        reply = guest.send("GET", "/bridge-payment" + PATH, ip=ip)
        assert reply.status == 200 or 1 <= int(reply.headers["retry-after"]) <= 60
        return reply.status

    assert [status("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert status("192.0.2.2") == 200


def test_behind_cloudfront_its_word_for_the_address_counts(guest: Api, setting: Setting) -> None:
    setting("GUEST_LISTINGS_PER_MINUTE", "1")
    behind = [guest.bearing(cloudfront_viewer_address=f"198.51.100.{n}:4711") for n in range(2)]
    assert [each.get(PATH).status for each in behind] == [200, 429]
    setting("TRUST_PROXY", "1")
    assert [each.get(PATH).status for each in behind] == [200, 200]


def test_the_demo_has_no_guest_payments(demo_data: StripeSimulator, guest: Api) -> None:
    assert ids(guest.get("/payments/guest/jane.doe@example.com")) == []
