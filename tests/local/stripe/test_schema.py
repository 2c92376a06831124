"""The committed schema is that of API version endive, and the responses fit it."""

import json
from typing import Any

import pytest
from jsonschema import ValidationError
from stripe import params as sdk
from stripe._request_options import RequestOptions

from local.stripe import extract_schema, forms, routes

# The SDK is generated from endive, so a form must have exactly its parameters.
PARAMETERS: dict[str, type] = {
    "POST /v1/customers": sdk.CustomerCreateParams,
    "GET /v1/customers": sdk.CustomerListParams,
    "GET /v1/customers/{customer}": sdk.CustomerRetrieveParams,
    "POST /v1/customers/{customer}": sdk.CustomerUpdateParams,
    "DELETE /v1/customers/{customer}": sdk.CustomerDeleteParams,
    "GET /v1/customers/{customer}/payment_methods": sdk.CustomerPaymentMethodListParams,
    "POST /v1/payment_methods": sdk.PaymentMethodCreateParams,
    "GET /v1/payment_methods": sdk.PaymentMethodListParams,
    "GET /v1/payment_methods/{payment_method}": sdk.PaymentMethodRetrieveParams,
    "POST /v1/payment_methods/{payment_method}": sdk.PaymentMethodUpdateParams,
    "POST /v1/payment_methods/{payment_method}/attach": sdk.PaymentMethodAttachParams,
    "POST /v1/payment_methods/{payment_method}/detach": sdk.PaymentMethodDetachParams,
    "POST /v1/payment_intents": sdk.PaymentIntentCreateParams,
    "GET /v1/payment_intents": sdk.PaymentIntentListParams,
    "GET /v1/payment_intents/{intent}": sdk.PaymentIntentRetrieveParams,
    "POST /v1/payment_intents/{intent}": sdk.PaymentIntentUpdateParams,
    "POST /v1/payment_intents/{intent}/confirm": sdk.PaymentIntentConfirmParams,
    "POST /v1/payment_intents/{intent}/cancel": sdk.PaymentIntentCancelParams,
    "POST /v1/payment_intents/{intent}/capture": sdk.PaymentIntentCaptureParams,
    "GET /v1/charges/{charge}": sdk.ChargeRetrieveParams,
    "POST /v1/refunds": sdk.RefundCreateParams,
    "GET /v1/refunds": sdk.RefundListParams,
    "GET /v1/refunds/{refund}": sdk.RefundRetrieveParams,
    "GET /v1/disputes": sdk.DisputeListParams,
    "GET /v1/disputes/{dispute}": sdk.DisputeRetrieveParams,
    "GET /v1/events": sdk.EventListParams,
    "GET /v1/events/{id}": sdk.EventRetrieveParams,
}
# Method types that endive added or removed; none is a card. Source: docs/providers.md, section H.
DIFFERENT = {
    "POST /v1/payment_methods": {"paypay", "sequra"},
    "POST /v1/payment_methods/{payment_method}": {"payto"},
}


def properties(operation):
    form: Any = forms.schema()["forms"][operation]
    return form["properties"].keys()


@pytest.mark.parametrize("operation", [each.url for each in routes.OPERATIONS])
def test_form_of_every_operation_equals_the_sdk_parameters(operation):
    taken = PARAMETERS[operation].__annotations__.keys() - RequestOptions.__annotations__.keys()
    assert properties(operation) ^ taken == DIFFERENT.get(operation, set())


@pytest.mark.parametrize("operation", routes.OPERATIONS, ids=lambda each: each.url)
def test_modelled_parameters_are_in_the_form(operation):
    assert operation.modelled <= properties(operation.url)


def test_extracted_operations_equal_the_served_ones():
    assert set(extract_schema.OPERATIONS) == {each.url for each in routes.OPERATIONS}


