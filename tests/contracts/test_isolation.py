"""Every native route, called by everybody who may not use it.

Each call is refused as docs/api/native.md, section 2 says, and changes nothing. A record of others
is refused like an unknown one. Routes come from template.yaml; a function without a row fails.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from itertools import product

import pytest
from itsdangerous import URLSafeSerializer

from bridge import clock
from bridge.models.caller import Caller, Session
from bridge.store.access import session_items
from local.event import Answer
from local.stripe.simulator import StripeSimulator
from tests.conftest import Environment
from tests.contracts.records import Scan
from tests.contracts.shape import FUNCTIONS, ROUTES, Client, without_request_id

SignIn = Callable[[Caller], Client]
Unchanging = Callable[[], AbstractContextManager[None]]
Setting = Callable[[str, str], None]
BASE = "/bridge-payment"
GUEST = {"email": "guest@example.com", "name": "Guest"}
MONEY = {"total_cents": 2000, "currency": "USD"}
ORGANIZATION = {"organization_id": "org_456"}
CARD = {"payment_method_id": "pm_card_visa"}
TOKEN: dict[str, object] = {"token": "pm_card_visa"}
HOME: dict[str, object] = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}
STRANGER = Caller(user_id="user_789")
OUTSIDER = Caller(user_id="user_999", organizations={"org_999": "owner"})
MEMBER = Caller(user_id="user_111", organizations={"org_456": "member"})
CODES = {401: "authentication_required", 403: "forbidden", 404: "not_found"}


@dataclass(frozen=True)
class Row:
    """The status that a function returns, by caller, if the request itself is valid.

    `about`: the kind of record in the path. Creations and lists have none: they send organization
    org_456 in the columns `stranger` and `member`. `other_token`: with the guest token of another
    record. `own_token`: with the token of this record.
    """

    about: str
    anonymous: int
    stranger: int
    member: int
    other_token: int
    own_token: int
    body: object = None


#                                    about   anonymous stranger member other own
ROWS = {
    "NativeCreateCustomer": Row("creation", 401, 403, 403, 401, 401, {"provider_id": "stripe"}),
    "NativeGetCustomer": Row("customer", 401, 404, 200, 404, 200),
    "NativeListCustomers": Row("list", 401, 403, 200, 401, 401),
    "NativeUpdateCustomer": Row("customer", 401, 404, 403, 404, 401, {"name": "Mallory"}),
    "NativeDeleteCustomer": Row("customer", 401, 404, 403, 404, 401),
    "NativeCreatePaymentIntent": Row("creation", 401, 403, 403, 401, 401, MONEY),
    "NativeUpdatePaymentIntent": Row("payment", 401, 404, 403, 404, 401, {"total_cents": 1}),
    "NativeConfirmPayment": Row("payment", 401, 404, 403, 404, 200, CARD),
    "NativeCancelPayment": Row("payment", 401, 404, 403, 404, 200),
    "NativeCapturePayment": Row("payment", 401, 404, 403, 404, 401),
    "NativeRefundPayment": Row("payment", 401, 404, 403, 404, 401),
    "NativeListRefunds": Row("payment", 401, 404, 200, 404, 401),
    "NativeGetTimeline": Row("payment", 401, 404, 200, 404, 401),
    "NativeSyncPayment": Row("payment", 401, 404, 200, 404, 200),
    "NativeGetPayment": Row("payment", 401, 404, 200, 404, 200),
    "NativeListPayments": Row("list", 401, 403, 200, 401, 401),
    "NativeListGuestPayments": Row("guest", 200, 200, 200, 200, 200),
    "NativeCreatePaymentMethod": Row("creation", 401, 403, 403, 401, 401, TOKEN),
    "NativeGetPaymentMethod": Row("method", 401, 404, 200, 404, 404),
    "NativeListPaymentMethods": Row("list", 401, 403, 200, 401, 401),
    "NativeListCustomerPaymentMethods": Row("customer", 401, 404, 200, 401, 401),
    "NativeUpdatePaymentMethod": Row("method", 401, 404, 403, 404, 404, {"alias": "Mallory's"}),
    "NativeSetDefaultPaymentMethod": Row("method", 401, 404, 403, 404, 404),
    "NativeDeletePaymentMethod": Row("method", 401, 404, 403, 404, 404),
    "NativeCreateAddress": Row("creation", 401, 403, 403, 401, 401, HOME),
    "NativeGetAddress": Row("address", 401, 404, 200, 404, 404),
    "NativeListAddresses": Row("list", 401, 403, 200, 401, 401),
    "NativeUpdateAddress": Row("address", 401, 404, 403, 404, 404, {"city": "Mallory"}),
    "NativeDeleteAddress": Row("address", 401, 404, 403, 404, 404),
}
OWN = {"customer": "cust_123", "method": "pm_saved_card_123", "address": "addr_123"}
BAD: dict[str, tuple[dict[str, str], str]] = {
    "no such session": ({"X-Session-ID": "session_nobody"}, ""),
    "no such session, Bearer": ({"Authorization": "Bearer session_nobody"}, ""),
    "no such session, in the query": ({}, "session_id=session_nobody"),
    "an expired session": ({"X-Session-ID": "session_expired"}, ""),
    "empty Authorization": ({"Authorization": ""}, ""),
    "Bearer alone": ({"Authorization": "Bearer "}, ""),
    "empty X-Session-ID": ({"X-Session-ID": ""}, ""),
    "empty session_id": ({}, "session_id="),
    "empty X-Guest-Token": ({"X-Guest-Token": ""}, ""),
    "empty guest_token": ({}, "guest_token="),
    "Basic": ({"Authorization": "Basic c2Vzc2lvbl9hYmMxMjM6"}, ""),
    "another scheme": ({"Authorization": "Token session_abc123"}, ""),
    "no scheme": ({"Authorization": "session_abc123"}, ""),
    "bad before good": ({"Authorization": "Bearer no", "X-Session-ID": "session_abc123"}, ""),
    "bad before good in the query": ({"X-Session-ID": "no"}, "session_id=session_abc123"),
    "bad before a guest token": ({"X-Session-ID": "no", "X-Guest-Token": "~token~"}, ""),
    "a spoilt guest token": ({"X-Guest-Token": "~token~x"}, ""),
    "a guest token of another key": ({"X-Guest-Token": "~forged~"}, ""),
    "a guest token without a key": ({"X-Guest-Token": "k9.~token~"}, ""),
    "the word null as a guest token": ({}, "guest_token=null"),
}


@dataclass(frozen=True)
class Records:
    """The ids of records of user_456, in org_456 and outside it, and of two guests.

    `at_provider`: the same records as `own`, with the payment's id at the provider.
    """

    owner: Client
    own: dict[str, str]
    at_provider: dict[str, str]
    of_organization: dict[str, str]
    of_guest: dict[str, str]
    tokens: dict[str, str]
    other_tokens: list[str]


def made(client: Client, target: str, **body: object) -> dict[str, str]:
    """Create a record; its JSON."""
    answer = client.ask("POST", BASE + target, body)
    assert answer.status == 201, answer
    return answer.json()


@pytest.fixture
def records(client: Client, demo_data: StripeSimulator) -> Records:
    """The demo data, with more records of user_456 and of two guests."""
    owner = client.acting(x_session_id="session_abc123")
    payment = made(owner, "/payments/intents", **MONEY)
    shared = made(owner, "/payment-methods", **TOKEN, **ORGANIZATION)
    guests = [made(client, "/payments/intents", **MONEY, guest_data=GUEST) for _ in range(2)]
    customers = [
        made(client, "/customers", provider_id="stripe", guest_data=GUEST) for _ in range(2)
    ]
    return Records(
        owner=owner,
        own={"payment": payment["id"]} | OWN,
        at_provider={"payment": payment["provider_payment_id"]} | OWN,
        of_organization={
            "payment": made(owner, "/payments/intents", **MONEY, **ORGANIZATION)["id"],
            "customer": shared["customer_id"],
            "method": shared["id"],
            "address": made(owner, "/addresses", **HOME, **ORGANIZATION)["id"],
        },
        of_guest=OWN | {"payment": guests[0]["id"], "customer": customers[0]["id"]},
        tokens={
            "payment": guests[0]["guest_token"],
            **dict.fromkeys(("customer", "method", "address"), customers[0]["guest_token"]),
        },
        other_tokens=[guests[1]["guest_token"], customers[1]["guest_token"]],
    )


@pytest.fixture
def nothing_changes(scan: Scan, stripe_simulator: StripeSimulator) -> Unchanging:
    """Around requests that are refused: no item changes, and the provider is not called."""

    @contextmanager
    def around() -> Iterator[None]:
        before, asked = scan(), len(stripe_simulator.requests)
        yield
        assert scan() == before
        assert len(stripe_simulator.requests) == asked, "the provider was asked"

    return around


@dataclass(frozen=True)
class Endpoint:
    """One native route, which can be called for some records."""

    function: str
    method: str
    path: str

    @property
    def row(self) -> Row:
        return ROWS[self.function]

    @property
    def about(self) -> str:
        """The kind of record whose id is in the path, or whose guest token is used."""
        places = {"/customer": "customer", "/payment-methods": "method", "/addresses": "address"}
        return next((each for place, each in places.items() if place in self.path), "payment")

    def ask(
        self,
        client: Client,
        ids: dict[str, str],
        *,
        query: str = "",
        with_organization: bool = False,
    ) -> Answer:
        """Call it. `with_organization`: creations and lists send the organization's id."""
        body, identifier = self.row.body, ids.get(self.about, "")
        target = self.path.replace("{id}", identifier).replace("{email}", GUEST["email"])
        if with_organization and self.row.about == "list":
            query = "organization_id=org_456"
        if with_organization and self.row.about == "creation" and isinstance(body, dict):
            body = body | ORGANIZATION
        return client.ask(self.method, f"{target}?{query}" if query else target, body)

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix(BASE)}"


