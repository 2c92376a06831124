"""POST /v2/customers. Source: docs/api/monri.md, sections 4 and 5.1."""

import json
from collections.abc import Callable

import pytest

from bridge import clock
from bridge.core.customers import organization_customers
from bridge.models.caller import Caller
from bridge.models.customer import CustomerFields
from functions.monri.create_customer.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.conftest import run_context, together
from tests.functions.conftest import Api, Reply
from tests.functions.monri.conftest import CUSTOMER_FIELDS, TIME, UUID, Merchant, send

FULL = {
    "merchant_customer_id": "crm-1001",
    "description": "Kupac č",
    "email": "lejla@example.com",
    "name": "Lejla Kovač",
    "phone": "+38733555010",
    "zip_code": "71000",
    "city": "Sarajevo",
    "address": "Ferhadija 1",
    "country": "BA",
    "metadata": {"tier": "gold", "n": 1, "f": 1.5, "b": False, "deep": {"a": [None, "x"]}},
}
LENGTHS = {
    "merchant_customer_id": (1, 100, "Merchant customer"),
    "description": (1, 200, "Description"),
    "email": (1, 200, "Email"),
    "name": (1, 50, "Name"),
    "phone": (1, 30, "Phone"),
    "zip_code": (1, 9, "Zip code"),
    "city": (3, 30, "City"),
    "address": (3, 100, "Address"),
}


@pytest.mark.usefixtures("at_any_time")
def test_create_customer_event_file_returns_the_whole_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "monri/create_customer")
    assert reply.body.keys() == CUSTOMER_FIELDS
    assert (reply.status, reply.body["name"]) == (200, "Lejla Kovač")


def test_m2_create_customer_returns_200_with_all_sent_fields(merchant: Merchant) -> None:
    reply = merchant.ask("POST", "/v2/customers", FULL)
    created = reply.body
    assert (reply.status, created.keys()) == (200, CUSTOMER_FIELDS)
    assert FULL.items() <= created.items()
    assert created["id"] == created["uuid"]
    assert UUID.fullmatch(created["uuid"])
    assert TIME.fullmatch(created["created_at"])
    assert created["created_at"] == created["updated_at"]
    assert (created["deleted"], created["deleted_at"]) == (False, None)


@pytest.mark.parametrize("body", [{}, dict.fromkeys(FULL), {"unknown": 1, "status": "x"}])
def test_m3_all_fields_are_optional_and_unknown_keys_are_ignored(
    merchant: Merchant, body: dict[str, object]
) -> None:
    created = merchant.made(**body)
    assert {name for name in FULL if created[name] is None} == FULL.keys() - {"metadata"}
    assert (created["metadata"], created["status"]) == ({}, "approved")
    assert created.keys() == CUSTOMER_FIELDS


@pytest.mark.parametrize("field", LENGTHS)
def test_lengths_count_characters_of_untrimmed_values(merchant: Merchant, field: str) -> None:
    low, high, label = LENGTHS[field]
    for fits in ("č" * low, "💶" * high, " " * high):
        assert merchant.made(**{field: fits})[field] == fits
    unit = "character" if low == 1 else "characters"
    short, long = (
        f"{label} is too short (minimum is {low} {unit})",
        f"{label} is too long (maximum is {high} characters)",
    )
    assert merchant.refused("POST", "/v2/customers", {field: "x" * (low - 1)}) == [short]
    assert merchant.refused("POST", "/v2/customers", {field: "x" * (high + 1)}) == [long]


@pytest.mark.parametrize("value", [True, False, [], ["x"], {}, {"a": 1}])
@pytest.mark.parametrize("field", [*LENGTHS, "country"])
def test_m9_other_types_than_texts_and_numbers_are_refused(
    merchant: Merchant, field: str, value: object
) -> None:
    label = LENGTHS[field][2] if field in LENGTHS else "Country"
    assert merchant.refused("POST", "/v2/customers", {field: value}) == [
        f"{label} must be a string"
    ]


@pytest.mark.parametrize(
    ("sent", "text"),
    [("1001", "1001"), ("-7", "-7"), ("10.50", "10.5"), ("1e20", "100000000000000000000"),
     ("1e-7", "0.0000001"), ("999999999999999999", "999999999999999999")],
)  # fmt: skip
def test_m9_number_is_stored_as_its_decimal_text(merchant: Merchant, sent: str, text: str) -> None:
    body = f'{{"merchant_customer_id": {sent}, "phone": {sent}}}'.encode()
    created = merchant.ask("POST", "/v2/customers", body).body
    assert (created["merchant_customer_id"], created["phone"]) == (text, text)


