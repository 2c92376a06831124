"""What is so of every route of the template, and of its aliases.

Source: contracts/bridge.md section 1, B3 and section 6.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bridge import clock
from bridge.authentication import merchants
from bridge.models.caller import Caller, Session
from bridge.store.access import session_items
from local.event import Answer
from tests.conftest import Environment
from tests.contracts import alternative_shape
from tests.contracts.shape import (
    ADDRESS_FIELDS,
    CUSTOMER_FIELDS,
    ENTRY_FIELDS,
    GUEST_LISTING_FIELDS,
    METHOD_FIELDS,
    MONRI_FIELDS,
    PAYMENT_FIELDS,
    REFUND_FIELDS,
    ROUTES,
    Client,
    is_alternatives,
    is_monris,
    without_request_id,
)
from tests.store.conftest import put_credential

BASE = "/bridge-payment"
ALTERNATIVE_ERROR = {"code", "message", "validation_errors", "errors"}
GUEST = "guest@example.com"
MONEY = {"total_cents": 2000, "currency": "USD"}
VISA = {"payment_method_id": "pm_card_visa"}
TOKEN = {"token": "pm_card_visa"}
HOME = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
PAID: tuple[str, object] = ("/intents/{id}/confirm", VISA)
MONRI_ERROR = {"status", "message", "errors"}
REFUNDED: tuple[str, object] = ("/{id}/refund", {"amount_cents": 500})


@dataclass(frozen=True)
class Success:
    """`new` is added to the payment's creation; `before` are calls on it that go before."""

    status: int
    fields: set[str]
    body: object = None
    new: dict[str, object] = field(default_factory=dict)
    before: tuple[tuple[str, object], ...] = ()