NATIVE = [Endpoint(*route) for route in ROUTES if route[0] in ROWS]
WEBHOOKS = [route for route in ROUTES if route[0].startswith("Webhooks")]
UNKNOWN = {
    "payment": "pay_01m7yyye67ebmrkvya11tamzx7",
    "customer": "cust_nobody",
    "method": "pm_nobody",
    "address": "addr_nobody",
}


def is_refusal(answer: Answer, status: int) -> bool:
    """Whether it was refused with this status and its code, and without field details."""
    result = answer.json() if answer.body else {}
    return (
        answer.status == status and result.get("code") == CODES[status] and "details" not in result
    )


def as_expected(answer: Answer, status: int) -> bool:
    """Whether the response has this status; a refusal must also have its code."""
    return is_refusal(answer, status) if status in CODES else answer.status == status


def test_every_native_function_has_a_row() -> None:
    native = {name for name in FUNCTIONS if name.startswith("Native")}
    assert native ^ ROWS.keys() == set()
    assert native == {endpoint.function for endpoint in NATIVE}


def test_b6_no_endpoint_is_open_without_a_credential(
    records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    with nothing_changes():
        for endpoint in NATIVE:
            for ids in (records.own, records.of_organization, records.of_guest, UNKNOWN):
                answer = endpoint.ask(client, ids)
                assert as_expected(answer, endpoint.row.anonymous), (str(endpoint), answer)


@pytest.mark.parametrize("name", BAD)
def test_b6_invalid_credential_returns_401_whatever_else_is_sent(
    name: str, records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    expired = Session(user_id="user_456", expires_at=clock.now() - timedelta(seconds=1))
    session_items.put("session_expired", expired)
    digest = {"digest_method": sha256}
    signer = URLSafeSerializer("another key", "guest-token", signer_kwargs=digest)
    forged = signer.dumps([records.of_guest["payment"], clock.seconds() + 60])
    headers, query = BAD[name]
    marks = {"~token~": records.tokens["payment"], "~forged~": f"k1.{forged}"}
    for mark, value in marks.items():
        headers = {header: text.replace(mark, value) for header, text in headers.items()}
    bad = replace(client, headers=headers)
    with nothing_changes():
        for endpoint in NATIVE:
            answer = endpoint.ask(bad, records.of_guest, query=query)
            result = (answer.status, answer.json()["code"])
            assert result == (401, "session_invalid"), (str(endpoint), answer)


def test_b6_guest_data_does_not_replace_an_invalid_credential(
    records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    body = MONEY | {"provider_id": "stripe", "guest_data": GUEST}
    with nothing_changes():
        for target in ("/customers", "/payments/intents"):
            answer = client.acting(x_session_id="no").ask("POST", BASE + target, body)
            assert (answer.status, answer.json()["code"]) == (401, "session_invalid")


def test_b7_revoked_session_is_refused_at_once(
    records: Records, environment: Environment, nothing_changes: Unchanging
) -> None:
    environment.gateway.functions.invoke(
        "OperationsRevokeSession", {"session_id": "session_abc123"}
    )
    with nothing_changes():
        for endpoint in NATIVE:
            answer = endpoint.ask(records.owner, records.own)
            result = (answer.status, answer.json()["code"])
            assert result == (401, "session_invalid"), (str(endpoint), answer)


@pytest.mark.parametrize("caller", [STRANGER, OUTSIDER], ids=["another user", "another's owner"])
def test_records_of_others_are_refused_like_unknown_records(
    caller: Caller, records: Records, sign_in: SignIn, nothing_changes: Unchanging
) -> None:
    stranger = sign_in(caller)
    theirs = [records.own, records.of_organization, records.of_guest, records.at_provider]
    with nothing_changes():
        for endpoint in NATIVE:
            not_there = endpoint.ask(stranger, UNKNOWN, with_organization=True)
            for ids in theirs:
                answer = endpoint.ask(stranger, ids, with_organization=True)
                assert as_expected(answer, endpoint.row.stranger), (str(endpoint), ids, answer)
                assert without_request_id(answer) == without_request_id(not_there), str(endpoint)


def test_b9_member_cannot_write_records_of_the_organization(
    records: Records, sign_in: SignIn, nothing_changes: Unchanging
) -> None:
    member = sign_in(MEMBER)
    with nothing_changes():
        for endpoint in NATIVE:
            if endpoint.row.member != 200:
                answer = endpoint.ask(member, records.of_organization, with_organization=True)
                assert is_refusal(answer, endpoint.row.member), (str(endpoint), answer)


def test_b9_member_reads_records_of_the_organization_without_client_secret(
    records: Records, sign_in: SignIn
) -> None:
    member = sign_in(MEMBER)
    for endpoint in NATIVE:
        if endpoint.row.member == 200:
            answer = endpoint.ask(member, records.of_organization, with_organization=True)
            assert answer.status == 200, (str(endpoint), answer)
            result = answer.json()
            if endpoint.row.about == "payment" and isinstance(result, dict):
                assert result["client_secret"] is None, "B15: only for the owner"


def test_b9_member_cannot_see_another_members_own_records(
    records: Records, sign_in: SignIn, nothing_changes: Unchanging
) -> None:
    member = sign_in(MEMBER)
    with nothing_changes():
        for endpoint in NATIVE:
            if endpoint.row.about in ("customer", "payment", "method", "address"):
                assert is_refusal(endpoint.ask(member, records.own), 404), str(endpoint)


@pytest.mark.parametrize("place", ["header", "query"])
def test_b8_guest_token_of_another_record_gives_no_access(
    place: str, records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    with nothing_changes():
        for token, endpoint in product(records.other_tokens, NATIVE):
            guest = client.acting(x_guest_token=token) if place == "header" else client
            query = "" if place == "header" else f"guest_token={token}"
            not_there = endpoint.ask(guest, UNKNOWN, query=query)
            for ids in (records.own, records.of_organization, records.of_guest):
                answer = endpoint.ask(guest, ids, query=query)
                assert as_expected(answer, endpoint.row.other_token), (str(endpoint), answer)
                assert without_request_id(answer) == without_request_id(not_there), str(endpoint)


def test_b8_own_guest_token_gives_no_access_to_endpoints_for_users(
    records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    with nothing_changes():
        for endpoint in NATIVE:
            if endpoint.row.own_token != 200:
                guest = client.acting(x_guest_token=records.tokens[endpoint.about])
                answer = endpoint.ask(guest, records.of_guest)
                assert is_refusal(answer, endpoint.row.own_token), (str(endpoint), answer)


def test_b8_own_guest_token_gives_access_to_its_record(records: Records, client: Client) -> None:
    for endpoint in NATIVE:
        if endpoint.row.own_token == 200:
            guest = client.acting(x_guest_token=records.tokens[endpoint.about])
            answer = endpoint.ask(guest, records.of_guest)
            paid = answer.status == 409 and endpoint.function == "NativeCancelPayment"
            assert answer.status == 200 or paid, (str(endpoint), answer)


def test_b8_guest_token_expires_after_30_days(
    records: Records, client: Client, later: Callable[[float], None], nothing_changes: Unchanging
) -> None:
    guest, month = client.acting(x_guest_token=records.tokens["payment"]), 30 * 24 * 3600
    later(month - 60)
    target = f"{BASE}/payments/{records.of_guest['payment']}"
    assert guest.ask("GET", target).status == 200
    later(60)
    with nothing_changes():
        for endpoint in NATIVE:
            answer = endpoint.ask(guest, records.of_guest)
            result = (answer.status, answer.json()["code"])
            assert result == (401, "session_invalid"), (str(endpoint), answer)


def test_webhook_needs_a_signature_and_no_credential_replaces_it(
    records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    everybody = [client, records.owner, client.acting(x_guest_token=records.tokens["payment"])]
    with nothing_changes():
        for endpoint, (_, method, path) in product(everybody, WEBHOOKS):
            for signature in ({}, {"Stripe-Signature": "t=4102444800,v1=00"}):
                answer = endpoint.ask(method, path, {"id": "evt_1"}, signature)
                assert (answer.status, answer.json()["code"]) == (400, "signature_invalid"), path


def test_list_contains_only_the_callers_own_records(records: Records, sign_in: SignIn) -> None:
    stranger = sign_in(STRANGER)
    for endpoint in NATIVE:
        if endpoint.row.about == "list":
            assert endpoint.ask(stranger, {}).json() == []
            assert endpoint.ask(records.owner, {}).json() != []


OTHERS: list[tuple[str, str, dict[str, object], int]] = [
    ("POST", "/payments/intents", MONEY | {"customer_id": "cust_123"}, 404),
    ("POST", "/payments/intents", MONEY | {"payment_method_id": "pm_saved_card_123"}, 404),
    ("POST", "/payments/intents", MONEY | {"organization_id": "org_456"}, 403),
    ("POST", "/customers", {"provider_id": "stripe", "organization_id": "org_456"}, 403),
    ("PUT", "/payments/intents/~mine~", {"payment_method_id": "pm_saved_card_123"}, 404),
    ("POST", "/payments/confirm/~mine~", {"payment_method_id": "pm_saved_card_123"}, 404),
    ("POST", "/payment-methods", TOKEN | {"customer_id": "cust_123"}, 404),
    ("POST", "/payment-methods", TOKEN | {"organization_id": "org_456"}, 403),
    ("POST", "/addresses", HOME | {"customer_id": "cust_123"}, 404),
    ("POST", "/addresses", HOME | {"organization_id": "org_456"}, 403),
    ("GET", "/payment-methods?customer_id=cust_123", {}, 404),
    ("GET", "/addresses?customer_id=cust_123", {}, 404),
    ("GET", "/payment-methods?organization_id=org_456", {}, 403),
    ("GET", "/addresses?organization_id=org_456", {}, 403),
    ("GET", "/payments?customer_id=cust_123", {}, 404),
    ("GET", "/payments?organization_id=org_456", {}, 403),
    ("GET", "/customers?organization_id=org_456", {}, 403),
]


@pytest.mark.parametrize(("method", "target", "body", "status"), OTHERS)
@pytest.mark.parametrize("is_guest", [False, True], ids=["user", "guest"])
def test_b18_ids_of_others_in_a_request_are_refused(
    method: str,
    target: str,
    body: dict[str, object],
    status: int,
    is_guest: bool,
    records: Records,
    client: Client,
    sign_in: SignIn,
    nothing_changes: Unchanging,
) -> None:
    endpoint = client if is_guest else sign_in(Caller(user_id="user_789", email="j@example.com"))
    guest_data = {"guest_data": GUEST} if is_guest else {}
    mine = made(endpoint, "/payments/intents", **MONEY, **guest_data)
    if is_guest and "~mine~" in target:
        endpoint = endpoint.acting(x_guest_token=mine["guest_token"])
    if is_guest and (method != "POST" or target in ("/payment-methods", "/addresses")):
        status = 401  # a guest token gives no access to lists and changes
    with nothing_changes():
        sent = body if "~mine~" in target else body | guest_data
        answer = endpoint.ask(method, BASE + target.replace("~mine~", mine["id"]), sent)
    assert is_refusal(answer, status), answer


def test_b10_guest_listing_with_setting_token_needs_a_token_of_the_address(
    records: Records, client: Client, setting: Setting, sign_in: SignIn
) -> None:
    setting("GUEST_LISTING", "token")
    target = f"{BASE}/payments/guest/{GUEST['email']}"
    other = made(
        client, "/payments/intents", **MONEY, guest_data=GUEST | {"email": "x@example.com"}
    )
    own = client.acting(x_guest_token=records.tokens["payment"])
    assert len(own.ask("GET", target).json()) == 2
    strangers = [
        client,
        client.acting(x_guest_token=other["guest_token"]),
        client.acting(x_guest_token=records.tokens["customer"]),
        sign_in(STRANGER),
    ]
    for stranger in strangers[:2]:
        assert is_refusal(stranger.ask("GET", target), 401)


def test_b10_guest_listing_with_setting_off_returns_404(
    records: Records, client: Client, setting: Setting
) -> None:
    setting("GUEST_LISTING", "off")
    target = f"{BASE}/payments/guest/{GUEST['email']}"
    for by in (client, records.owner, client.acting(x_guest_token=records.tokens["payment"])):
        assert is_refusal(by.ask("GET", target), 404)