@pytest.mark.parametrize("email", ["nobody", "a b", "lejla@", "@", "ć@ć"])
def test_m6_email_and_phone_are_not_checked_for_their_form(merchant: Merchant, email: str) -> None:
    created = merchant.made(email=email, phone="call me")
    assert (created["email"], created["phone"]) == (email, "call me")


def test_m6_invalid_email_is_never_sent_to_a_provider(
    enrolled: Callable[..., Merchant], api: Api, stripe_simulator: StripeSimulator
) -> None:
    made = enrolled("org_456").made(email="nobody", name="Lejla", metadata={"deep": {"a": 1}})
    listed = api.get("/customers?organization_id=org_456").body
    assert [(each["email"], each["name"]) for each in listed] == [("nobody", "Lejla")]
    payment = api.payment(customer_id=listed[0]["id"], organization_id="org_456")
    assert payment["customer_id"] == listed[0]["id"]
    (kept,) = stripe_simulator.world.customers.values()
    assert (kept.email, kept.name) == (None, "Lejla")
    assert enrolled("org_456").get(made["uuid"]).body["email"] == "nobody"


@pytest.mark.parametrize("given", ["ba", "Ba", "BA", "zz"])
def test_m7_country_is_two_letters_and_stored_in_upper_case(merchant: Merchant, given: str) -> None:
    assert merchant.made(country=given)["country"] == given.upper()


@pytest.mark.parametrize("given", ["", "B", "BIH", "B1", "ČA", "ßß", "  ", 38])
def test_m7_any_other_country_is_refused(merchant: Merchant, given: object) -> None:
    refused = merchant.refused("POST", "/v2/customers", {"country": given})
    assert refused == ["Country must be two letters"]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {f"k{number}": number for number in range(50)},
        {"k" * 100: "x" * 8000},
        {"č" * 100: None},
        {"a": {"b": [1, None, {"c": "d"}]}, "float": 1e300, "empty": ""},
        {"a": "x" * (8192 - len('{"a":""}'))},
    ],
)
def test_m8_metadata_within_its_limits_is_stored_unchanged(
    merchant: Merchant, metadata: dict[str, object]
) -> None:
    kept = {key: value for key, value in metadata.items() if value is not None}
    created = merchant.made(metadata=metadata)
    assert created["metadata"] == kept
    assert list(created["metadata"]) == list(kept), "in its order"


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ([], "must be an object"),
        ("text", "must be an object"),
        (True, "must be an object"),
        ({f"k{number}": 1 for number in range(51)}, "has too many keys (maximum is 50)"),
        (dict.fromkeys(map(str, range(51))), "has too many keys (maximum is 50)"),
        ({"": 1}, "has a key that is not 1 to 100 characters long"),
        ({"k" * 101: 1}, "has a key that is not 1 to 100 characters long"),
        ({"a": "x" * 8185}, "is too large (maximum is 8192 bytes)"),
        ({"a": "č" * 4093}, "is too large (maximum is 8192 bytes)"),
    ],
)
def test_m8_metadata_beyond_its_limits_is_refused(
    merchant: Merchant, metadata: object, message: str
) -> None:
    refused = merchant.refused("POST", "/v2/customers", {"metadata": metadata})
    assert refused == [f"Metadata {message}"]


def test_all_invalid_fields_are_reported(merchant: Merchant) -> None:
    bad = {"city": "S", "name": "", "country": 7, "metadata": {"": 1}, "email": "x" * 201}
    assert sorted(merchant.refused("POST", "/v2/customers", bad)) == [
        "City is too short (minimum is 3 characters)",
        "Country must be two letters",
        "Email is too long (maximum is 200 characters)",
        "Metadata has a key that is not 1 to 100 characters long",
        "Name is too short (minimum is 1 character)",
    ]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "x"])
def test_m1_body_is_json_whatever_the_headers_say(merchant: Merchant, kind: str) -> None:
    headers = {"Content-Type": kind, "Accept": "text/html"}
    reply = merchant.ask("POST", "/v2/customers", {"name": "Lejla Kovač"}, headers)
    assert (reply.status, reply.body["name"]) == (200, "Lejla Kovač")


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"{", b"[]", b"null", b'"x"', b"7", b"\xff", b"a=b", b'{"a":1,"a":2}']
)
def test_body_that_is_not_a_json_object_is_refused(merchant: Merchant, body: bytes) -> None:
    refused = merchant.refused("POST", "/v2/customers", body)
    assert refused == ["Request body must be a JSON object"]


def test_body_over_256_kib_returns_413(merchant: Merchant) -> None:
    whole = json.dumps({"unknown": ""}).encode()
    fits = whole[:-2] + b"x" * (256 * 1024 - len(whole)) + whole[-2:]
    assert merchant.ask("POST", "/v2/customers", fits).status == 200
    reply = merchant.ask("POST", "/v2/customers", fits + b" ")
    assert (reply.status, reply.body["message"]) == (413, "Request is too large")


