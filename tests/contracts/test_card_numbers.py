"""A card's number in a customer's body is refused by each API in its own words, and kept nowhere.

Source: contracts/bridge.md section 5; the errors' shapes: payments-ai.md 1.4, monri.md 4.3,
alternative.md 3.
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
FAULT = "must not hold a card number"


@dataclass(frozen=True)
class Api:
    """Its creation and its change of a customer, the status of a refusal, what that names."""

    credential: dict[str, str]
    targets: list[tuple[str, str]]
    status: int
    named: Callable[[Any, str], bool]


def pairs_of(told: Any) -> list[tuple[str, str]]:
    return [(each["field"], each["message"]) for each in told]


APIS = {
    "native": Api(
        {"X-Session-ID": "session_abc123"},
        [("POST", "/bridge-payment/customers"), ("PUT", "/bridge-payment/customers/cust_123")],
        400,
        lambda told, field: pairs_of(told["details"]) == [(field, FAULT)],
    ),
    "payments.ai": Api(
        {"Authorization": "ApiKey acct_demo_key_demo"},
        [("POST", NADIA.rpartition("/")[0]), ("PUT", NADIA), ("PATCH", NADIA)],
        400,
        lambda told, field: told["details"] == f"{field}: {FAULT}",
    ),
    "Monri": Api(
        {},  # signed when it runs
        [("POST", "/v2/customers"), ("POST", LEJLA)],
        400,
        lambda told, field: told["errors"] == [f"{field} {FAULT}"],
    ),
    "Alternative": Api(
        {"Authorization": "YOUR_API_KEY"},
        [("POST", "/customers"), ("POST", f"/customers/cus_{demo.COMPANY}/users")],
        422,
        lambda told, field: pairs_of(told["errors"]) == [(field, FAULT)],
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
    if api.credential:
        return replace(client, headers=api.credential)
    token = merchants.issue_token("demo-authenticity-token", "demo-merchant-key", []).token
    return client.acting(authorization=f"Bearer {token}")


@pytest.mark.parametrize("name", APIS)
def test_a_field_that_is_named_like_a_cards_number_may_hold_none(
    name: str, jane: Client, scan: Scan
) -> None:
    api, before = APIS[name], scan()
    by = at(api, jane)
    for method, target in api.targets:
        for field, body in BODIES.items():
            answer = by.ask(method, target, {"provider_id": "stripe"} | body)
            assert answer.status == api.status, (target, field, answer)
            assert api.named(answer.json(), field), (target, field, answer)
            assert b"4242" not in answer.body
    assert scan() == before


@pytest.mark.parametrize("name", APIS)
def test_what_only_looks_like_one_passes_in_the_same_fields(name: str, jane: Client) -> None:
    for method, target in APIS[name].targets:
        body = {"provider_id": "stripe", "pan": "4242 4242 4242 4241", "cvc": "123"}
        assert at(APIS[name], jane).ask(method, target, body).status < 300, target
