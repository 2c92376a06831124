"""GET …/custom-fields and GET …/custom-fields/{resource}.

Source: docs/api/payments-ai.md, section 4.2.
"""

from collections.abc import Callable

import pytest

from functions.payments_ai.list_custom_fields.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import Reply
from tests.functions.payments_ai.conftest import FORBIDDEN, NOT_FOUND, Shop, details

RESOURCES = "customers, payment-instruments, plans, products, subscriptions, transactions, websites"
FIELDS = ["name", "resource", "description", "typeSchema", "createdTime", "updatedTime"]


def define(shop: Shop, *names: str) -> None:
    """`define(shop, "plans/size")`."""
    for each in names:
        resource, _, name = each.partition("/")
        body = {"name": name, "resource": resource, "description": "d"}
        made = shop.ask("POST", "/custom-fields", body | {"typeSchema": {"type": "string"}})
        assert made.status == 201, made.text


def names_of(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [f"{each['resource']}/{each['name']}" for each in reply.body]


def test_the_event_file_returns_200_with_the_demo_field(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/list_custom_fields")
    assert (names_of(reply), list(reply.body[0])) == (["customers/shirtSize"], FIELDS)
    assert reply.headers["pagination-total"] == "1"


def test_p27_fields_are_listed_by_name_of_one_resource_or_of_all(
    shop: Shop, other_shop: Shop
) -> None:
    define(shop, "plans/b", "customers/c", "customers/a", "websites/d")
    define(other_shop, "plans/z")
    every = ["customers/a", "plans/b", "customers/c", "websites/d"]
    for query in ("", "?resource=", "?colour=red"):
        assert names_of(shop.ask("GET", f"/custom-fields{query}")) == every
    of_customers = ["customers/a", "customers/c"]
    assert names_of(shop.ask("GET", "/custom-fields?resource=customers")) == of_customers
    assert names_of(shop.ask("GET", "/custom-fields/customers")) == of_customers
    assert names_of(shop.ask("GET", "/custom-fields/products")) == []


def test_p27_with_the_resource_in_the_path_the_schema_is_also_at_the_top_level(
    shop: Shop,
) -> None:
    define(shop, "customers/a")
    (plain,) = shop.ask("GET", "/custom-fields").body
    (with_schema,) = shop.ask("GET", "/custom-fields/customers").body
    assert with_schema == plain | {"type": "string", "additionalSchema": None}


def test_a_page_has_pagination_headers(shop: Shop) -> None:
    define(shop, *(f"customers/f{number}" for number in range(5)))
    reply = shop.ask("GET", "/custom-fields/customers?limit=2&offset=3")
    assert names_of(reply) == ["customers/f3", "customers/f4"]
    headers = [reply.headers[f"pagination-{name}"] for name in ("total", "limit", "offset")]
    assert headers == ["5", "2", "3"]


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("limit=1001", "limit: must be an integer between 0 and 1000"),
        ("offset=-1", "offset: must be an integer greater than or equal to 0"),
        (
            "resource=invoices",
            f"resource: must be one of {RESOURCES}",
        ),
    ],
)
def test_an_invalid_parameter_returns_400_with_its_name(shop: Shop, query: str, fault: str) -> None:
    assert details(shop.ask("GET", f"/custom-fields?{query}")) == fault


def test_an_unknown_resource_in_the_path_returns_404(shop: Shop, other_shop: Shop) -> None:
    reply = shop.ask("GET", "/custom-fields/invoices?limit=x")
    assert (reply.status, reply.body) == (404, NOT_FOUND)
    assert Shop(other_shop.api, "org_1").ask("GET", "/custom-fields").body == FORBIDDEN