SUCCESS = {
    "NativeCreateCustomer": Success(201, CUSTOMER_FIELDS, {"provider_id": "stripe"}),
    "NativeGetCustomer": Success(200, CUSTOMER_FIELDS),
    "NativeListCustomers": Success(200, CUSTOMER_FIELDS),
    "NativeUpdateCustomer": Success(200, CUSTOMER_FIELDS, {"name": "Jane"}),
    "NativeDeleteCustomer": Success(204, set()),
    "NativeCreatePaymentIntent": Success(201, PAYMENT_FIELDS, MONEY),
    "NativeUpdatePaymentIntent": Success(200, PAYMENT_FIELDS, {"total_cents": 2500}),
    "NativeConfirmPayment": Success(200, PAYMENT_FIELDS, VISA),
    "NativeCancelPayment": Success(200, PAYMENT_FIELDS),
    "NativeCapturePayment": Success(
        200, PAYMENT_FIELDS, {"amount_cents": 1500}, {"capture_method": "manual"}, (PAID,)
    ),
    "NativeRefundPayment": Success(201, REFUND_FIELDS, {"amount_cents": 500}, before=(PAID,)),
    "NativeListRefunds": Success(200, REFUND_FIELDS, before=(PAID, REFUNDED)),
    "NativeGetTimeline": Success(200, ENTRY_FIELDS),
    "NativeSyncPayment": Success(200, PAYMENT_FIELDS),
    "NativeGetPayment": Success(200, PAYMENT_FIELDS),
    "NativeListPayments": Success(200, PAYMENT_FIELDS),
    "NativeListGuestPayments": Success(200, GUEST_LISTING_FIELDS),
    "NativeCreatePaymentMethod": Success(201, METHOD_FIELDS, TOKEN),
    "NativeGetPaymentMethod": Success(200, METHOD_FIELDS),
    "NativeListPaymentMethods": Success(200, METHOD_FIELDS),
    "NativeListCustomerPaymentMethods": Success(200, METHOD_FIELDS),
    "NativeUpdatePaymentMethod": Success(200, METHOD_FIELDS, {"alias": "Home"}),
    "NativeSetDefaultPaymentMethod": Success(200, METHOD_FIELDS),
    "NativeDeletePaymentMethod": Success(204, set()),
    "NativeCreateAddress": Success(201, ADDRESS_FIELDS, HOME),
    "NativeGetAddress": Success(200, ADDRESS_FIELDS),
    "NativeListAddresses": Success(200, ADDRESS_FIELDS),
    "NativeUpdateAddress": Success(200, ADDRESS_FIELDS, {"line2": "2nd floor"}),
    "NativeDeleteAddress": Success(204, set()),
    "MonriCreateToken": Success(400, MONRI_ERROR),  # an empty body is none
    "MonriCreateCustomer": Success(200, MONRI_FIELDS, {"name": "Lejla"}),
    "MonriGetCustomer": Success(200, MONRI_FIELDS),
    "MonriGetCustomerByMerchantId": Success(200, MONRI_FIELDS),
    "MonriUpdateCustomer": Success(200, MONRI_FIELDS, {"name": "Lejla"}),
    "MonriDeleteCustomer": Success(200, {"status", "id", "uuid", "deleted"}),
    "MonriListCustomers": Success(200, {"status", "data"}),
    "MonriListPaymentMethods": Success(200, {"status", "data"}),
    "AlternativeCreateToken": Success(403, ALTERNATIVE_ERROR),  # an API key is no client
    "AlternativeCreateCustomer": Success(201, alternative_shape.CUSTOMER, {"name": "Jane"}),
    "AlternativeGetCustomer": Success(200, alternative_shape.CUSTOMER),
    "AlternativeArchiveCustomer": Success(200, alternative_shape.CUSTOMER),
    "AlternativeListCustomers": Success(200, alternative_shape.PAGE),
    "AlternativeListPaymentMethods": Success(200, {"data"}),
    "AlternativeListCustomerUsers": Success(200, alternative_shape.PAGE),
    "AlternativeCreateCustomerUser": Success(201, alternative_shape.USER, {"phone": "1"}),
    "WebhooksStripe": Success(400, {"error", "code", "request_id"}),  # nobody has signed it
    "OperationsHealth": Success(200, {"status", "version"}),
    "OperationsUnmatched": Success(404, {"error", "code", "request_id"}),
}
NAMES = [f"{method} {path}" for _, method, path in ROUTES]
every_route = pytest.mark.parametrize(("function", "method", "path"), ROUTES, ids=NAMES)
NATIVE = [route for route in ROUTES if route[2].startswith(BASE)]
every_native_route = pytest.mark.parametrize(
    ("function", "method", "path"), NATIVE, ids=[f"{method} {path}" for _, method, path in NATIVE]
)
WITH_BODY = [route for route in NATIVE if SUCCESS[route[0]].body]
every_body = pytest.mark.parametrize(
    ("function", "method", "path"), WITH_BODY, ids=[f"{way[1]} {way[2]}" for way in WITH_BODY]
)


def test_every_function_of_http_is_in_the_table() -> None:
    assert {name for name, _, _ in ROUTES} | {"OperationsUnmatched"} == SUCCESS.keys()


@pytest.fixture
def user(sign_in: Callable[[Caller], Client]) -> Client:
    return sign_in(Caller(user_id="user_1", email="user@example.com"))


@pytest.fixture
def merchant(client: Client) -> Client:
    """Somebody with a bearer token of Monri's."""
    put_credential("merchant", "merchant-1", "key-1")
    token = merchants.issue_token("merchant-1", "key-1", []).token
    return client.acting(authorization=f"Bearer {token}")


@pytest.fixture
def keyed(client: Client) -> Client:
    """Somebody with a key of an organization."""
    put_credential("api_key", "a-key")
    return client.acting(authorization="a-key")


@pytest.fixture
def caller(function: str, user: Client, merchant: Client, keyed: Client) -> Client:
    """Who may call the function."""
    if function.startswith("Monri"):
        return merchant
    return keyed if function.startswith("Alternative") else user


