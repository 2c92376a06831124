"""POST …/custom-fields, and the values that customers then have.

Source: docs/api/payments-ai.md, sections 4.1 and 4.3.
"""

from collections.abc import Callable
from typing import Any

import pytest

from functions.payments_ai.create_custom_field.handler import handler
from local.stripe.simulator import StripeSimulator
from tests.functions.conftest import TIME, Reply
from tests.functions.payments_ai.conftest import FORBIDDEN, UNAUTHORIZED, Shop, details

TYPES = "string, number, integer, boolean, date, datetime, monetary, array"
RESOURCES = "customers, payment-instruments, plans, products, subscriptions, transactions, websites"
LOYALTY = {
    "name": "loyaltyTier",
    "resource": "customers",
    "description": "Shop loyalty level",
    "typeSchema": {
        "type": "string",
        "additionalSchema": {"allowedValues": ["bronze", "silver"], "maxLength": 20},
    },
}


def body(kind: str = "string", **schema: object) -> dict[str, Any]:
    type_schema: dict[str, object] = {"type": kind}
    if schema:
        type_schema["additionalSchema"] = schema
    return {
        "name": "f",
        "resource": "customers",
        "description": "",
        "typeSchema": type_schema,
    }


def define(shop: Shop, kind: str = "string", **schema: object) -> Reply:
    reply = shop.ask("POST", "/custom-fields", body(kind, **schema))
    assert reply.status in (200, 201), reply.text
    return reply


def test_the_event_file_returns_201_with_the_field(
    demo_data: StripeSimulator, invoke: Callable[..., Reply]
) -> None:
    reply = invoke(handler, "payments_ai/create_custom_field")
    assert reply.status == 201
    times = {name: reply.body[name] for name in ("createdTime", "updatedTime")}
    assert reply.body == LOYALTY | times
    assert all(TIME.fullmatch(each) for each in times.values())


def test_p26_a_second_definition_replaces_the_field_but_another_type_returns_409(
    shop: Shop, later: Callable[[float], None]
) -> None:
    first = define(shop, required=True, default="x")
    assert first.status == 201
    later(60)
    again = shop.ask("POST", "/custom-fields", body() | {"description": "new"})
    assert (again.status, again.body["description"]) == (200, "new")
    assert again.body["typeSchema"] == {"type": "string", "additionalSchema": None}
    assert again.body["createdTime"] == first.body["createdTime"]
    assert again.body["updatedTime"] > first.body["updatedTime"]
    error = details(shop.ask("POST", "/custom-fields", body("number")), 409)
    assert error == "typeSchema.type: cannot be changed"


def test_fields_differ_by_organization_resource_and_name(shop: Shop, other_shop: Shop) -> None:
    define(shop)
    other = body("number")
    assert other_shop.ask("POST", "/custom-fields", other).status == 201
    for change in ({"resource": "plans"}, {"name": "F"}, {"name": "f "}):
        assert shop.ask("POST", "/custom-fields", other | change).status == 201


@pytest.mark.parametrize("name", ["x" * 255, "plans#f", "Größe ☃", " ", "a%b"])
def test_a_name_can_be_any_text_without_a_slash(shop: Shop, name: str) -> None:
    shop.ask("POST", "/custom-fields", body() | {"name": name})
    assert shop.customer(customFields={name: "x"})["customFields"] == {name: "x"}


ADDITIONAL = "typeSchema.additionalSchema"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (b"{", "body: must be valid JSON"),
        ({"name": None}, "name: is required"),
        ({"name": ""}, "name: must be 1 to 255 characters"),
        ({"name": "x" * 256}, "name: must be 1 to 255 characters"),
        ({"name": "a/b"}, "name: must not hold control characters or a slash"),
        ({"name": "a\nb"}, "name: must not hold control characters or a slash"),
        ({"name": 7}, "name: must be a string"),
        ({"resource": "invoices"}, f"resource: must be one of {RESOURCES}"),
        ({"resource": ["plans"]}, f"resource: must be one of {RESOURCES}"),
        ({"description": None}, "description: is required"),
        ({"description": "x" * 256}, "description: must be at most 255 characters"),
        ({"typeSchema": None}, "typeSchema: is required"),
        ({"typeSchema": "string"}, "typeSchema: must be an object"),
        ({"typeSchema": {}}, "typeSchema.type: is required"),
        ({"typeSchema": {"type": "text"}}, f"typeSchema.type: must be one of {TYPES}"),
        (body(maxLength=0), f"{ADDITIONAL}.maxLength: must be an integer between 1 and 4000"),
        (body(maxLength=4001), f"{ADDITIONAL}.maxLength: must be an integer between 1 and 4000"),
        (body(required="yes"), f"{ADDITIONAL}.required: must be a boolean"),
        (body(allowedValues=[1]), f"{ADDITIONAL}.allowedValues: must be an array of strings"),
        (body(pattern=7), f"{ADDITIONAL}.pattern: must be a string"),
        (body(pattern="x" * 1001), f"{ADDITIONAL}.pattern: must be at most 1000 characters"),
        (body(pattern="("), f"{ADDITIONAL}.pattern: must be a regular expression"),
        (body(pattern="a)|(?:b"), f"{ADDITIONAL}.pattern: must be a regular expression"),
        (body(pattern="(a)\\1"), f"{ADDITIONAL}.pattern: must be a regular expression"),
        (body(pattern="(a{999}){999}"), f"{ADDITIONAL}.pattern: must be a regular expression"),
        (body("number", maxLength=3), f"{ADDITIONAL}.maxLength: not allowed for number"),
        (body("array", pattern="a"), f"{ADDITIONAL}.pattern: not allowed for array"),
        (body("date", allowedValues=[]), f"{ADDITIONAL}.allowedValues: not allowed for date"),
        (body("integer", default="1"), f"{ADDITIONAL}.default: must be a integer"),
        (body(default=1), f"{ADDITIONAL}.default: must be a string"),
        (
            body(default="gold", allowedValues=["silver"]),
            f"{ADDITIONAL}.default: must be one of the allowed values",
        ),
    ],
)
def test_an_invalid_field_returns_400_with_its_path(shop: Shop, change: Any, fault: str) -> None:
    sent = change if isinstance(change, bytes) else body() | change
    assert details(shop.ask("POST", "/custom-fields", sent)) == fault
    assert shop.ask("GET", "/custom-fields").body == []


