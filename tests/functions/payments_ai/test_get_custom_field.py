"""GET …/custom-fields/{resource}/{name}. Source: docs/api/payments-ai.md, section 4.2."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from functions.payments_ai.get_custom_field.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.payments_ai.conftest import FORBIDDEN, NOT_FOUND, Shop


def test_the_event_file_returns_200_with_the_demo_field(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/get_custom_field")
    assert (reply.status, reply.body["name"], reply.body["type"]) == (200, "shirtSize", "string")


@pytest.mark.parametrize("name", ["loyaltyTier", "Größe ☃", "a+b", "100%"])
def test_p27_a_field_has_the_schema_also_at_the_top_level(shop: Shop, name: str) -> None:
    schema = {"type": "array", "additionalSchema": {"allowedValues": ["S", "M"]}}
    body = {"name": name, "resource": "plans", "description": "d", "typeSchema": schema}
    made = shop.ask("POST", "/custom-fields", body).body
    reply = shop.ask("GET", f"/custom-fields/plans/{quote(name)}")
    assert (reply.status, reply.body) == (200, made | schema)


def test_an_unknown_field_returns_404_and_another_organization_403(
    shop: Shop, other_shop: Shop
) -> None:
    body = {"name": "f", "resource": "plans", "description": "", "typeSchema": {"type": "date"}}
    other_shop.ask("POST", "/custom-fields", body)
    for path in ("plans/f", "customers/f", "invoices/f", "plans/f/g"):
        reply = shop.ask("GET", f"/custom-fields/{path}")
        assert (reply.status, reply.body) == (404, NOT_FOUND)
    reply = Shop(shop.api, "org_2").ask("GET", "/custom-fields/plans/f")
    assert (reply.status, reply.body) == (403, FORBIDDEN)
