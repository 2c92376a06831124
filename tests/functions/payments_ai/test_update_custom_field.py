"""PUT …/custom-fields/{resource}/{name}, the SDK's form.

Source: docs/api/payments-ai.md, section 4.2.
"""

from collections.abc import Callable

import pytest

from functions.payments_ai.update_custom_field.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.payments_ai.conftest import FORBIDDEN, NOT_FOUND, Shop, details


def test_the_event_file_returns_200_with_the_replaced_field(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/update_custom_field")
    schema = {"type": "string", "additionalSchema": {"allowedValues": ["S", "M", "L"]}}
    assert (reply.status, reply.body["typeSchema"]) == (200, schema)
    assert reply.body.items() >= schema.items()


def test_p27_the_description_is_optional_and_the_path_has_resource_and_name(shop: Shop) -> None:
    sent = {"name": "other", "resource": "plans", "type": "number", "description": None}
    reply = shop.ask("PUT", "/custom-fields/customers/points%20now", sent)
    fields = [reply.body[each] for each in ("name", "resource", "description", "additionalSchema")]
    assert (reply.status, fields) == (201, ["points now", "customers", "", None])
    again = shop.ask("PUT", "/custom-fields/customers/points%20now", {"type": "number"})
    assert again.status == 200
    assert shop.customer(customFields={"points now": 7})["customFields"] == {"points now": 7}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "type: is required"),
        ({"type": "date", "description": 7}, "description: must be a string"),
        ({"type": "date", "additionalSchema": []}, "additionalSchema: must be an object"),
        (
            {"type": "date", "additionalSchema": {"required": 1}},
            "additionalSchema.required: must be a boolean",
        ),
    ],
)
def test_an_invalid_field_returns_400_with_its_path(shop: Shop, body: object, fault: str) -> None:
    assert details(shop.ask("PUT", "/custom-fields/customers/f", body)) == fault


def test_p26_another_type_returns_409(shop: Shop) -> None:
    target = "/custom-fields/customers/f"
    assert shop.ask("PUT", target, {"type": "date"}).status == 201
    error = details(shop.ask("PUT", target, {"type": "string"}), 409)
    assert error == "typeSchema.type: cannot be changed"


def test_an_unknown_resource_returns_404_and_a_long_name_400(shop: Shop, other_shop: Shop) -> None:
    reply = shop.ask("PUT", "/custom-fields/invoices/f", {"type": "date"})
    assert (reply.status, reply.body) == (404, NOT_FOUND)
    fault = details(shop.ask("PUT", f"/custom-fields/customers/{'x' * 256}", {"type": "date"}))
    assert fault == "name: must be 1 to 255 characters"
    reply = Shop(other_shop.api, "org_1").ask("PUT", "/custom-fields/plans/f", b"{")
    assert (reply.status, reply.body) == (403, FORBIDDEN)