@pytest.fixture
def target(caller: Client, client: Client, user: Client, function: str, path: str) -> str:
    """A route's path with a record that its caller has."""
    success = SUCCESS[function]
    if is_monris(path):
        made = caller.ask("POST", "/v2/customers", {"merchant_customer_id": "crm-1"}).json()
        return path.replace("{uuid}", made["uuid"]).replace("{merchant_customer_id+}", "crm-1")
    if is_alternatives(path):
        return path.replace("{id}", caller.ask("POST", "/customers", {}).json()["id"])
    if "{email}" in path:
        guest = {"guest_data": {"email": GUEST, "name": "Guest"}}
        client.ask("POST", f"{BASE}/payments/intents", MONEY | guest)
    held = user.ask("POST", f"{BASE}/payment-methods", TOKEN)
    if "/customer/" in path:
        made = user.ask("GET", f"{BASE}/customers/{held.json()['customer_id']}")
    elif "/customers" in path:
        made = user.ask("POST", f"{BASE}/customers", {"provider_id": "stripe"})
    elif "/payment-methods" in path:
        made = held
    elif "/addresses" in path:
        made = user.ask("POST", f"{BASE}/addresses", HOME)
    else:
        made = user.ask("POST", f"{BASE}/payments/intents", MONEY | success.new)
    for tail, body in success.before:
        user.ask("POST", f"{BASE}/payments" + tail.format(id=made.json()["id"]), body)
    return path.replace("{id}", made.json()["id"]).replace("{email}", GUEST)


@every_route
def test_a_route_answers_its_documented_status_and_fields(
    function: str, method: str, target: str, caller: Client
) -> None:
    success = SUCCESS[function]
    answer = caller.ask(method, target, success.body)
    assert answer.status == success.status, answer
    told = answer.json() if answer.body else {}
    for each in told if isinstance(told, list) else [told]:
        assert success.fields <= each.keys()
        if function == "NativeListGuestPayments":
            assert each.keys() == GUEST_LISTING_FIELDS
    if isinstance(told, list):
        assert told, "an empty list proves nothing"


@every_route
@pytest.mark.parametrize("given", ["abc-1_2.3", "x" * 128])
def test_a_request_id_is_echoed(
    function: str, method: str, path: str, given: str, client: Client
) -> None:
    answer = client.ask(method, path.replace("{", "").replace("}", ""), headers=ids(given))
    assert answer.header("X-Request-ID") == given


def ids(given: str) -> dict[str, str]:
    return {"X-Request-ID": given}


@every_route
@pytest.mark.parametrize("given", ["", "x" * 129, "two words", "a,b", "é", "x\ty"])
def test_a_request_id_that_is_unfit_for_a_log_is_replaced(
    function: str, method: str, path: str, given: str, client: Client
) -> None:
    found = {
        client.ask(method, path.replace("{", "").replace("}", ""), headers=ids(given)).header(
            "X-Request-ID"
        )
        for _ in range(2)
    }
    assert given not in found
    assert len(found) == 2


@every_native_route
def test_b3_a_body_over_256_kib_is_too_large_on_any_route(
    function: str, method: str, target: str, user: Client
) -> None:
    answer = user.ask(method, target, b" " * (256 * 1024 + 1))
    assert (answer.status, answer.json()["code"]) == (413, "body_too_large")
    if method in ("GET", "DELETE"):
        success = SUCCESS[function].status
        assert user.ask(method, target, b" " * (256 * 1024)).status == success


def padded(body: object, size: int) -> bytes:
    """The body with a field that nobody knows, so long that all of it has this size."""
    text = json.dumps(body)[:-1] + ', "unknown": "'
    return (text + "x" * (size - len(text) - 2) + '"}').encode()


def extended(body: object, more: str) -> bytes:
    return (json.dumps(body)[:-1] + f", {more}}}").encode()