def test_merchant_customer_id_is_unique_among_customers_that_are_not_deleted(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    made = merchant.made(merchant_customer_id="crm-1")
    again = {"merchant_customer_id": "crm-1", "name": "Second"}
    taken = ["Merchant customer has already been taken"]
    assert merchant.refused("POST", "/v2/customers", again) == taken
    assert merchant.made(merchant_customer_id="CRM-1")["uuid"] != made["uuid"]
    assert enrolled("org_2").made(**again)["merchant_customer_id"] == "crm-1"
    merchant.delete(made["uuid"])
    assert merchant.made(**again)["merchant_customer_id"] == "crm-1"


def test_concurrent_creations_with_one_id_succeed_once(merchant: Merchant) -> None:
    body = {"merchant_customer_id": "crm-1"}
    replies = together(8, lambda _: merchant.ask("POST", "/v2/customers", body))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 7
    assert len(merchant.ask("GET", "/v2/customers").body["data"]) == 1


def test_merchant_customer_id_claimed_by_another_api_is_taken(merchant: Merchant) -> None:
    owner, fields = Caller(key_of="org_1"), CustomerFields(external_id="crm-1")
    organization_customers.create(owner, fields, "if_free", run_context())
    taken = merchant.refused("POST", "/v2/customers", {"merchant_customer_id": "crm-1"})
    assert taken == ["Merchant customer has already been taken"]


def test_repeated_creation_makes_a_second_customer_despite_an_idempotency_key(
    merchant: Merchant,
) -> None:
    key = {"Idempotency-Key": "key-1"}
    made = [merchant.ask("POST", "/v2/customers", {}, key).body["uuid"] for _ in range(2)]
    assert len(set(made)) == 2


def test_credentials_are_checked_before_the_body(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    stranger = Merchant(merchant.gateway, "nobody", "nothing")
    assert stranger.ask("POST", "/v2/customers", b"{").status == 401
    assert merchant.ask("POST", "/v2/customers", b"{").status == 400


def test_wrong_credentials_return_401_with_the_same_message(merchant: Merchant) -> None:
    at = str(clock.seconds())
    good = f"{merchant.name} {at} {merchant.digest('/v2/customers', b'{}', at)}"
    other = merchant.digest("/v2/customers?x=1", b"{}", at)
    wrong = [
        "",
        "WP3-v2.1",
        "Basic YTpi",
        f"WP3-v2 {good}",
        f"WP3-v2.1 {good} x",
        f"WP3-v2.1 {merchant.name} {other}",
        f"WP3-v2.1 {merchant.name} {at} {other}",
        f"WP3-v2.1 {good}".replace(at, "yesterday"),
        f"WP3-v2.1 {good}".replace(merchant.name, "nobody"),
        "Bearer",
        "Bearer mo_nothing",
        f"Bearer {merchant.key}",
    ]
    texts = set()
    for given in wrong:
        headers = {"Authorization": given}
        texts.add(send(merchant.gateway, "POST", "/v2/customers", b"{}", headers).text)
    texts.add(send(merchant.gateway, "POST", "/v2/customers", b"{}", {}).text)
    assert [json.loads(each) for each in texts] == [
        {
            "status": "error",
            "message": "Authorization failed",
            "errors": ["Authorization failed"],
        }
    ]
    right = {"authorization": f"wp3-V2.1   {good}"}
    assert send(merchant.gateway, "POST", "/v2/customers", b"{}", right).status == 200


@pytest.mark.parametrize("scale", [1, 1000], ids=["seconds", "milliseconds"])
def test_m4_digest_is_valid_for_15_minutes_and_may_be_repeated(
    merchant: Merchant, later: Callable[[float], None], scale: int
) -> None:
    at = str(clock.seconds() * scale)
    digest = merchant.digest("/v2/customers", b"{}", at)
    signed = {"Authorization": f"WP3-v2.1 {merchant.name} {at} {digest}"}

    def ask() -> int:
        return send(merchant.gateway, "POST", "/v2/customers", b"{}", signed).status

    assert [ask(), ask()] == [200, 200]
    later(890)
    assert ask() == 200
    later(20)
    assert ask() == 401


def test_m4_window_of_0_is_switched_off(
    merchant: Merchant, setting: Callable[[str, str], None]
) -> None:
    setting("MONRI_TIMESTAMP_WINDOW_S", "0")
    digest = merchant.digest("/v2/customers", b"{}", "1600000000")
    signed = {"Authorization": f"WP3-v2.1 {merchant.name} 1600000000 {digest}"}
    assert send(merchant.gateway, "POST", "/v2/customers", b"{}", signed).status == 200
