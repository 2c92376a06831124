"""A card number in a customer's body is refused by each API with its own error, and not stored.

Source: docs/api/native.md, section 5. The errors: docs/api/payments-ai.md, section 1.4;
docs/api/monri.md, section 4.3; docs/api/alternative.md, section 3.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bridge.authentication import merchants
from local import demo
from tests.contracts.records import Scan
from tests.contracts.shape import Client

VISA = "4242 4242 4242 4242"
NADIA = "/v1/public-api/organizations/org_456/customers/cus_01kjpx8se0eassyq0akmxqwk11"
LEJLA = "/v2/customers/019b76da-a800-7b7a-8c21-5e0f7ad94b10"
MESSAGE = "must not hold a card number"


@dataclass(frozen=True)
class Api:
    """The calls that create and change a customer, and how a refusal looks.

    `names_field`: whether an error body reports exactly this field.
    """

    credential: dict[str, str]
    targets: list[tuple[str, str]]
    status: int
    names_field: Callable[[Any, str], bool]


def pairs_of(details: Any) -> list[tuple[str, str]]:
    """Field and message of each detail."""
    return [(each["field"], each["message"]) for each in details]


APIS = {
    "native": Api(
        {"X-Session-ID": "session_abc123"},
        [("POST", "/bridge-payment/customers"), ("PUT", "/bridge-payment/customers/cust_123")],
        400,
        lambda body, field: pairs_of(body["details"]) == [(field, MESSAGE)],
    ),
    "payments.ai": Api(
        {"Authorization": "ApiKey acct_demo_key_demo"},
        [("POST", NADIA.rpartition("/")[0]), ("PUT", NADIA), ("PATCH", NADIA)],
        400,
        lambda body, field: body["details"] == f"{field}: {MESSAGE}",
    ),
    "Monri": Api(
        {},  # it needs a token, which the test makes
        [("POST", "/v2/customers"), ("POST", LEJLA)],
        400,
        lambda body, field: body["errors"] == [f"{field} {MESSAGE}"],
    ),
    "Alternative": Api(
        {"Authorization": "YOUR_API_KEY"},
        [("POST", "/customers"), ("POST", f"/customers/cus_{demo.COMPANY}/users")],
        422,
        lambda body, field: pairs_of(body["errors"]) == [(field, MESSAGE)],
    ),
}
BODIES: dict[str, dict[str, Any]] = {
    "metadata.card_number": {"metadata": {"card_number": VISA, "note": "x"}},
    "metadata.cardNumber": {"metadata": {"cardNumber": VISA}},
    "customFields.pan": {"customFields": {"pan": int(VISA.replace(" ", ""))}},
    "address.number": {"address": {"country": "US", "number": VISA}},
    "primaryAddress.cards.0.cvv": {"primaryAddress": {"cards": [{"cvv": VISA}]}},
    "pan": {"pan": VISA, "name": "Nadia"},
}


def at(api: Api, client: Client) -> Client:
    """The client with a credential of the API."""
    if api.credential:
        return replace(client, headers=api.credential)
    token = merchants.issue_token("demo-authenticity-token", "demo-merchant-key", []).token
    return client.acting(authorization=f"Bearer {token}")


@pytest.mark.parametrize("name", APIS)
def test_card_number_in_a_field_with_a_card_name_is_refused_and_not_stored(
    name: str, jane: Client, scan: Scan
) -> None:
    api, before = APIS[name], scan()
    by = at(api, jane)
    for method, target in api.targets:
        for field, body in BODIES.items():
            answer = by.ask(method, target, {"provider_id": "stripe"} | body)
            assert answer.status == api.status, (target, field, answer)
            assert api.names_field(answer.json(), field), (target, field, answer)
            assert b"4242" not in answer.body
    assert scan() == before


@pytest.mark.parametrize("name", APIS)
def test_text_that_fails_the_card_checksum_is_accepted_in_the_same_fields(
    name: str, jane: Client
) -> None:
    for method, target in APIS[name].targets:
        body = {"provider_id": "stripe", "pan": "4242 4242 4242 4241", "cvc": "123"}
        assert at(APIS[name], jane).ask(method, target, body).status < 300, target
