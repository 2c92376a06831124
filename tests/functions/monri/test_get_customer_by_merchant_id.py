"""GET /v2/merchants/customers/{merchant_customer_id+}.

Source: docs/api/monri.md, sections 2.3 and 5.3.
"""

from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from bridge.core.customers import organization_customers
from bridge.models.caller import Caller
from bridge.models.customer import CustomerFields
from functions.monri.get_customer_by_merchant_id.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.conftest import run_context
from tests.functions.conftest import Reply
from tests.functions.monri.conftest import DEMO, Merchant

PATH = "/v2/merchants/customers/"
UNUSUAL_IDS = [
    "crm-1",
    "crm north/7",
    "a/b/c",
    "a/",
    "č漢 💶",
    "a&b=c;d@e:f,g!h$i'(j)*k~l",
    "50",
    "-_.~",
    "=",
]
ENCODINGS: dict[str, Callable[[str], str]] = {
    "RFC 3986": lambda text: quote(text, safe=""),
    "encodeURIComponent": lambda text: quote(text, safe="!'()*"),
    "whole path": lambda text: quote(text, safe="/:@!$&'()*+,;="),
}


@pytest.mark.usefixtures("at_any_time")
def test_get_customer_by_merchant_id_event_file_returns_the_demo_customer(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "monri/get_customer_by_merchant_id")
    assert (reply.status, reply.body["uuid"]) == (200, DEMO)


@pytest.mark.parametrize("style", ENCODINGS)
@pytest.mark.parametrize("identifier", UNUSUAL_IDS)
def test_digest_is_accepted_for_every_encoding_of_the_id(
    merchant: Merchant, identifier: str, style: str
) -> None:
    made = merchant.made(merchant_customer_id=identifier)
    assert merchant.ask("GET", PATH + ENCODINGS[style](identifier)).body == made


def test_plus_in_the_path_is_a_plus_of_the_id(
    merchant: Merchant,
) -> None:
    """HTTP API does not decode a plus in a path to a space. The digest is still accepted."""
    made = merchant.made(merchant_customer_id="crm+north")
    assert merchant.ask("GET", PATH + quote_plus("crm north")).body == made


def test_decoded_path_is_not_decoded_a_second_time(merchant: Merchant) -> None:
    made = merchant.made(merchant_customer_id="a%20b")
    merchant.made(merchant_customer_id="a b")
    assert merchant.ask("GET", PATH + "a%2520b").body == made


def test_merchant_id_must_match_exactly(merchant: Merchant) -> None:
    merchant.made(merchant_customer_id="Crm-1")
    for other in ("crm-1", "CRM-1", "Crm-1%20", "Crm-", "Crm-11", "%C4%8Crm-1", "Crm-1%00"):
        reply = merchant.ask("GET", PATH + other)
        assert (reply.status, reply.body["message"]) == (404, "Customer not found"), other


def test_m15_trailing_slash_belongs_to_the_id(merchant: Merchant) -> None:
    made, slashed = (merchant.made(merchant_customer_id=each) for each in ("crm", "crm/"))
    assert merchant.ask("GET", PATH + "crm").body == made
    assert merchant.ask("GET", PATH + "crm/").body == slashed


def test_m10_deleted_customer_is_not_found_and_its_id_is_free(merchant: Merchant) -> None:
    first = merchant.made(merchant_customer_id="crm-1")
    merchant.delete(first["uuid"])
    assert merchant.ask("GET", PATH + "crm-1").status == 404
    second = merchant.made(merchant_customer_id="crm-1")
    assert merchant.ask("GET", PATH + "crm-1").body == second


def test_id_that_was_not_claimed_is_not_found(merchant: Merchant) -> None:
    owner, fields = Caller(key_of="org_1"), CustomerFields(external_id="crm-1")
    first = organization_customers.create(owner, fields, "if_free", run_context()).customer
    second = organization_customers.create(owner, fields, "if_free", run_context()).customer
    assert second.external_id == "crm-1"
    found = merchant.ask("GET", PATH + "crm-1").body["uuid"]
    organization_customers.delete(owner, first.id)
    assert merchant.get(found).body["deleted"]
    assert merchant.ask("GET", PATH + "crm-1").status == 404


def test_get_customer_by_merchant_id_of_another_merchant_returns_404(
    merchant: Merchant, enrolled: Callable[..., Merchant]
) -> None:
    merchant.made(merchant_customer_id="crm-1")
    assert enrolled("org_2").ask("GET", PATH + "crm-1").status == 404