def test_patch_to_endive_swaps_the_method_types():
    names = ("payment_method_types", "allowed_payment_method_types")
    shape = {"type": "object", "properties": {names[0]: {"type": "array"}, "client_secret": {}}}
    given = {each: json.loads(json.dumps(shape)) for each in extract_schema.OPERATIONS}
    customer = given["POST /v1/customers/{customer}"]["properties"]
    for gone in ("card", "bank_account", "default_card", "default_bank_account"):
        customer[gone] = {}
    customer["default_alipay_account"] = {}
    answers: dict[str, Any] = {"payment_intent": {"properties": {}}}
    extract_schema.patch_to_endive(given, answers)
    assert list(given["POST /v1/payment_intents"]["properties"]) == ["client_secret", names[1]]
    assert list(given["POST /v1/payment_intents/{intent}/confirm"]["properties"]) == [names[1]]
    assert "validate" in given["POST /v1/customers"]["properties"]
    assert "default_alipay_account" not in customer
    assert names[1] in answers["payment_intent"]["properties"]


def test_trimmed_keeps_only_ids_of_resources_never_returned():
    node = {
        "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/review"}],
        "x-expansionResources": {"oneOf": [{"$ref": "#/components/schemas/review"}]},
        "description": "prose",
        "properties": {"description": {"type": "string"}},
    }
    kept = extract_schema.trimmed(node)
    assert kept["anyOf"] == [{"type": "string"}]
    assert "description" not in kept
    assert "description" in kept["properties"]


def test_every_response_of_many_operations_fits_the_schema(http):
    """The fixture checks each response against the schema; this test only makes many of them."""
    customer = http.customer(
        email="a@b.test", name="A", **{"address[city]": "Oslo", "shipping[name]": "A"}
        | {"shipping[address][line1]": "1 Street", "metadata[k]": "v"}
    )  # fmt: skip
    saved = http.saved(customer)
    http.post(f"/v1/customers/{customer}", {"invoice_settings[default_payment_method]": saved})
    expanded = {
        "expand[0]": "latest_charge",
        "expand[1]": "customer",
        "expand[2]": "payment_method",
    }
    paid = http.intent(customer=customer, payment_method=saved)["id"]
    assert http.confirm(paid, **expanded).status_code == 200
    authorized = http.intent(capture_method="manual")["id"]
    http.confirm(authorized, "pm_card_visa")
    http.post(f"/v1/payment_intents/{authorized}/capture", {"amount_to_capture": "500"} | expanded)
    waiting = http.intent(customer=customer, setup_future_usage="off_session")["id"]
    assert http.confirm(waiting, "pm_card_authenticationRequired").status_code == 200
    http.post(f"/v1/payment_intents/{waiting}/cancel", {"cancellation_reason": "abandoned"})
    declined = http.intent()["id"]
    assert http.confirm(declined, "pm_card_visa_chargeDeclined").status_code == 402
    charge = http.get(f"/v1/payment_intents/{paid}").json()["latest_charge"]
    asked = http.get(f"/v1/charges/{charge}", **{"expand[]": "refunds"}).json()
    assert asked["refunds"]["data"] == []
    for path in ("/v1/payment_intents", "/v1/customers", f"/v1/customers/{customer}"):
        assert http.get(path).status_code == 200
    assert len(http.get("/v1/payment_methods", customer=customer).json()["data"]) == 1
    http.post(f"/v1/payment_methods/{saved}", {"billing_details[address][city]": "Rome"})
    http.post(f"/v1/payment_methods/{saved}/detach")
    http.post("/v1/payment_methods", {"type": "card", "card[token]": "tok_amex"})
    assert http.send("DELETE", f"/v1/customers/{customer}").json()["deleted"] is True
    gone = http.get(f"/v1/payment_intents/{paid}", **{"expand[]": "customer"}).json()
    assert gone["customer"]["deleted"] is True


def test_check_fails_for_a_wrong_body(http, check):
    intent = http.intent()
    check("POST /v1/payment_intents", intent)
    for wrong in ({"status": "paid"}, {"amount": "2000"}, {"invented": 1}, {"metadata": None}):
        with pytest.raises(ValidationError):
            check("POST /v1/payment_intents", intent | wrong)
