"""What holds for every route of the template, and for its aliases.

Source: docs/api/native.md, sections 1 and 6.
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
    MONRI_FIELDS,
    ROUTES,
    Client,
    is_alternative,
    is_monri,
    without_request_id,
)
from tests.response_fields import (
    ADDRESS_FIELDS,
    CUSTOMER_FIELDS,
    ENTRY_FIELDS,
    GUEST_LISTING_FIELDS,
    METHOD_FIELDS,
    PAYMENT_FIELDS,
    REFUND_FIELDS,
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
    """What a good request returns.

    `new` is added to the creation of the payment. `before` are calls on that payment before it.
    """

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
    "MonriCreateToken": Success(400, MONRI_ERROR),  # an empty body is invalid
    "MonriCreateCustomer": Success(200, MONRI_FIELDS, {"name": "Lejla"}),
    "MonriGetCustomer": Success(200, MONRI_FIELDS),
    "MonriGetCustomerByMerchantId": Success(200, MONRI_FIELDS),
    "MonriUpdateCustomer": Success(200, MONRI_FIELDS, {"name": "Lejla"}),
    "MonriDeleteCustomer": Success(200, {"status", "id", "uuid", "deleted"}),
    "MonriListCustomers": Success(200, {"status", "data"}),
    "MonriListPaymentMethods": Success(200, {"status", "data"}),
    "AlternativeCreateToken": Success(403, ALTERNATIVE_ERROR),  # an API key is not a client
    "AlternativeCreateCustomer": Success(201, alternative_shape.CUSTOMER, {"name": "Jane"}),
    "AlternativeGetCustomer": Success(200, alternative_shape.CUSTOMER),
    "AlternativeArchiveCustomer": Success(200, alternative_shape.CUSTOMER),
    "AlternativeListCustomers": Success(200, alternative_shape.PAGE),
    "AlternativeListPaymentMethods": Success(200, {"data"}),
    "AlternativeListCustomerUsers": Success(200, alternative_shape.PAGE),
    "AlternativeCreateCustomerUser": Success(201, alternative_shape.USER, {"phone": "1"}),
    "WebhooksStripe": Success(400, {"error", "code", "request_id"}),  # it has no signature
    "OperationsHealth": Success(200, {"status", "version"}),
    "OperationsUnmatched": Success(404, {"error", "code", "request_id"}),
}
KNOWN = [route for route in ROUTES if route[0] in SUCCESS]
NAMES = [f"{method} {path}" for _, method, path in KNOWN]
every_route = pytest.mark.parametrize(("function", "method", "path"), KNOWN, ids=NAMES)
NATIVE = [route for route in KNOWN if route[2].startswith(BASE)]
every_native_route = pytest.mark.parametrize(
    ("function", "method", "path"), NATIVE, ids=[f"{method} {path}" for _, method, path in NATIVE]
)
WITH_BODY = [route for route in NATIVE if SUCCESS[route[0]].body]
every_body = pytest.mark.parametrize(
    ("function", "method", "path"), WITH_BODY, ids=[f"{way[1]} {way[2]}" for way in WITH_BODY]
)


def test_every_http_function_is_in_the_table() -> None:
    found = {name for name, _, _ in ROUTES} | {"OperationsUnmatched"}
    assert found ^ SUCCESS.keys() == set()


@pytest.fixture
def user(sign_in: Callable[[Caller], Client]) -> Client:
    return sign_in(Caller(user_id="user_1", email="user@example.com"))


@pytest.fixture
def merchant(client: Client) -> Client:
    """A client with an access token of Monri."""
    put_credential("merchant", "merchant-1", "key-1")
    token = merchants.issue_token("merchant-1", "key-1", []).token
    return client.acting(authorization=f"Bearer {token}")


@pytest.fixture
def key_client(client: Client) -> Client:
    """A client with the API key of an organization."""
    put_credential("api_key", "a-key")
    return client.acting(authorization="a-key")


@pytest.fixture
def caller(function: str, user: Client, merchant: Client, key_client: Client) -> Client:
    """The client that may call the function."""
    if function.startswith("Monri"):
        return merchant
    return key_client if function.startswith("Alternative") else user


@pytest.fixture
def target(caller: Client, client: Client, user: Client, function: str, path: str) -> str:
    """The path of the route, for a record of its caller."""
    success = SUCCESS[function]
    if is_monri(path):
        made = caller.ask("POST", "/v2/customers", {"merchant_customer_id": "crm-1"}).json()
        return path.replace("{uuid}", made["uuid"]).replace("{merchant_customer_id+}", "crm-1")
    if is_alternative(path):
        return path.replace("{id}", caller.ask("POST", "/customers", {}).json()["id"])
    if "{email}" in path:
        guest = {"guest_data": {"email": GUEST, "name": "Guest"}}
        client.ask("POST", f"{BASE}/payments/intents", MONEY | guest)
    method = user.ask("POST", f"{BASE}/payment-methods", TOKEN)
    if "/customer/" in path:
        made = user.ask("GET", f"{BASE}/customers/{method.json()['customer_id']}")
    elif "/customers" in path:
        made = user.ask("POST", f"{BASE}/customers", {"provider_id": "stripe"})
    elif "/payment-methods" in path:
        made = method
    elif "/addresses" in path:
        made = user.ask("POST", f"{BASE}/addresses", HOME)
    else:
        made = user.ask("POST", f"{BASE}/payments/intents", MONEY | success.new)
    for tail, body in success.before:
        user.ask("POST", f"{BASE}/payments" + tail.format(id=made.json()["id"]), body)
    return path.replace("{id}", made.json()["id"]).replace("{email}", GUEST)


@every_route
def test_route_returns_its_documented_status_and_fields(
    function: str, method: str, target: str, caller: Client
) -> None:
    success = SUCCESS[function]
    answer = caller.ask(method, target, success.body)
    assert answer.status == success.status, answer
    body = answer.json() if answer.body else {}
    for each in body if isinstance(body, list) else [body]:
        assert success.fields <= each.keys()
        if function == "NativeListGuestPayments":
            assert each.keys() == GUEST_LISTING_FIELDS
    if isinstance(body, list):
        assert body, "an empty list proves nothing"


@every_route
@pytest.mark.parametrize("given", ["abc-1_2.3", "x" * 128])
def test_request_id_is_returned(
    function: str, method: str, path: str, given: str, client: Client
) -> None:
    answer = client.ask(method, path.replace("{", "").replace("}", ""), headers=ids(given))
    assert answer.header("X-Request-ID") == given


def ids(given: str) -> dict[str, str]:
    """The header with a request id."""
    return {"X-Request-ID": given}


@every_route
@pytest.mark.parametrize("given", ["", "x" * 129, "two words", "a,b", "é", "x\ty"])
def test_request_id_that_is_unsafe_for_logs_is_replaced(
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
def test_b3_body_over_256_kib_returns_413_on_every_route(
    function: str, method: str, target: str, user: Client
) -> None:
    answer = user.ask(method, target, b" " * (256 * 1024 + 1))
    assert (answer.status, answer.json()["code"]) == (413, "body_too_large")
    if method in ("GET", "DELETE"):
        success = SUCCESS[function].status
        assert user.ask(method, target, b" " * (256 * 1024)).status == success


def padded(body: object, size: int) -> bytes:
    """The body with an unknown field that is so long that the whole has this size."""
    text = json.dumps(body)[:-1] + ', "unknown": "'
    return (text + "x" * (size - len(text) - 2) + '"}').encode()


def extended(body: object, more: str) -> bytes:
    """The body with more fields."""
    return (json.dumps(body)[:-1] + f", {more}}}").encode()


@every_body
def test_b3_body_at_the_limits_is_accepted(
    function: str, method: str, target: str, user: Client
) -> None:
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
        # 409: an earlier body has already captured the payment, for example.
        assert answer.status in (status, 409), (fits[:100], answer)


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
def test_b3_malformed_body_returns_invalid_json(
    function: str, method: str, target: str, user: Client
) -> None:
    for name, body in MALFORMED.items():
        answer = user.ask(method, target, body)
        assert (answer.status, answer.json()["code"]) == (400, "invalid_json"), (name, answer)


@every_body
def test_b3_empty_body_returns_invalid_json_unless_the_body_is_optional(
    function: str, method: str, target: str, user: Client
) -> None:
    for empty in (b"", b" \n"):
        answer = user.ask(method, target, empty)
        if function == "NativeConfirmPayment":  # without a body, only the payment method is missing
            assert (answer.status, answer.json()["code"]) == (400, "payment_method_required")
        elif function in ("NativeCapturePayment", "NativeRefundPayment"):
            assert answer.status in (SUCCESS[function].status, 409)
        else:
            assert (answer.status, answer.json()["code"]) == (400, "invalid_json")


def test_b3_sync_and_confirm_need_no_body(jane: Client) -> None:
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
def test_body_is_read_whatever_its_content_type(
    function: str, method: str, target: str, kind: str | None, user: Client
) -> None:
    success = SUCCESS[function]
    answer = user.ask(method, target, success.body, {"Content-Type": kind or ""})
    assert answer.status == success.status, answer
    assert success.fields <= answer.json().keys()


def filled(path: str) -> str:
    """The path with some id in place of each variable."""
    return re.sub(r"{[^}]*}", "cust_1", path.replace("{email}", "a@example.com"))


def with_stray_slashes(path: str, *, greedy: bool) -> dict[str, str]:
    """The path with stray slashes at several places.

    `greedy`: what is at the end belongs to the last variable, so slashes there are not stray.
    """
    middle = path.index("/", 1) if "/" in path[1:] else len(path)
    at_the_end = {"one at the end": f"{path}/", "many at the end": f"{path}///"}
    return ({} if greedy else at_the_end) | {
        "doubled at the start": f"/{path}",
        "doubled inside": f"{path[:middle]}/{path[middle:]}" if middle < len(path) else f"//{path}",
    }


@every_route
def test_stray_slash_redirects_308_to_the_clean_path_with_its_query(
    function: str, method: str, path: str, client: Client
) -> None:
    clean = filled(path)
    location = clean.replace("@", "%40")
    for name, given in with_stray_slashes(clean, greedy="+}" in path).items():
        answer = client.ask(method, f"{given}?limit=1&x=%2F/")
        assert answer.status == 308, name
        assert answer.header("Location") == f"{location}?limit=1&x=%2F/", name
        assert client.ask(method, given).header("Location") == location, name


@every_route
def test_other_method_returns_404_like_an_unknown_path(
    function: str, method: str, path: str, user: Client
) -> None:
    taken = {way for _, way, other in ROUTES if other == path}
    nowhere = "/v2/nowhere" if is_monri(path) else "/nowhere"
    unknown = user.ask("GET", "/oauth/nowhere" if is_alternative(path) else nowhere)
    for other in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - taken:
        if (other, path) in {("GET", f"{BASE}/payments/intents")}:
            continue  # that is GET /payments/{id} with an unknown id
        answer = user.ask(other, filled(path))
        assert without_request_id(answer) == without_request_id(unknown), other
    assert unknown.status == 404
    keys = MONRI_ERROR if is_monri(path) else {"error", "code", "request_id"}
    keys = ALTERNATIVE_ERROR if is_alternative(path) else keys
    assert unknown.json().keys() == keys


def test_unknown_path_and_unknown_record_return_the_same_404(user: Client) -> None:
    answers = [
        user.ask("GET", target)
        for target in ("/nowhere", f"{BASE}/customers/cust_nobody", f"{BASE}/payments/pay_nobody")
    ]
    assert {answer.status for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"not_found"}


def test_aliases_are_second_routes_of_the_same_functions() -> None:
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
def test_alias_returns_the_same_as_its_original(
    method: str, path: str, alias_method: str, alias: str, body: object, user: Client
) -> None:
    """For two equal payments, by both ids, and for an unknown one."""
    answers = []
    for way, pattern in ((method, path), (alias_method, alias)):
        made = user.ask("POST", f"{BASE}/payments/intents", MONEY).json()
        identifiers = (made["id"], made["provider_payment_id"], "pay_nobody")
        targets = [BASE + pattern.replace("{id}", each) for each in identifiers]
        answers += [user.ask(way, target, body) for target in targets]
    for original, other in zip(answers[:3], answers[3:], strict=True):
        assert original.status == other.status
        assert comparable(original) == comparable(other)


def comparable(answer: Answer) -> dict[str, Any]:
    """The body without what differs between two equal payments."""
    own = {"id", "provider_payment_id", "client_secret", "request_id"}
    body = {name: value for name, value in answer.json().items() if name not in own}
    return {name: "a time" if name.endswith("_at") and at else at for name, at in body.items()}


ORIGIN = "http://localhost:3000"


@every_route
def test_options_from_an_allowed_origin_returns_the_allowed_methods_and_headers(
    function: str, method: str, path: str, client: Client
) -> None:
    preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
    answer = client.ask("OPTIONS", path, headers=preflight)
    assert answer.status == 204
    assert answer.header("Access-Control-Allow-Origin") == ORIGIN
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert method in str(answer.header("Access-Control-Allow-Methods")).split(",")
    allowed = str(answer.header("Access-Control-Allow-Headers")).split(",")
    sent = {"authorization", "content-type", "idempotency-key", "x-session-id", "x-guest-token"}
    assert sent <= set(allowed)


@every_route
def test_other_origin_gets_no_cors_headers(
    function: str, method: str, path: str, client: Client
) -> None:
    for verb in ("OPTIONS", method):
        answer = client.ask(verb, path, headers={"Origin": "https://evil.example"})
        assert answer.header("Access-Control-Allow-Origin") is None


@every_route
def test_response_to_an_allowed_origin_has_cors_headers(
    function: str, method: str, path: str, client: Client
) -> None:
    answer = client.ask(method, path, headers={"Origin": ORIGIN})
    assert answer.header("Access-Control-Allow-Origin") == ORIGIN
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert "x-request-id" in str(answer.header("Access-Control-Expose-Headers"))


@pytest.mark.parametrize("target", ["/customers", "/payments", "/payments/guest/a@example.com"])
def test_b5_every_wrong_query_parameter_is_reported(target: str, user: Client) -> None:
    answer = user.ask("GET", f"{BASE}{target}?limit=0&offset=-1&page=x")
    assert (answer.status, answer.json()["code"]) == (400, "validation_failed")
    assert {each["field"] for each in answer.json()["details"]} == {"limit", "offset", "page"}
    answer = user.ask("GET", f"{BASE}{target}?limit=1&limit=1&page=1&page=2")
    assert {each["field"] for each in answer.json()["details"]} == {"limit", "page"}


@pytest.mark.scale
@pytest.mark.parametrize("offset", [2**31, 10**15])
def test_offset_of_an_organizations_list_may_be_any_number(
    offset: int, environment: Environment, dynamodb_local: None
) -> None:
    """DynamoDB limits numbers to 32 bits; moto does not."""
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
def test_number_out_of_range_returns_400(target: str, query: str, user: Client) -> None:
    answer = user.ask("GET", f"{BASE}{target}?{query}")
    assert answer.status == 400
    assert [each["field"] for each in answer.json()["details"]] == [query.split("=")[0]]