@every_body
def test_b3_what_just_fits_passes(function: str, method: str, target: str, user: Client) -> None:
    body, status = SUCCESS[function].body, SUCCESS[function].status
    for fits in (
        padded(body, 256 * 1024),
        extended(body, '"unknown": ' + "9" * 18),
        extended(body, '"unknown": -' + "9" * 18),
        extended(body, '"unknown": ' + "[" * 31 + "]" * 31),
        extended(body, '"unknown": [null, true, 1e-300, "\\ud83d\\udcb6", "\\u0000"]'),
        b" \r\n\t" + json.dumps(body).encode() + b"\n",
    ):
        answer = user.ask(method, target, fits)
        assert answer.status in (status, 409), (fits[:100], answer)  # captured twice, say


MALFORMED = {
    "cut off": b'{"a": 1',
    "something behind": b"{} {}",
    "a comment": b"{} // a",
    "a trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "invalid UTF-8": b'{"a": "\xff"}',
    "an overlong encoding": b'{"a": "\xc0\xaf"}',
    "an encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate in a key": b'{"\\udc00": 1}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "-Infinity": b'{"a": [-Infinity]}',
    "a float beyond floats": b'{"a": 1e400}',
    "a key twice": b'{"a": 1, "a": 1}',
    "a key twice inside": b'{"a": [{"b": 1, "b": 2}]}',
    "a key twice, once escaped": b'{"a": 1, "\\u0061": 2}',
    "too deep": b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}",
    "much too deep": b'{"a": ' + b"[" * 100_000,
    "19 digits": b'{"a": ' + b"9" * 19 + b"}",
    "5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "a raw line break in a string": b'{"a": "x\ny"}',
    "an array": b"[{}]",
    "a string": b'"{}"',
    "a number": b"1",
    "null": b"null",
    "a form": b"total_cents=2000&currency=USD",
}


@every_body
def test_b3_a_malformed_body_is_invalid_json(
    function: str, method: str, target: str, user: Client
) -> None:
    for name, body in MALFORMED.items():
        answer = user.ask(method, target, body)
        assert (answer.status, answer.json()["code"]) == (400, "invalid_json"), (name, answer)


@every_body
def test_b3_an_empty_body_is_no_json_but_where_a_body_is_optional(
    function: str, method: str, target: str, user: Client
) -> None:
    for empty in (b"", b" \n"):
        answer = user.ask(method, target, empty)
        if function == "NativeConfirmPayment":  # it gets as far as missing a payment method
            assert (answer.status, answer.json()["code"]) == (400, "payment_method_required")
        elif function in ("NativeCapturePayment", "NativeRefundPayment"):
            assert answer.status in (SUCCESS[function].status, 409)
        else:
            assert (answer.status, answer.json()["code"]) == (400, "invalid_json")


def test_b3_a_sync_and_a_confirm_need_no_body(jane: Client) -> None:
    body = MONEY | {"payment_method_id": "pm_saved_card_123"}
    for confirm in ("confirm/{}", "intents/{}/confirm"):
        made = jane.ask("POST", f"{BASE}/payments/intents", body).json()["id"]
        answer = jane.ask("POST", f"{BASE}/payments/{confirm.format(made)}")
        assert (answer.status, answer.json()["status"]) == (200, "succeeded")
    for sync in ("sync/pay_123", "intents/pay_123/sync"):
        assert jane.ask("POST", f"{BASE}/payments/{sync}").status == 200


@every_body
@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "image/png", "nonsense", None]
)
def test_a_body_is_read_whatever_its_content_type_says(
    function: str, method: str, target: str, kind: str | None, user: Client
) -> None:
    success = SUCCESS[function]
    answer = user.ask(method, target, success.body, {"Content-Type": kind or ""})
    assert answer.status == success.status, answer
    assert success.fields <= answer.json().keys()


def filled(path: str) -> str:
    """With some id in place of each variable."""
    return re.sub(r"{[^}]*}", "cust_1", path.replace("{email}", "a@example.com"))


