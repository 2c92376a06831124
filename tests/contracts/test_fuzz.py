"""Random requests to every endpoint: documented shapes, every wrong field reported, money right.

Fixed examples in `make test`, new ones in `make fuzz`. Source: docs/api/native.md, section 1.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from pydantic import BaseModel

from bridge.api_adapters.monri import bodies as monri
from bridge.api_adapters.monri.wire import LABELS
from bridge.bodies.customer import GuestData
from bridge.models.caller import Caller
from local.stripe.simulator import StripeSimulator
from tests.conftest import STRANGER, USER, Environment
from tests.contracts.records import Scan, assert_converged, stored_payments
from tests.contracts.shape import FUNCTIONS, ROUTES, Client
from tests.contracts.strategies import (
    BODIES,
    GUEST,
    FuzzRequest,
    invalid_bodies,
    kinds_of,
    requests,
)
from tests.store.conftest import put_credential

BASE = "/bridge-payment"
HOME = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
GUEST_DATA = {"email": "guest@example.com", "name": "Guest"}
SignIn = Callable[[Caller], Client]
PATHS = [f"{method} {path}" for _, method, path in ROUTES]
WITH_BODY = [
    route
    for route in ROUTES
    if route[0] in BODIES and BASE in route[2] and "/intents/{id}/" not in route[2]
]


def made(by: Client, target: str, **body: object) -> dict[str, str]:
    """Create a record; its JSON."""
    answer = by.ask("POST", BASE + target, body)
    assert answer.status in (200, 201), answer
    return answer.json()


@pytest.fixture
def names(client: Client, sign_in: SignIn) -> dict[str, str]:
    """The values of the marks (`~payment~`) in a generated request."""
    user, stranger = sign_in(USER), sign_in(STRANGER)
    money = {"total_cents": 2000, "currency": "USD"}
    payment, paid = (made(user, "/payments/intents", **money) for _ in range(2))
    made(user, f"/payments/confirm/{paid['id']}", payment_method_id="pm_card_visa")
    strange = made(stranger, "/payments/intents", **money)
    guest = made(client, "/payments/intents", **money, guest_data=GUEST_DATA)
    customer = made(user, "/customers", provider_id="stripe", organization_id="org_456")
    method = made(user, "/payment-methods", token="pm_card_visa")
    put_credential("api_key", "a-key", organization_id="org_456")
    put_credential("api_key", "a-strange-key", organization_id="org_999")
    put_credential("oauth_client", "a-client", "a-secret", organization_id="org_456")
    listed = client.acting(authorization="a-key").ask("GET", "/customers").json()
    return {
        "method": method["id"],
        "address": made(user, "/addresses", **HOME)["id"],
        "payment": payment["id"],
        "provider_payment": payment["provider_payment_id"],
        "paid": paid["id"],
        "customer": customer["id"],
        "company": customer["id"].replace("cust_", "cus_"),
        "cursor": listed["end_cursor"],
        "key": "a-key",
        "strange_key": "a-strange-key",
        "client": "Basic YS1jbGllbnQ6YS1zZWNyZXQ=",
        "strange_payment": strange["id"],
        "strange_customer": strange["customer_id"],
        "guest_payment": guest["id"],
        "guest_token": guest["guest_token"],
        "session": user.headers["x-session-id"],
        **merchants_of(client, "org_456"),
        "strange_session": stranger.headers["x-session-id"],
    }


def merchants_of(client: Client, organization_id: str) -> dict[str, str]:
    """A merchant of Monri, with a token and a customer."""
    pair = {"merchant": "merchant-1", "merchant_key": "key-1"}
    put_credential("merchant", *pair.values(), organization_id=organization_id)
    grant = {
        "client_id": "merchant-1",
        "client_secret": "key-1",
        "grant_type": "client_credentials",
    }
    token = client.ask("POST", "/v2/oauth", grant).json()["access_token"]
    bearer = client.acting(authorization=f"Bearer {token}")
    customer = bearer.ask("POST", "/v2/customers", {"merchant_customer_id": "crm-1"}).json()
    return pair | {"merchant_token": token, "uuid": customer["uuid"]}


@pytest.fixture
def wait(later: Callable[[float], None], environment: Environment) -> Callable[[], None]:
    """Let every lease end, and sweep until nothing is due."""

    def run() -> None:
        later(600)
        while environment.gateway.functions.invoke("JobsSweepPayments", {})["left"]:
            pass

    return run


def examples(function: str, method: str, path: str) -> settings:
    """The number of examples: a quarter for aliases and for /health."""
    first, whole = FUNCTIONS[function].routes[0], settings().max_examples
    is_first = (first.method, first.path) == (method, path) and path != "/health"
    return settings(max_examples=whole if is_first else whole // 4)


@pytest.mark.slow
@pytest.mark.parametrize(("function", "method", "path"), ROUTES, ids=PATHS)
def test_any_request_gets_the_documented_shape_and_payments_agree_with_the_provider(
    function: str,
    method: str,
    path: str,
    client: Client,
    names: dict[str, str],
    sign_in: SignIn,
    scan: Scan,
    wait: Callable[[], None],
    stripe_simulator: StripeSimulator,
) -> None:
    user = sign_in(USER)

    @examples(function, method, path)
    @given(requests(function, method, path))
    def holds(request: FuzzRequest) -> None:
        if method != "GET":  # the next request must not find what this one paid or deleted
            names.update(new_records(user, request, names))
        sent = request.filled(names)
        client.ask(sent.method, sent.target, sent.body, sent.headers)

    holds()
    wait()
    assert_converged(stored_payments(scan), stripe_simulator)


def new_records(user: Client, request: FuzzRequest, names: dict[str, str]) -> dict[str, str]:
    """New records in place of those that a request uses."""
    if "~payment~" in request.target or "~provider_payment~" in request.target:
        payment = made(user, "/payments/intents", total_cents=2000, currency="USD")
        return {"payment": payment["id"], "provider_payment": payment["provider_payment_id"]}
    if "~method~" in request.target:
        return {"method": made(user, "/payment-methods", token="pm_card_visa")["id"]}
    if "~address~" in request.target:
        return {"address": made(user, "/addresses", **HOME)["id"]}
    if "~uuid~" in request.target:
        bearer = user.acting(authorization=f"Bearer {names['merchant_token']}")
        return {"uuid": bearer.ask("POST", "/v2/customers", {}).json()["uuid"]}
    if "~customer~" in request.target:
        return {"customer": made(user, "/customers", provider_id="stripe")["id"]}
    if "~company~" in request.target and request.method == "DELETE":
        new = made(user, "/customers", provider_id="stripe", organization_id="org_456")
        return {"company": new["id"].replace("cust_", "cus_")}
    return {}


@pytest.mark.parametrize(("function", "method", "path"), WITH_BODY, ids=[p[0] for p in WITH_BODY])
def test_b5_exactly_the_wrong_fields_are_reported(
    function: str, method: str, path: str, client: Client, sign_in: SignIn, scan: Scan
) -> None:
    user, before = sign_in(USER), scan()

    @given(invalid_bodies(BODIES[function][0]))
    def holds(example: tuple[dict[str, object], set[str]]) -> None:
        body, wrong = example
        answer = user.ask(method, path.replace("{id}", "pay_1"), body)
        error = answer.json()
        assert answer.status == 400, (body, error)
        assert error["code"] == "validation_failed"
        assert {each["field"] for each in error["details"]} == wrong, (body, error)
        assert len(error["details"]) == len(wrong), (body, error)

    holds()
    assert scan().keys() == before.keys()
    assert scan()["Ledger"] == before["Ledger"]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v2/customers", monri.CustomerBody),
        ("/v2/customers/~uuid~", monri.CustomerBody),
        ("/v2/oauth", monri.TokenBody),
    ],
)
def test_monri_reports_exactly_the_wrong_fields(
    path: str, model: type[BaseModel], client: Client, names: dict[str, str], scan: Scan
) -> None:
    bearer = client.acting(authorization=f"Bearer {names['merchant_token']}")
    target, before = path.replace("~uuid~", names["uuid"]), scan()

    @given(invalid_bodies(model))
    def holds(example: tuple[dict[str, object], set[str]]) -> None:
        body, wrong = example
        answer = bearer.ask("POST", target, body)
        errors = answer.json()["errors"]
        labels = sorted(LABELS.get(name, name) for name in wrong)
        assert answer.status == 400, (body, errors)
        assert len(errors) == len(wrong), (body, errors)
        for label, line in zip(labels, sorted(errors), strict=True):
            assert line.startswith(f"{label} "), (body, errors)

    holds()
    assert scan() == before


@pytest.mark.parametrize("model", [model for model, _ in BODIES.values()], ids=lambda m: m.__name__)
def test_every_field_of_a_body_is_fuzzed(model: type[BaseModel]) -> None:
    """A field without a kind fails in `kinds_of`."""
    assert kinds_of(model).keys() == model.model_fields.keys()
    assert GUEST.keys() == GuestData.model_fields.keys()
