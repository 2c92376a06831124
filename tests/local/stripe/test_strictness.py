"""The simulator refuses what Stripe refuses, with Stripe's error codes."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

INTENTS = "/v1/payment_intents"
NEW = {"amount": "2000", "currency": "usd"}
AUTO, ALLOWED = "automatic_payment_methods", "allowed_payment_method_types"
NO_LONGER = "payment_method_types_no_longer_supported"
NO_DECIMAL = "invalid_charge_amount_no_decimal_compatible"
STRANGE = (
    "amount currency confirm metadata metadata[a] amount[0] expand[] expand[0] [ a[b customer[x] "
    "automatic_payment_methods[enabled]"
)


def error(response, status=400):
    assert response.status_code == status, response.text
    return response.json()["error"]


def test_request_without_api_key_returns_401(http):
    assert "API key" in error(http.post(INTENTS, NEW, Authorization=None), 401)["message"]


@pytest.mark.parametrize("given", ["Bearer sk_live_1", "Bearer pk_test_1", "Basic c2s6", "Bearer"])
def test_request_with_wrong_api_key_returns_401(http, given):
    assert error(http.post(INTENTS, NEW, Authorization=given), 401)["type"] == (
        "invalid_request_error"
    )


@pytest.mark.parametrize("version", [None, "2026-05-27.dahlia"])
def test_request_with_other_api_version_returns_400(http, version):
    assert "version" in error(http.post(INTENTS, NEW, Stripe_Version=version))["message"]


def test_json_body_returns_400(http):
    answer = http.post(INTENTS, '{"amount": 2000}', Content_Type="application/json")
    assert "content type" in error(answer)["message"]


def test_body_that_is_not_utf8_returns_400(http):
    assert error(http.post(INTENTS, "amount=%ff&currency=usd"))["message"]


def test_unknown_path_returns_404(http):
    assert "Unrecognized request URL" in error(http.post("/v1/nothing", {}), 404)["message"]


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"foo": "1"}, "parameter_unknown", "foo"),
        ({f"{AUTO}[foo]": "1"}, "parameter_unknown", f"{AUTO}[foo]"),
        ({"payment_method_types[0]": "card"}, NO_LONGER, "payment_method_types"),
        ({"client_secret": "x"}, "parameter_unknown", "client_secret"),
        ({"amount": None}, "parameter_missing", "amount"),
        ({"currency": None}, "parameter_missing", "currency"),
        ({f"{AUTO}[allow_redirects]": "never"}, "parameter_missing", f"{AUTO}[enabled]"),
        ({"amount": "20.5"}, "parameter_invalid_integer", "amount"),
        ({"amount": "abc"}, "parameter_invalid_integer", "amount"),
        ({"amount": "0"}, "parameter_invalid_integer", "amount"),
        ({"amount": "-1"}, "parameter_invalid_integer", "amount"),
        ({"amount": ""}, "parameter_invalid_empty", "amount"),
        ({"currency": ""}, "parameter_invalid_empty", "currency"),
        ({"capture_method": ""}, "parameter_invalid_empty", "capture_method"),
        ({"customer": ""}, "parameter_invalid_empty", "customer"),
        ({"capture_method": "later"}, None, "capture_method"),
        ({f"{AUTO}[enabled]": "yes"}, None, f"{AUTO}[enabled]"),
        ({AUTO: "on"}, None, AUTO),
        ({"expand": "customer"}, None, "expand"),
        ({"expand[0]": "foo"}, None, "expand"),
        ({"expand[0]": "metadata"}, None, "expand"),
        ({"expand[0]": "latest_charge.foo"}, None, "expand"),
        ({"amount": "49"}, "amount_too_small", "amount"),
        ({"amount": "100000000"}, "amount_too_large", "amount"),
        ({"currency": "gbp", "amount": "29"}, "amount_too_small", "amount"),
        ({"currency": "xyz"}, None, "currency"),
        ({"currency": "isk", "amount": "5050"}, NO_DECIMAL, "amount"),
        ({"currency": "ugx", "amount": "500050"}, NO_DECIMAL, "amount"),
        ({"currency": "kwd", "amount": "1001"}, None, "amount"),
        ({"receipt_email": "nobody"}, "email_invalid", "receipt_email"),
        ({"description": "x" * 1001}, None, "description"),
        ({"metadata[k]": "v" * 501}, None, "metadata[k]"),
        ({"metadata[" + "k" * 41 + "]": "v"}, None, "metadata"),
        ({f"metadata[k{n}]": "v" for n in range(51)}, None, "metadata"),
        ({"metadata[a][b]": "v"}, None, "metadata[a]"),
        ({"customer": "cus_nobody"}, "resource_missing", "customer"),
        ({"payment_method": "pm_nothing"}, "resource_missing", "payment_method"),
        ({"return_url": "https://shop.test/"}, None, "return_url"),
        ({f"{ALLOWED}[0]": "card", f"{AUTO}[enabled]": "true"}, "parameters_exclusive", ALLOWED),
        ({"application_fee_amount": "1"}, None, "application_fee_amount"),
    ],
)  # fmt: skip
def test_create_payment_with_bad_parameter_returns_400_with_its_name(
    http, simulator, fields, code, param
):
    form = {key: value for key, value in (NEW | fields).items() if value is not None}
    given = error(http.post(INTENTS, form))
    assert (given.get("code"), given["param"]) == (code, param)
    assert given["type"] == "invalid_request_error"
    assert simulator.intents() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"currency": "USD"},
        {"currency": "jpy", "amount": "50"},
        {"currency": "isk", "amount": "5000"},
        {"currency": "kwd", "amount": "1010"},
        {"amount": "50"},
        {"amount": "99999999"},
        {f"metadata[k{n}]": "v" * 500 for n in range(50)},
        {"description": "x" * 1000},
    ],
)
def test_create_payment_at_a_limit_succeeds(http, fields):
    assert http.post(INTENTS, NEW | fields).status_code == 200


def test_unknown_parameters_are_all_listed(http):
    given = error(http.post(INTENTS, NEW | {"foo": "1", "bar": "2"}))
    assert given["message"] == "Received unknown parameters: foo, bar"


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"email": "no address"}, "email_invalid", "email"),
        ({"phone": "1" * 21}, None, "phone"),
        ({"name": "x" * 257}, None, "name"),
        ({"card": "tok_visa"}, "parameter_unknown", "card"),
        ({"payment_method": "pm_nothing"}, "resource_missing", "payment_method"),
        ({"balance": "5"}, None, "balance"),
    ],
)
def test_create_customer_with_bad_parameter_returns_400_with_its_name(
    http, simulator, fields, code, param
):
    given = error(http.post("/v1/customers", fields))
    assert (given.get("code"), given["param"]) == (code, param)
    assert simulator.customers() == []


@pytest.mark.parametrize("gone", ["card", "bank_account", "default_card", "payment_method"])
def test_update_customer_with_parameter_dropped_in_endive_returns_400(http, gone):
    path = f"/v1/customers/{http.customer()}"
    assert error(http.post(path, {gone: "x"}))["code"] == "parameter_unknown"
    assert http.post(path, {"validate": "true"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "param"),
    [
        ("GET", f"{INTENTS}/pi_nothing", "intent"),
        ("POST", f"{INTENTS}/pi_nothing/confirm", "intent"),
        ("POST", f"{INTENTS}/pi_nothing/cancel", "intent"),
        ("GET", "/v1/customers/cus_nobody", "id"),
        ("POST", "/v1/customers/cus_nobody", "id"),
        ("DELETE", "/v1/customers/cus_nobody", "id"),
        ("GET", "/v1/customers/cus_nobody/payment_methods", "id"),
        ("GET", "/v1/charges/ch_nothing", "id"),
        ("GET", "/v1/payment_methods/pm_nothing", "payment_method"),
        ("POST", "/v1/payment_methods/pm_nothing/detach", "payment_method"),
    ],
)
def test_unknown_id_in_the_path_returns_404(http, method, path, param):
    given = error(http.send(method, path), 404)
    assert (given["code"], given["param"]) == ("resource_missing", param)


def test_list_with_bad_query_parameter_returns_400(http):
    assert error(http.get(INTENTS, status="succeeded"))["code"] == "parameter_unknown"
    assert error(http.get(INTENTS, limit="101"))["code"] == "parameter_invalid_integer"
    assert error(http.get(INTENTS, limit="0"))["code"] == "parameter_invalid_integer"
    assert error(http.get(INTENTS, starting_after="pi_nothing"))["code"] == "resource_missing"
    assert error(http.get(INTENTS, customer="cus_nobody"))["code"] == "resource_missing"


def test_every_response_has_its_own_request_id(http):
    first, second = http.post(INTENTS, NEW), http.get(f"{INTENTS}/pi_nothing")
    assert first.headers["Request-Id"].startswith("req_")
    assert first.headers["Request-Id"] != second.headers["Request-Id"]
    assert first.headers["Stripe-Version"] == "2026-10-28.endive"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(["", *STRANGE.split()]) | st.text(max_size=8),
        st.sampled_from(["", "true", "2000", "usd", "latest_charge"]) | st.text(max_size=8),
        max_size=5,
    )
)
def test_any_form_returns_200_or_400(http, form):
    assert http.post(INTENTS, form).status_code in (200, 400)