def moved(path: str, *, greedy: bool) -> dict[str, str]:
    """`greedy`: whatever stands at its end belongs to its last variable."""
    middle = path.index("/", 1) if "/" in path[1:] else len(path)
    at_the_end = {"one at the end": f"{path}/", "many at the end": f"{path}///"}
    return ({} if greedy else at_the_end) | {
        "doubled at the start": f"/{path}",
        "doubled inside": f"{path[:middle]}/{path[middle:]}" if middle < len(path) else f"//{path}",
    }


@every_route
def test_a_stray_slash_is_answered_308_to_the_clean_path_with_its_query(
    function: str, method: str, path: str, client: Client
) -> None:
    clean = filled(path)
    shown = clean.replace("@", "%40")
    for name, given in moved(clean, greedy="+}" in path).items():
        answer = client.ask(method, f"{given}?limit=1&x=%2F/")
        assert answer.status == 308, name
        assert answer.header("Location") == f"{shown}?limit=1&x=%2F/", name
        assert client.ask(method, given).header("Location") == shown, name


@every_route
def test_any_other_method_is_an_unknown_path(
    function: str, method: str, path: str, user: Client
) -> None:
    taken = {way for _, way, other in ROUTES if other == path}
    nowhere = "/v2/nowhere" if is_monris(path) else "/nowhere"
    unknown = user.ask("GET", "/oauth/nowhere" if is_alternatives(path) else nowhere)
    for other in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - taken:
        if (other, path) in {("GET", f"{BASE}/payments/intents")}:
            continue  # there it is GET /payments/{id} with an id that nobody has
        answer = user.ask(other, filled(path))
        assert without_request_id(answer) == without_request_id(unknown), other
    assert unknown.status == 404
    told = MONRI_ERROR if is_monris(path) else {"error", "code", "request_id"}
    told = ALTERNATIVE_ERROR if is_alternatives(path) else told
    assert unknown.json().keys() == told


def test_what_is_not_found_looks_the_same_for_a_path_and_for_a_record(user: Client) -> None:
    told = [
        user.ask("GET", target)
        for target in ("/nowhere", f"{BASE}/customers/cust_nobody", f"{BASE}/payments/pay_nobody")
    ]
    assert {answer.status for answer in told} == {404}
    assert {answer.json()["code"] for answer in told} == {"not_found"}


def test_an_alias_is_a_second_route_of_the_same_function() -> None:
    found = {name: [way[1:] for way in ROUTES if way[0] == name] for name, _, _ in ROUTES}
    aliases = {name: ways[1:] for name, ways in found.items() if len(ways) > 1}
    intents = f"{BASE}/payments/intents/{{id}}"
    assert aliases == {
        "NativeGetPayment": [("GET", intents)],
        "NativeUpdatePaymentIntent": [("PATCH", intents)],
        "NativeConfirmPayment": [("POST", f"{intents}/confirm")],
        "NativeSyncPayment": [("POST", f"{intents}/sync")],
        "OperationsHealth": [("GET", "/health/live"), ("GET", "/health/ready")],
    }


ORIGINALS: list[tuple[str, str, str, str, object]] = [
    ("GET", "/payments/{id}", "GET", "/payments/intents/{id}", None),
    ("PUT", "/payments/intents/{id}", "PATCH", "/payments/intents/{id}", {"total_cents": 700}),
    ("POST", "/payments/confirm/{id}", "POST", "/payments/intents/{id}/confirm", VISA),
    ("POST", "/payments/confirm/{id}", "POST", "/payments/intents/{id}/confirm", {"return_url": 1}),
    ("POST", "/payments/sync/{id}", "POST", "/payments/intents/{id}/sync", None),
]


@pytest.mark.parametrize(("method", "path", "alias_method", "alias", "body"), ORIGINALS)
def test_an_alias_answers_as_its_original_does(
    method: str, path: str, alias_method: str, alias: str, body: object, user: Client
) -> None:
    """On two payments that are made alike, and on one that is not there."""
    answers = []
    for way, pattern in ((method, path), (alias_method, alias)):
        made = user.ask("POST", f"{BASE}/payments/intents", MONEY).json()
        named = (made["id"], made["provider_payment_id"], "pay_nobody")
        targets = [BASE + pattern.replace("{id}", each) for each in named]
        answers += [user.ask(way, target, body) for target in targets]
    for original, other in zip(answers[:3], answers[3:], strict=True):
        assert original.status == other.status
        assert comparable(original) == comparable(other)


