"""Every native route against everybody who may not: refused as bridge.md section 2 says, nothing
changed, and what is not yours looks like what is not there.

Generated from template.yaml; a function that ROWS does not name fails.
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
from local import demo
from local.event import Answer
from local.flowless import Flowless
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
    """What a function answers to whom, where the request itself is good.

    `about`: what it needs; a creation or a list names the organization org_456 instead, unless it
    is nobody's. `other_token`: the guest token of another record, `own_token` of this very one.
    """

    about: str
    nobody: int
    stranger: int
    member: int
    other_token: int
    own_token: int
    body: object = None


#                                    about      nobody stranger member other own
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
    """Ids of what user_456 has, in org_456 and outside it, and of what two guests have.

    `at_provider`: the user's own payment by its provider's id.
    """

    owner: Client
    own: dict[str, str]
    at_provider: dict[str, str]
    of_organization: dict[str, str]
    of_guest: dict[str, str]
    tokens: dict[str, str]
    other_tokens: list[str]


def made(client: Client, target: str, **body: object) -> dict[str, str]:
    answer = client.ask("POST", BASE + target, body)
    assert answer.status == 201, answer
    return answer.json()


@pytest.fixture
def records(client: Client, stripe_simulator: StripeSimulator, flowless: Flowless) -> Records:
    demo.seed(stripe_simulator, flowless)
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
    """Around a request that is refused: the tables are as before, and nobody was asked."""

    @contextmanager
    def around() -> Iterator[None]:
        before, asked = scan(), len(stripe_simulator.requests)
        yield
        assert scan() == before
        assert len(stripe_simulator.requests) == asked, "the provider was asked"

    return around


@dataclass(frozen=True)
class Asking:
    """One native route, ready to be asked about some records."""

    function: str
    method: str
    path: str

    @property
    def row(self) -> Row:
        return ROWS[self.function]

    @property
    def about(self) -> str:
        """Whose id is in the path, or whose guest token is tried."""
        places = {"/customer": "customer", "/payment-methods": "method", "/addresses": "address"}
        return next((each for place, each in places.items() if place in self.path), "payment")

    def ask(
        self, client: Client, ids: dict[str, str], *, query: str = "", named: bool = False
    ) -> Answer:
        """`named`: a creation and a list name the organization."""
        body, identifier = self.row.body, ids.get(self.about, "")
        target = self.path.replace("{id}", identifier).replace("{email}", GUEST["email"])
        if named and self.row.about == "list":
            query = "organization_id=org_456"
        if named and self.row.about == "creation" and isinstance(body, dict):
            body = body | ORGANIZATION
        return client.ask(self.method, f"{target}?{query}" if query else target, body)

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix(BASE)}"


NATIVE = [Asking(*route) for route in ROUTES if route[0].startswith("Native")]
WEBHOOKS = [route for route in ROUTES if route[0].startswith("Webhooks")]
UNKNOWN = {
    "payment": "pay_01m7yyye67ebmrkvya11tamzx7",
    "customer": "cust_nobody",
    "method": "pm_nobody",
    "address": "addr_nobody",
}


def is_refusal(answer: Answer, status: int) -> bool:
    """Refused so, in the words of that status, and blaming no field."""
    told = answer.json() if answer.body else {}
    return answer.status == status and told.get("code") == CODES[status] and "details" not in told


def as_expected(answer: Answer, status: int) -> bool:
    return is_refusal(answer, status) if status in CODES else answer.status == status


def test_every_native_function_is_in_the_table() -> None:
    native = {name for name in FUNCTIONS if name.startswith("Native")}
    assert native == ROWS.keys()
    assert native == {asking.function for asking in NATIVE}


def test_b6_nobody_is_let_in_without_a_credential(
    records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    with nothing_changes():
        for asking in NATIVE:
            for ids in (records.own, records.of_organization, records.of_guest, UNKNOWN):
                answer = asking.ask(client, ids)
                assert as_expected(answer, asking.row.nobody), (str(asking), answer)


@pytest.mark.parametrize("name", BAD)
def test_b6_a_credential_that_does_not_validate_is_a_401_whatever_else_comes_with_it(
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
        for asking in NATIVE:
            answer = asking.ask(bad, records.of_guest, query=query)
            told = (answer.status, answer.json()["code"])
            assert told == (401, "session_invalid"), (str(asking), answer)


def test_b6_guest_data_does_not_stand_in_for_a_bad_credential(
    records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    body = MONEY | {"provider_id": "stripe", "guest_data": GUEST}
    with nothing_changes():
        for target in ("/customers", "/payments/intents"):
            answer = client.acting(x_session_id="no").ask("POST", BASE + target, body)
            assert (answer.status, answer.json()["code"]) == (401, "session_invalid")


def test_b7_a_revoked_session_is_refused_at_once(
    records: Records, environment: Environment, nothing_changes: Unchanging
) -> None:
    environment.gateway.functions.invoke(
        "OperationsRevokeSession", {"session_id": "session_abc123"}
    )
    with nothing_changes():
        for asking in NATIVE:
            answer = asking.ask(records.owner, records.own)
            told = (answer.status, answer.json()["code"])
            assert told == (401, "session_invalid"), (str(asking), answer)


@pytest.mark.parametrize("caller", [STRANGER, OUTSIDER], ids=["another user", "another's owner"])
def test_what_is_not_yours_is_refused_and_looks_like_what_is_not_there(
    caller: Caller, records: Records, sign_in: SignIn, nothing_changes: Unchanging
) -> None:
    stranger = sign_in(caller)
    theirs = [records.own, records.of_organization, records.of_guest, records.at_provider]
    with nothing_changes():
        for asking in NATIVE:
            not_there = asking.ask(stranger, UNKNOWN, named=True)
            for ids in theirs:
                answer = asking.ask(stranger, ids, named=True)
                assert as_expected(answer, asking.row.stranger), (str(asking), ids, answer)
                assert without_request_id(answer) == without_request_id(not_there), str(asking)


def test_b9_a_member_writes_nothing_that_the_organization_has(
    records: Records, sign_in: SignIn, nothing_changes: Unchanging
) -> None:
    member = sign_in(MEMBER)
    with nothing_changes():
        for asking in NATIVE:
            if asking.row.member != 200:
                answer = asking.ask(member, records.of_organization, named=True)
                assert is_refusal(answer, asking.row.member), (str(asking), answer)


def test_b9_a_member_reads_what_the_organization_has_but_no_client_secret(
    records: Records, sign_in: SignIn
) -> None:
    member = sign_in(MEMBER)
    for asking in NATIVE:
        if asking.row.member == 200:
            answer = asking.ask(member, records.of_organization, named=True)
            assert answer.status == 200, (str(asking), answer)
            told = answer.json()
            if asking.row.about == "payment" and isinstance(told, dict):
                assert told["client_secret"] is None, "B15: the owner's alone"


def test_b9_a_member_does_not_see_what_another_member_has_outside_the_organization(
    records: Records, sign_in: SignIn, nothing_changes: Unchanging
) -> None:
    member = sign_in(MEMBER)
    with nothing_changes():
        for asking in NATIVE:
            if asking.row.about in ("customer", "payment", "method", "address"):
                assert is_refusal(asking.ask(member, records.own), 404), str(asking)


@pytest.mark.parametrize("place", ["header", "query"])
def test_b8_the_guest_token_of_another_record_opens_nothing(
    place: str, records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    with nothing_changes():
        for token, asking in product(records.other_tokens, NATIVE):
            guest = client.acting(x_guest_token=token) if place == "header" else client
            query = "" if place == "header" else f"guest_token={token}"
            not_there = asking.ask(guest, UNKNOWN, query=query)
            for ids in (records.own, records.of_organization, records.of_guest):
                answer = asking.ask(guest, ids, query=query)
                assert as_expected(answer, asking.row.other_token), (str(asking), answer)
                assert without_request_id(answer) == without_request_id(not_there), str(asking)


def test_b8_a_records_own_guest_token_does_not_open_what_only_users_do(
    records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    with nothing_changes():
        for asking in NATIVE:
            if asking.row.own_token != 200:
                guest = client.acting(x_guest_token=records.tokens[asking.about])
                answer = asking.ask(guest, records.of_guest)
                assert is_refusal(answer, asking.row.own_token), (str(asking), answer)


def test_b8_a_records_own_guest_token_opens_it(records: Records, client: Client) -> None:
    for asking in NATIVE:
        if asking.row.own_token == 200:
            guest = client.acting(x_guest_token=records.tokens[asking.about])
            answer = asking.ask(guest, records.of_guest)
            paid = answer.status == 409 and asking.function == "NativeCancelPayment"
            assert answer.status == 200 or paid, (str(asking), answer)


def test_b8_a_guest_token_expires_after_30_days(
    records: Records, client: Client, later: Callable[[float], None], nothing_changes: Unchanging
) -> None:
    guest, month = client.acting(x_guest_token=records.tokens["payment"]), 30 * 24 * 3600
    later(month - 60)
    target = f"{BASE}/payments/{records.of_guest['payment']}"
    assert guest.ask("GET", target).status == 200
    later(60)
    with nothing_changes():
        for asking in NATIVE:
            answer = asking.ask(guest, records.of_guest)
            told = (answer.status, answer.json()["code"])
            assert told == (401, "session_invalid"), (str(asking), answer)


def test_a_webhook_asks_for_a_signature_and_no_credential_stands_in_for_it(
    records: Records, client: Client, nothing_changes: Unchanging
) -> None:
    everybody = [client, records.owner, client.acting(x_guest_token=records.tokens["payment"])]
    with nothing_changes():
        for asking, (_, method, path) in product(everybody, WEBHOOKS):
            for signature in ({}, {"Stripe-Signature": "t=4102444800,v1=00"}):
                answer = asking.ask(method, path, {"id": "evt_1"}, signature)
                assert (answer.status, answer.json()["code"]) == (400, "signature_invalid"), path


def test_a_list_holds_the_callers_own_and_nothing_else(records: Records, sign_in: SignIn) -> None:
    stranger = sign_in(STRANGER)
    for asking in NATIVE:
        if asking.row.about == "list":
            assert asking.ask(stranger, {}).json() == []
            assert asking.ask(records.owner, {}).json() != []


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
def test_b18_what_belongs_to_somebody_else_cannot_be_named(
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
    asking = client if is_guest else sign_in(Caller(user_id="user_789", email="j@example.com"))
    guest_data = {"guest_data": GUEST} if is_guest else {}
    mine = made(asking, "/payments/intents", **MONEY, **guest_data)
    if is_guest and "~mine~" in target:
        asking = asking.acting(x_guest_token=mine["guest_token"])
    if is_guest and (method != "POST" or target in ("/payment-methods", "/addresses")):
        status = 401  # a guest token neither lists nor changes
    with nothing_changes():
        sent = body if "~mine~" in target else body | guest_data
        answer = asking.ask(method, BASE + target.replace("~mine~", mine["id"]), sent)
    assert is_refusal(answer, status), answer


def test_b10_a_guest_listing_can_ask_for_a_token_of_the_address(
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


def test_b10_a_guest_listing_can_be_switched_off(
    records: Records, client: Client, setting: Setting
) -> None:
    setting("GUEST_LISTING", "off")
    target = f"{BASE}/payments/guest/{GUEST['email']}"
    for by in (client, records.owner, client.acting(x_guest_token=records.tokens["payment"])):
        assert is_refusal(by.ask("GET", target), 404)