def test_all_missing_fields_are_reported_in_the_documented_order(shop: Shop) -> None:
    errors = details(shop.ask("POST", "/custom-fields", {})).split("; ")
    names = ("name", "resource", "description", "typeSchema")
    assert errors == [f"{name}: is required" for name in names]


def test_a_definition_over_300_kib_returns_413(shop: Shop) -> None:
    values = ["x" * 1000 + str(number) for number in range(400)]
    reply = shop.ask("POST", "/custom-fields", body(allowedValues=values))
    assert (reply.status, reply.body["errorCode"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_missing_key_returns_401_and_another_organizations_key_403(
    shop: Shop, other_shop: Shop, guest: Any
) -> None:
    assert Shop(guest, "org_1").ask("POST", "/custom-fields", b"{").body == UNAUTHORIZED
    assert Shop(other_shop.api, "org_1").ask("POST", "/custom-fields", b"{").body == FORBIDDEN


VALUES: list[tuple[str, list[object], list[object]]] = [
    ("string", ["", "x" * 255, " x "], [7, True, ["x"], {}]),
    ("number", [0, -1.5, 1e300, 2**31], ["1", True, [], {}]),
    ("integer", [0, -(2**31), 2**31 - 1], [1.0, 0.5, True, 2**31, -(2**31) - 1, "1"]),
    ("boolean", [True, False], [0, 1, "true", []]),
    (
        "date",
        ["2024-02-29", "0001-01-01"],
        ["2023-02-29", "20240229", "2024-2-9", "2024-02-29T00:00:00Z", 7, "٢٠٢٤-01-01"],
    ),
    (
        "datetime",
        ["2024-02-29T23:59:59Z", "2024-02-29t23:59:59.123456z", "2024-01-01T00:00:00+05:30"],
        ["2024-02-29", "2024-02-29T23:59:59", "2024-02-30T00:00:00Z", "2024-01-01 00:00:00Z", 7],
    ),
    (
        "monetary",
        [{"currency": "EUR", "amount": 12.5}, {"amount": 0, "currency": "XXX"}],
        [
            {"currency": "eur", "amount": 1},
            {"currency": "EUR"},
            {"currency": "EUR", "amount": "1"},
            {"currency": "EUR", "amount": True},
            {"currency": "EUR", "amount": 1, "more": 1},
            "EUR 1",
        ],
    ),
    ("array", [[], ["a", "a"], ["x" * 255] * 20], [["a", 1], "a", {}, [None]]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), VALUES)
def test_a_value_of_another_type_returns_400(
    shop: Shop, kind: str, good: list[object], bad: list[object]
) -> None:
    define(shop, kind)
    for value in good:
        stored = shop.customer(customFields={"f": value})["customFields"]
        assert repr(stored) == repr({"f": value})
    for value in bad:
        reply = shop.ask("POST", "/customers", {"customFields": {"f": value}})
        assert details(reply) == f"customFields.f: must be a {kind}", value


CONSTRAINED: list[tuple[dict[str, Any], list[object], list[tuple[object, str]]]] = [
    (body(), [], [("x" * 256, "must be at most 255 characters")]),
    (body(maxLength=300), ["x" * 300], [("x" * 301, "must be at most 300 characters")]),
    (
        body(allowedValues=["silver", "gold"]),
        ["gold"],
        [("Gold", "must be one of the allowed values"), ("", "must be one of the allowed values")],
    ),
    (
        body(pattern="[A-Z]{2}|x"),
        ["AB", "x"],
        [(each, "must match the pattern") for each in ("ABC", "AB\n", "xAB", "ab", "")],
    ),
    (
        body("array", allowedValues=["a", "b"]),
        [["b", "a"], []],
        [(["a", "c"], "must hold allowed values only")],
    ),
    (
        body("array"),
        [],
        [
            (["x"] * 1001, "must have at most 1000 values"),
            (["x" * 256], "values must be at most 255 characters"),
        ],
    ),
]


@pytest.mark.parametrize(("definition", "good", "bad"), CONSTRAINED)
def test_a_value_that_breaks_a_constraint_returns_400(
    shop: Shop, definition: dict[str, Any], good: list[object], bad: list[tuple[object, str]]
) -> None:
    assert shop.ask("POST", "/custom-fields", definition).status == 201
    for value in good:
        assert shop.customer(customFields={"f": value})["customFields"] == {"f": value}
    for value, fault in bad:
        reply = shop.ask("POST", "/customers", {"customFields": {"f": value}})
        assert details(reply) == f"customFields.f: {fault}"


def test_a_pattern_with_nested_repeats_is_matched_in_linear_time(shop: Shop) -> None:
    define(shop, pattern="(a|a)*(a+)+b", maxLength=4000)
    reply = shop.ask("POST", "/customers", {"customFields": {"f": "a" * 4000}})
    assert details(reply) == "customFields.f: must match the pattern"


def test_undefined_names_return_400(shop: Shop, other_shop: Shop) -> None:
    define(other_shop)
    shop.ask("POST", "/custom-fields", body() | {"resource": "plans"})
    for value in ("x", None):
        reply = shop.ask("POST", "/customers", {"customFields": {"f": value, "g": 1}})
        assert details(reply) == "customFields.f: is not defined; customFields.g: is not defined"


def test_p28_a_required_field_is_checked_at_creation_and_in_updates_with_custom_fields(
    shop: Shop,
) -> None:
    made = shop.customer()
    define(shop, required=True)
    target, missing = f"/customers/{made['id']}", "customFields.f: is required"
    bare: list[object] = [{}, {"customFields": {}}, {"customFields": {"f": None}}]
    for each in bare:
        assert details(shop.ask("POST", "/customers", each)) == missing
    assert shop.ask("PUT", target, {"firstName": "N"}).status == 200
    clears: list[object] = [{"customFields": {}}, {"customFields": None}]
    for each in clears:
        assert details(shop.ask("PUT", target, each)) == missing
    reply = shop.ask("PUT", target, {"customFields": {"f": "x"}})
    assert (reply.status, reply.body["customFields"]) == (200, {"f": "x"})


def test_a_default_is_stored_at_creation_if_the_name_is_missing(shop: Shop) -> None:
    define(shop, "monetary", default={"currency": "EUR", "amount": 1.5})
    default = {"f": {"currency": "EUR", "amount": 1.5}}
    assert shop.customer()["customFields"] == default
    made = shop.customer(customFields={"f": None})
    assert made["customFields"] == {}
    updated = shop.ask("PUT", f"/customers/{made['id']}", {"customFields": {}}).body
    assert updated["customFields"] == {}
    define(shop, "monetary", required=True, default={"currency": "EUR", "amount": 2})
    assert shop.customer()["customFields"]["f"]["amount"] == 2


def test_values_are_replaced_as_a_whole_and_stay_after_a_redefinition(shop: Shop) -> None:
    define(shop)
    shop.ask("POST", "/custom-fields", body("number") | {"name": "n"})
    made = shop.customer(customFields={"f": "old", "n": 1})
    target = f"/customers/{made['id']}"
    define(shop, allowedValues=["new"])
    assert shop.ask("GET", target).body["customFields"] == {"f": "old", "n": 1}
    assert shop.ask("PUT", target, made).body["revision"] == 1
    kept = shop.ask("PUT", target, {"customFields": {"f": "old", "n": 2}})
    assert (kept.status, kept.body["customFields"]) == (200, {"f": "old", "n": 2})
    updated = shop.ask("PUT", target, {"customFields": {"n": 2}}).body
    assert updated["customFields"] == {"n": 2}
    error = details(shop.ask("PUT", target, {"customFields": {"f": "old"}}))
    assert error == "customFields.f: must be one of the allowed values"


def test_custom_fields_over_8_kib_together_return_400(shop: Shop) -> None:
    for name in ("a", "b", "c"):
        shop.ask("POST", "/custom-fields", body(maxLength=4000) | {"name": name})
    values = {"a": "x" * 4000, "b": "x" * 4000, "c": "x" * 170}
    assert shop.customer(customFields=values)["customFields"] == values
    reply = shop.ask("POST", "/customers", {"customFields": values | {"c": "x" * 171}})
    assert details(reply) == "customFields: must be at most 8192 bytes as JSON"


def test_p29_a_replay_returns_the_first_response_after_new_definitions(shop: Shop) -> None:
    made = shop.ask("POST", "/customers", {}, idempotency_key="k")
    define(shop, required=True)
    assert shop.ask("POST", "/customers", {}, idempotency_key="k").text == made.text
    assert shop.ask("POST", "/customers", {}, idempotency_key="k2").status == 400
    error = details(shop.ask("POST", "/customers", {"firstName": "N"}, idempotency_key="k"), 409)
    assert error == "Idempotency-Key: was used with another request"