def comparable(answer: Answer) -> dict[str, Any]:
    own = {"id", "provider_payment_id", "client_secret", "request_id"}
    told = {name: value for name, value in answer.json().items() if name not in own}
    return {name: "a time" if name.endswith("_at") and at else at for name, at in told.items()}


ORIGIN = "http://localhost:3000"


@every_route
def test_options_is_answered_by_the_gateway_to_origins_that_are_named(
    function: str, method: str, path: str, client: Client
) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
    answer = client.ask("OPTIONS", path, headers=asked)
    assert answer.status == 204
    assert answer.header("Access-Control-Allow-Origin") == ORIGIN
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert method in str(answer.header("Access-Control-Allow-Methods")).split(",")
    allowed = str(answer.header("Access-Control-Allow-Headers")).split(",")
    sent = {"authorization", "content-type", "idempotency-key", "x-session-id", "x-guest-token"}
    assert sent <= set(allowed)


@every_route
def test_an_origin_that_is_not_named_is_told_nothing(
    function: str, method: str, path: str, client: Client
) -> None:
    for asked in ("OPTIONS", method):
        answer = client.ask(asked, path, headers={"Origin": "https://evil.example"})
        assert answer.header("Access-Control-Allow-Origin") is None


@every_route
def test_an_answer_may_be_read_by_an_origin_that_is_named(
    function: str, method: str, path: str, client: Client
) -> None:
    answer = client.ask(method, path, headers={"Origin": ORIGIN})
    assert answer.header("Access-Control-Allow-Origin") == ORIGIN
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert "x-request-id" in str(answer.header("Access-Control-Expose-Headers"))


@pytest.mark.parametrize("target", ["/customers", "/payments", "/payments/guest/a@example.com"])
def test_b5_every_query_parameter_at_fault_is_named(target: str, user: Client) -> None:
    answer = user.ask("GET", f"{BASE}{target}?limit=0&offset=-1&page=x")
    assert (answer.status, answer.json()["code"]) == (400, "validation_failed")
    assert {each["field"] for each in answer.json()["details"]} == {"limit", "offset", "page"}
    answer = user.ask("GET", f"{BASE}{target}?limit=1&limit=1&page=1&page=2")
    assert {each["field"] for each in answer.json()["details"]} == {"limit", "page"}


@pytest.mark.scale
@pytest.mark.parametrize("offset", [2**31, 10**15])
def test_an_organizations_offset_may_be_any_number(
    offset: int, environment: Environment, dynamodb_local: None
) -> None:
    """DynamoDB's own limits are 32-bit numbers, which moto does not mind."""
    session = Session(
        user_id="user_1",
        organizations={"org_1": "member"},
        expires_at=clock.now() + timedelta(hours=1),
    )
    session_items.put("session_of_user_1", session)
    member = Client(environment.gateway).acting(x_session_id="session_of_user_1")
    target = f"{BASE}/customers?organization_id=org_1&offset={offset}"
    assert member.ask("GET", target).json() == []


@pytest.mark.parametrize("target", ["/customers", "/payments", "/payments/guest/a@example.com"])
@pytest.mark.parametrize(
    "query",
    ["limit=501", "limit=1.0", "limit=%D9%A3", "limit=+1", "limit=", "offset=10001", "page=0"],
)
def test_a_number_out_of_range_is_a_400(target: str, query: str, user: Client) -> None:
    answer = user.ask("GET", f"{BASE}{target}?{query}")
    assert answer.status == 400
    assert [each["field"] for each in answer.json()["details"]] == [query.split("=")[0]]
