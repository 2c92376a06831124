"""Every route of the payments.ai API: the shape of its responses to random requests, and isolation.

Routes come from template.yaml. Fixed examples in `make test`, new ones in `make fuzz`.
Source: docs/api/payments-ai.md, section 1.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings, strategies as st

from bridge.authentication import merchants, oauth_clients
from bridge.models.caller import Caller
from tests.conftest import Environment
from tests.contracts.records import Scan
from tests.contracts.shape import EVERY_ROUTE, Client, without_request_id
from tests.contracts.strategies import HOSTILE, JUNK, SEGMENT, WIRE
from tests.store.conftest import put_credential

ROUTES = [each for each in EVERY_ROUTE if each[0].startswith("PaymentsAi")]
PATHS = [f"{method} {path}" for _, method, path in ROUTES]
BASE = "/v1/public-api/organizations"
KEY, STRANGE_KEY = "acct_1_key_id", "acct_2_key_id"
UNKNOWN = "cus_01kjpx8se0eassyq0akmxqwk11"
FIELD = {"name": "size", "resource": "customers", "description": ""}
CUSTOMER: dict[str, object] = {
    "firstName": "Nadia",
    "lastName": "Okoro",
    "email": "nadia@shop.test",
    "phoneNumber": "0131",
    "language": "fr",
    "address": {"country": "GB", "address1": "4 Quay Rd"},
    "primaryAddress": {"emails": [{"value": "n@shop.test"}], "firstName": "N", "country": "GB"},
    "metadata": {"tier": "gold"},
    "customFields": {"size": "L"},
    "defaultPaymentInstrumentId": None,
}
SCHEMA: dict[str, object] = {
    "type": "string",
    "additionalSchema": {"default": "L", "pattern": "[A-Z]+", "allowedValues": ["L"]},
}
BODIES: dict[str, dict[str, object]] = {
    "PaymentsAiCreateCustomer": CUSTOMER,
    "PaymentsAiUpdateCustomer": CUSTOMER | {"id": "~customer~"},
    "PaymentsAiCreatePaymentInstrument": {"token": "pm_card_visa"},
    "PaymentsAiCreateCustomField": FIELD | {"typeSchema": SCHEMA},
    "PaymentsAiUpdateCustomField": SCHEMA | {"description": "d"},
}
"""By function: a valid body, whose fields are then broken."""

every_route = pytest.mark.parametrize(("function", "method", "path"), ROUTES, ids=PATHS)


@dataclass(frozen=True)
class Records:
    """The records of two organizations, and clients with their keys."""

    own: Client
    stranger: Client
    names: dict[str, str]
    strange_names: dict[str, str]


@pytest.fixture
def records(client: Client) -> Records:
    """Two organizations, each with a custom field, a customer and an instrument."""
    put_credential("api_key", KEY, organization_id="org_1")
    put_credential("api_key", STRANGE_KEY, organization_id="org_2")
    made: list[tuple[Client, dict[str, str]]] = []
    for key, organization in ((KEY, "org_1"), (STRANGE_KEY, "org_2")):
        shop = replace(client, headers={"Authorization": f"ApiKey {key}"})
        field = FIELD | {"typeSchema": {"type": "string"}}
        assert shop.ask("POST", f"{BASE}/{organization}/custom-fields", field).status == 201
        customer = shop.ask("POST", f"{BASE}/{organization}/customers", {}).json()["id"]
        target = f"{BASE}/{organization}/customers/{customer}/payment-instruments"
        token = {"token": "pm_card_visa"}
        names = {"organization_id": organization, "id": customer} | KEY_OF_FIELD
        names["instrument_id"] = shop.ask("POST", target, token).json()["id"]
        made.append((shop, names))
    return Records(made[0][0], made[1][0], made[0][1], made[1][1])


KEY_OF_FIELD = {"resource": "customers", "name": "size"}


def filled(path: str, names: Mapping[str, str]) -> str:
    """The path with values in place of its parameters."""
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", quote(value, safe="%"))
    return path


def body_of(function: str, names: Mapping[str, str]) -> object:
    """The valid body of a function."""
    body = BODIES.get(function)
    return body and json.loads(json.dumps(body).replace("~customer~", names["id"]))


def test_every_function_with_a_body_has_one_here() -> None:
    """Its fields are broken in the test below."""
    writing = {name for name, method, _ in ROUTES if method in ("POST", "PUT", "PATCH")}
    assert writing == BODIES.keys()


@every_route
def test_valid_request_succeeds(function: str, method: str, path: str, records: Records) -> None:
    target = filled(path, records.names)
    answer = records.own.ask(method, target, body_of(function, records.names))
    assert answer.status < 300, answer


PARAMETERS = ["limit", "offset", "search", "q", "sort", "resource", "expand", "targetCustomerId"]
VALUES = st.sampled_from(
    ["", "0", "1", "1000", "1001", "-1", "1e3", "٣", "9" * 400, "%ff", "%00", "createdTime", "size"]
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Authorization": st.sampled_from(["ApiKey wrong", "ApiKey", "Bearer x", ""]) | WIRE,
        "REB-APIKEY": st.sampled_from([KEY, STRANGE_KEY]) | WIRE,
        "Idempotency-Key": st.sampled_from(["k", "", "x" * 101, "two words"]) | WIRE,
        "Content-Type": st.sampled_from(["", "text/plain", "image/png", "nonsense"]),
    },
)
BROKEN_NAMES = {
    "id": UNKNOWN,
    "instrument_id": UNKNOWN.replace("cus", "pm"),
    "name": "none",
    "resource": "plans",
    "organization_id": "org_2",
}


@st.composite
def requests(draw: st.DrawFn, function: str) -> tuple[dict[str, str], str, Mapping[str, str], Any]:
    """Path parameters, query, headers and body. At most two of them are odd."""
    odd = draw(st.lists(st.sampled_from(["path", "query", "headers", "body"]), max_size=2))
    names, query, good = {}, "", BODIES.get(function)
    body: object = good
    if "path" in odd:
        names = draw(st.dictionaries(st.sampled_from(sorted(BROKEN_NAMES)), SEGMENT, max_size=1))
        names = names or dict([draw(st.sampled_from(sorted(BROKEN_NAMES.items())))])
    if "query" in odd:
        pairs = st.tuples(st.sampled_from(PARAMETERS) | SEGMENT, VALUES | SEGMENT).map("=".join)
        query = "?" + "&".join(draw(st.lists(pairs, min_size=1, max_size=3)))
    headers = draw(HEADERS) if "headers" in odd else {}
    if "body" in odd:
        places = st.sampled_from(sorted(good or CUSTOMER)) | st.text(max_size=5)
        broken = st.dictionaries(places, JUNK, min_size=1, max_size=3)
        body = draw(broken.map(lambda each: (good or {}) | each) | st.sampled_from(HOSTILE))
    return names, query, headers, body


def written(body: object) -> bytes:
    """The bytes of a body."""
    if body is None or isinstance(body, bytes):
        return body or b""
    return json.dumps(body).encode("utf-8", "surrogatepass")


@every_route
def test_any_request_gets_the_documented_shape(
    function: str, method: str, path: str, records: Records
) -> None:
    customers = f"{BASE}/org_1/customers"

    @settings(max_examples=settings().max_examples // (1 if path.count("{") > 1 else 2))
    @given(requests(function))
    def holds(request: tuple[dict[str, str], str, Mapping[str, str], Any]) -> None:
        names, query, headers, body = request
        known = records.names
        if method == "DELETE":  # the next request must not find what this one deleted
            known = known | {"id": records.own.ask("POST", customers, {}).json()["id"]}
        sent = written(body).replace(b"~customer~", known["id"].encode())
        by = replace(records.own, headers={**records.own.headers, **headers})
        by.ask(method, filled(path, known | names) + query, sent)

    holds()
    assert records.stranger.ask("GET", f"{BASE}/org_2/customers").json()[0]["revision"] == 2


CREDENTIALS: list[dict[str, str]] = [
    {},
    {"Authorization": ""},
    {"Authorization": KEY},
    {"Authorization": f"Bearer {KEY}"},
    {"Authorization": f"ApiKey {KEY}_"},
    {"Authorization": f"Bearer {KEY}", "REB-APIKEY": KEY},
    {"REB-APIKEY": f"{KEY} x"},
    {"X-Session-ID": KEY},
]


@pytest.mark.parametrize("headers", CREDENTIALS)
def test_invalid_key_returns_401_on_every_route_and_changes_nothing(
    headers: dict[str, str], records: Records, scan: Scan
) -> None:
    before, anonymous = scan(), replace(records.own, headers=headers)
    for _, method, path in ROUTES:
        assert anonymous.ask(method, filled(path, records.names), b"{").status == 401, path
    assert scan() == before


def test_key_of_another_organization_returns_the_same_403_on_every_route(
    records: Records, scan: Scan
) -> None:
    before = scan()
    for function, method, path in ROUTES:
        not_there = filled(path, records.names | {"id": UNKNOWN, "name": "none"})
        answers = [
            records.stranger.ask(method, target, body)
            for target in (filled(path, records.names), not_there)
            for body in (body_of(function, records.names), b"{")
        ]
        assert {answer.status for answer in answers} == {403}, path
        assert len({answer.body for answer in answers}) == 1, path
    assert scan() == before


def test_records_of_another_organization_are_refused_like_unknown_records(
    records: Records, scan: Scan
) -> None:
    before = scan()
    for function, method, path in ROUTES:
        for name in ("id", "instrument_id"):
            if f"{{{name}}}" not in path:
                continue
            of_another = records.names | {name: records.strange_names[name]}
            unknown = records.names | {name: BROKEN_NAMES[name]}
            answers = [
                records.own.ask(method, filled(path, names), body_of(function, names))
                for names in (of_another, unknown)
            ]
            assert {each.status for each in answers} == {404}, path
            assert without_request_id(answers[0]) == without_request_id(answers[1])
    assert scan() == before


def test_credentials_of_the_other_apis_are_refused(
    records: Records, sign_in: Callable[[Caller], Client], scan: Scan
) -> None:
    put_credential("merchant", "a-merchant", "a-key", organization_id="org_1")
    put_credential("oauth_client", "a-client", "a-secret", organization_id="org_1")
    basic = "Basic YS1jbGllbnQ6YS1zZWNyZXQ="
    tokens = [
        merchants.issue_token("a-merchant", "a-key", []).token,
        oauth_clients.issue_token(basic).token,
    ]
    session = sign_in(Caller(user_id="user_1", organizations={"org_1": "owner"})).headers
    words = [session["x-session-id"], *tokens, "a-key", "a-secret"]
    given = [f"{scheme} {each}" for scheme in ("ApiKey", "Bearer") for each in words]
    others = [dict(session), *({"Authorization": each} for each in [*given, *words, basic])]
    before = scan()
    for headers in others:
        other = replace(records.own, headers=headers)
        for function, method, path in ROUTES:
            body = body_of(function, records.names)
            answer = other.ask(method, filled(path, records.names), body)
            assert answer.status == 401, (path, headers)
    assert scan() == before


def test_revoked_key_is_refused_on_every_route(environment: Environment, records: Records) -> None:
    organization = {"organization_id": "org_1"}
    invoke = environment.gateway.functions.invoke
    made = invoke("OperationsCreateCredential", organization | {"kind": "api_key"})
    shop = replace(records.own, headers={"Authorization": f"ApiKey {made['to_send']['api_key']}"})
    assert shop.ask("GET", f"{BASE}/org_1/customers").status == 200
    revoked = organization | {"credential_id": made["credential"]["id"]}
    assert invoke("OperationsRevokeCredential", revoked)["ok"]
    for _, method, path in ROUTES:
        assert shop.ask(method, filled(path, records.names)).status == 401
    assert records.own.ask("GET", f"{BASE}/org_1/customers").status == 200


@every_route
def test_stray_slash_redirects_308_to_the_clean_path(
    function: str, method: str, path: str, records: Records
) -> None:
    clean = filled(path.rstrip("/"), records.names)
    strays = [f"{clean}//", f"/{clean}", clean.replace("/org_1", "//org_1")]
    strays += [] if function == "PaymentsAiCreateCustomer" else [f"{clean}/"]
    for stray in strays:
        answer = records.own.ask(method, f"{stray}?limit=1&x=%2F/")
        assert answer.status == 308, stray
        assert answer.header("Location") == f"{clean}?limit=1&x=%2F/", stray


@every_route
def test_other_method_returns_404(function: str, method: str, path: str, records: Records) -> None:
    if path.endswith("/"):
        return  # the SDK's form of a creation: for any other method the slash is a stray one
    taken = {way for _, way, other in ROUTES if other == path}
    for other in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - taken:
        answer = records.own.ask(other, filled(path, records.names))
        assert answer.status == 404, other


ORIGIN = "http://localhost:3000"


@every_route
def test_browser_of_an_allowed_origin_may_send_and_read_the_documented_headers(
    function: str, method: str, path: str, client: Client
) -> None:
    preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
    answer = client.ask("OPTIONS", path, headers=preflight)
    assert method in str(answer.header("Access-Control-Allow-Methods")).split(",")
    allowed = set(str(answer.header("Access-Control-Allow-Headers")).split(","))
    assert {"authorization", "reb-apikey", "idempotency-key", "content-type"} <= allowed
    read = client.gateway.call(method, path, {"Origin": ORIGIN})
    exposed = set(str(read.header("Access-Control-Expose-Headers")).split(","))
    assert {"location", "pagination-total", "pagination-limit", "pagination-offset"} <= exposed
