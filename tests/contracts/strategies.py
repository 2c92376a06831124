"""Generates requests: valid and broken bodies, paths, queries and headers.

`~name~` in a path, a header or a body is a mark. The test replaces it with an id or a token.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel

from bridge.api_adapters.alternative.bodies import NewCustomerBody
from bridge.api_adapters.monri import bodies as monri
from bridge.bodies.address import AddressChange, NewAddress
from bridge.bodies.contact import NewCustomerUser
from bridge.bodies.customer import CustomerChange, NewCustomer
from bridge.bodies.payment import (
    Cancellation,
    Capture,
    Confirmation,
    NewPayment,
    NewRefund,
    PaymentChange,
)
from bridge.bodies.payment_method import MethodChange, NewMethod
from bridge.models import card_numbers

Bad = tuple[object, str]
"""A value that no field of its kind may have, and the path below the field that is reported."""


@dataclass(frozen=True)
class Kind:
    """The values of one kind of field: good ones to draw from, and bad ones."""

    good: SearchStrategy[Any]
    bad: tuple[Bad, ...] = ()


@dataclass(frozen=True)
class FuzzRequest:
    """One request, with marks."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def filled(self, names: dict[str, str]) -> "FuzzRequest":
        """The request with values in place of its marks."""
        target, headers, body = self.target, dict(self.headers), self.body
        for name, value in names.items():
            mark = f"~{name}~"
            target = target.replace(mark, quote(value))
            headers = {header: text.replace(mark, value) for header, text in headers.items()}
            body = body.replace(mark.encode(), value.encode())
        return FuzzRequest(self.method, target, headers, body)


def _bad(*values: object) -> tuple[Bad, ...]:
    return tuple((value, "") for value in values)


NOT_TEXT = _bad(7, 1.5, True, ["x"], {"a": 1})
NOT_CENTS = _bad("20", 20.5, 20.0, True, -1, 10**12, [], {}, "", 1e3)
PRINTABLE = st.characters(exclude_categories=("Cc", "Cs"))


def _line(limit: int, *, required: bool = False) -> Kind:
    fits = st.text(PRINTABLE, min_size=1, max_size=min(limit, 30)).filter(str.strip)
    bad = (*NOT_TEXT, *_bad("a\x07b", "a\nb", "x" * (limit + 1)))
    longest = st.just("x" * limit)
    return Kind(fits | longest, (*bad, *_bad("", "  ")) if required else bad)


def _choice(*values: str) -> Kind:
    return Kind(st.sampled_from(values), (*NOT_TEXT, *_bad("", values[0].title(), "other")))


def _reference(*known: str) -> Kind:
    line = _line(200, required=True)
    return Kind(st.sampled_from(known) | line.good, line.bad)


CENTS = Kind(st.sampled_from([0, 1, 200, 1800, 999_999_999_999]), NOT_CENTS)
EMAIL = Kind(
    st.sampled_from(["jane@example.com", "a+b@example.test", "ü@example.com", " x@example.org "]),
    (*NOT_TEXT, *_bad("", "nobody", "a@b", "a b@example.com", "[email protected]", "x" * 255)),
)
METADATA_VALUE = (
    st.text(PRINTABLE, max_size=20) | st.booleans() | st.integers(-(10**17), 10**17)
).filter(lambda each: not card_numbers.in_any_field({"it": each}))
METADATA = Kind(
    st.dictionaries(st.text(PRINTABLE, min_size=1, max_size=40), METADATA_VALUE, max_size=5)
    | st.just({f"key {number}": number for number in range(50)})
    | st.just({"float": 0.1, "tiny": 1e-99, "huge": 1e99, "zero": -0.0}),
    (
        *_bad("text", 7, True, [], ["x"], {"": 1}, {f"k{n}": n for n in range(51)}),
        *_bad({f"k{n}": "x" * 500 for n in range(20)}),
        ({"a": {}}, "a"),
        ({"a": [1]}, "a"),
        ({"a": "x" * 501}, "a"),
        ({"a": "\x00"}, "a"),
        ({"a": 1e300}, "a"),
        ({"k" * 41: 1}, "k" * 41),
    ),
)
CARDS = ("pm_card_visa", "pm_card_threeDSecure2Required", "pm_card_visa_chargeDeclined")
URL = Kind(
    st.sampled_from(["http://localhost:3000/back", "https://shop.example/back?a=b"]),
    (
        *NOT_TEXT,
        *_bad("nowhere", "ftp://shop.example/", "javascript:alert(1)", "https://", "//x/y"),
    ),
)
KINDS: dict[str, Kind] = {
    "subtotal_cents": CENTS,
    "tax_cents": CENTS,
    "discount_cents": CENTS,
    "total_cents": Kind(st.sampled_from([1, 50, 2000, 999_999_999_999]), (*NOT_CENTS, *_bad(0))),
    "currency": Kind(
        st.sampled_from(["USD", "eur", "Jpy", "KWD", "MGA", "UGX", "CLF"]),
        (*NOT_TEXT, *_bad("", "US", "USDX", "XAU", "ÜSD", "US$")),
    ),
    "provider_id": _choice("stripe", "stripe", "stripe", "paypal", "authorize_net"),
    "description": Kind(
        st.text(PRINTABLE | st.just("\n"), max_size=30) | st.just("x" * 1000),
        (*NOT_TEXT, *_bad("a\rb", "x" * 1001)),
    ),
    "concept": _line(200),
    "reference_code": _line(100),
    "category": _line(100),
    "tags": _line(500),
    "statement_descriptor": Kind(
        st.sampled_from(["SHOES", "Order 1234567890 #(22)", " Trimmed ", "1-2-3 a"]),
        (
            *NOT_TEXT,
            *_bad("", "SHOE", "1234567", "x" * 23, "a<b>c", "it's", 'say "x"', "star*"),
        ),
    ),
    "setup_future_usage": _choice("off_session", "on_session"),
    "capture_method": _choice("automatic", "manual"),
    "payment_method_id": _reference(*CARDS, "pm_nowhere", "~payment~"),
    "customer_id": _reference("~customer~", "~strange_customer~", "cust_nowhere"),
    "organization_id": _reference("org_456", "org_elsewhere"),
    "project_id": _reference("proj_1"),
    "metadata": METADATA,
    "amount_cents": Kind(st.sampled_from([1, 500, 2000, 999_999_999_999]), (*NOT_CENTS, *_bad(0))),
    "return_url": URL,
    "cancel_url": URL,
    "email": EMAIL,
    "name": _line(200),
    "first_name": _line(200),
    "last_name": _line(200),
    "phone": Kind(
        st.sampled_from(["+1234567890", "(030) 12-34.5", "123"]),
        (*NOT_TEXT, *_bad("", "12", "call me", "1" * 31, "12\t34")),
    ),
}
KINDS |= {
    "token": _reference(*CARDS, "pm_nowhere"),
    "provider_payment_method_token": _reference(*CARDS),
    "provider_payment_method_id": _reference(*CARDS),
    "type": _line(100),
    "alias": _line(100),
    "billing_address_id": _reference("~address~", "addr_nowhere"),
    "is_default": Kind(st.booleans(), _bad("true", 1, 0, "", [], {})),
    "line1": _line(200, required=True),
    "line2": _line(200),
    "city": _line(200, required=True),
    "state": _line(200),
    "postal_code": _line(100),
    "country": Kind(
        st.sampled_from(["US", "hr", " De "]), (*NOT_TEXT, *_bad("", "USA", "UK", "ÜS", "ZZ"))
    ),
}
GUEST = {"email": EMAIL, "name": _line(200, required=True), "phone": KINDS["phone"]}
KINDS["guest_data"] = Kind(
    st.fixed_dictionaries({name: kind.good for name, kind in GUEST.items()}), _bad("x", 7, [], True)
)
IMMUTABLE = Kind(st.sampled_from(["~payment~", "~customer~", "x", ""]), NOT_TEXT)
UNCHECKED = Kind(st.sampled_from([{"email": "guest@example.com", "name": "G"}, "x", 7, [[]], {}]))
# Any text is valid in an immutable field: it is compared with the record, once that is read.
IMMUTABLE_NAMES = ("id", "provider_id", "user_id", "organization_id", "capture_method")
CHANGE_KINDS = KINDS | dict.fromkeys(IMMUTABLE_NAMES, IMMUTABLE)
CHANGE_KINDS["guest_data"] = UNCHECKED

REASON = Kind(st.sampled_from(["requested_by_customer", "duplicate", "abandoned"]), NOT_TEXT)
ADDRESS_TYPE = _choice("billing", "shipping")
TEXT = Kind(st.text(PRINTABLE, max_size=20) | st.just("x" * 256) | st.just("a\x07b"), NOT_TEXT)
OWN_KINDS: dict[type[BaseModel], dict[str, Kind]] = {
    NewCustomerBody: dict.fromkeys(NewCustomerBody.model_fields, TEXT),
    NewCustomerUser: dict.fromkeys(NewCustomerUser.model_fields, TEXT),
    Cancellation: {"reason": REASON},
    NewRefund: KINDS | {"reason": KINDS["description"]},
    PaymentChange: CHANGE_KINDS,
    CustomerChange: CHANGE_KINDS,
    MethodChange: KINDS
    | dict.fromkeys(("id", "customer_id", "provider_id", "provider_payment_method_id"), IMMUTABLE)
    | {"type": IMMUTABLE},
    NewAddress: KINDS | {"type": ADDRESS_TYPE},
    AddressChange: KINDS | {"type": ADDRESS_TYPE, "id": IMMUTABLE, "customer_id": IMMUTABLE},
}


def _monri(low: int, high: int) -> Kind:
    """A text field of Monri: numbers count as their decimal text, and nothing is trimmed (M9)."""
    texts = st.text(PRINTABLE, min_size=low, max_size=min(high, 30)) | st.just("x" * high)
    good = texts | st.integers(10**low, 10**low + 9)
    return Kind(good, _bad(True, ["x"], {"a": 1}, "", "x" * (high + 1)))


MONRI_METADATA = Kind(
    st.dictionaries(st.text(PRINTABLE, min_size=1, max_size=100), METADATA_VALUE, max_size=5)
    | st.just({"nested": {"a": [1, None]}, "gone": None, "huge": 1e300}),
    _bad(
        "text", 7, [], {"": 1}, {"k" * 101: 1}, {f"k{n}": n for n in range(51)}, {"a": "x" * 8192}
    ),
)
OWN_KINDS[monri.CustomerBody] = {
    "merchant_customer_id": _monri(1, 100),
    "description": _monri(1, 200),
    "email": _monri(1, 200),
    "name": _monri(1, 50),
    "phone": _monri(1, 30),
    "zip_code": _monri(1, 9),
    "city": _monri(3, 30),
    "address": _monri(3, 100),
    "country": Kind(st.sampled_from(["BA", "hr", "Zz"]), _bad(7, True, [], "", "B", "BIH", "ČA")),
    "metadata": MONRI_METADATA,
}
OWN_KINDS[monri.TokenBody] = {
    "client_id": Kind(st.sampled_from(["~merchant~", "nobody", "", "č"]), NOT_TEXT),
    "client_secret": Kind(st.sampled_from(["~merchant_key~", "wrong", ""]), NOT_TEXT),
    "grant_type": Kind(st.just("client_credentials"), (*NOT_TEXT, *_bad("", "password"))),
    "scopes": Kind(
        st.sampled_from([[], ["customers"], ["payments", "x"]]), _bad("x", 7, True, {}, [1], [[]])
    ),
}
MONRI_GRANT: dict[str, object] = {
    "client_id": "~merchant~",
    "client_secret": "~merchant_key~",
    "grant_type": "client_credentials",
}

BODIES: dict[str, tuple[type[BaseModel], dict[str, object]]] = {
    "NativeCreateCustomer": (NewCustomer, {"provider_id": "stripe"}),
    "NativeUpdateCustomer": (CustomerChange, {}),
    "NativeCreatePaymentIntent": (NewPayment, {"total_cents": 2000, "currency": "USD"}),
    "NativeUpdatePaymentIntent": (PaymentChange, {}),
    "NativeConfirmPayment": (Confirmation, {"payment_method_id": "pm_card_visa"}),
    "NativeCancelPayment": (Cancellation, {}),
    "NativeCapturePayment": (Capture, {}),
    "NativeRefundPayment": (NewRefund, {}),
    "NativeCreatePaymentMethod": (NewMethod, {"token": "pm_card_visa"}),
    "NativeUpdatePaymentMethod": (MethodChange, {}),
    "NativeCreateAddress": (NewAddress, {"line1": "1 Main", "city": "Rome", "country": "IT"}),
    "NativeUpdateAddress": (AddressChange, {}),
    "MonriCreateCustomer": (monri.CustomerBody, {}),
    "MonriUpdateCustomer": (monri.CustomerBody, {}),
    "MonriCreateToken": (monri.TokenBody, MONRI_GRANT),
    "AlternativeCreateCustomer": (NewCustomerBody, {}),
    "AlternativeCreateCustomerUser": (NewCustomerUser, {}),
}
"""By function: the model of its body, and the smallest valid body."""


def kinds_of(model: type[BaseModel]) -> dict[str, Kind]:
    """The kinds of a model's fields. Each field must have one: test_coverage.py."""
    kinds = OWN_KINDS.get(model, KINDS)
    return {name: kinds[name] for name in model.model_fields if name in kinds}


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=True, allow_infinity=True)
    | ANY_TEXT
    | st.sampled_from(["", " ", "\x00", "\ud800", "null", "0", "x" * 5000, "💶" * 300])
)


def _nested(depth: int) -> object:
    return [_nested(depth - 1)] if depth else 0


JUNK = st.recursive(
    SCALARS,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(ANY_TEXT, each, max_size=3),
    max_leaves=6,
) | st.sampled_from([_nested(31), _nested(32), _nested(60)])

MANY_ERRORS = json.dumps({"metadata": {f"{n:x}": [] for n in range(26_400)}}, separators=(",", ":"))
HOSTILE = [
    MANY_ERRORS.encode(),
    b"",
    b" \n",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{",
    b"{}",
    b"{}{}",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"a":1,"a":2}',
    b'{"metadata":{"a":1,"a":2}}',
    b'{"total_cents":NaN}',
    b'{"total_cents":-Infinity}',
    b'{"total_cents":1e999}',
    b'{"total_cents":' + b"9" * 5000 + b"}",
    b'{"description":"\xff"}',
    b'{"description":"\\ud800"}',
    b'{"\\udfff":1}',
    b'{"description":"\\u0000"}',
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"a":"' + b"x" * 255_000 + b'"}',
    b" " * (256 * 1024 + 1),
]


def _break_fields(body: dict[str, Any], changes: list[tuple[str, object, bool]]) -> dict[str, Any]:
    for name, value, deeper in changes:
        inner = body.get(name)
        if deeper and isinstance(inner, dict) and inner:
            body = body | {name: inner | {next(iter(inner)): value}}
        else:
            body = body | {name: value}
    return body


def _written(body: dict[str, Any] | None, style: str) -> bytes:
    if body is None:
        return b""
    text = json.dumps(body, ensure_ascii=style != "raw").encode("utf-8", "surrogatepass")
    match style:
        case "twice" if len(text) > 2:
            return text[:-1] + b"," + text[1:]
        case "cut":
            return text[:-2]
        case "utf-16":
            return text.decode("utf-8", "replace").encode("utf-16")
    return text


STYLES = st.sampled_from(["plain"] * 6 + ["raw", "raw", "twice", "cut", "utf-16"])


AMOUNTS = {"subtotal_cents", "tax_cents", "discount_cents", "total_cents"}


@st.composite
def valid_bodies(draw: st.DrawFn, function: str) -> dict[str, Any]:
    """A body that is valid for its model."""
    model, least = BODIES[function]
    kinds = kinds_of(model)
    names = draw(st.lists(st.sampled_from(sorted(kinds.keys() - AMOUNTS)), max_size=4, unique=True))
    return least | {name: draw(kinds[name].good) for name in names}


@st.composite
def broken_bodies(draw: st.DrawFn, function: str) -> bytes:
    """A body with a few wrong fields, or one that is not an object."""
    if function not in BODIES or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(HOSTILE) | st.binary(max_size=50))
    body, kinds = draw(valid_bodies(function)), kinds_of(BODIES[function][0])
    places = st.sampled_from(sorted(kinds)) | st.just("unknown") | ANY_TEXT
    changes = st.lists(st.tuples(places, JUNK, st.booleans()), min_size=1, max_size=3)
    amounts = st.fixed_dictionaries(
        {}, optional={name: kinds[name].good for name in sorted(AMOUNTS & kinds.keys())}
    )
    broken = _break_fields(body, draw(changes)) if draw(st.booleans()) else body | draw(amounts)
    return _written(broken, draw(STYLES))


REQUIRED: dict[type[BaseModel], list[str]] = {
    NewPayment: ["currency", "total_cents"],
    NewCustomer: ["provider_id"],
    NewMethod: ["provider_payment_method_id"],
    NewAddress: ["line1", "city", "country"],
    monri.TokenBody: ["client_id", "client_secret", "grant_type"],
}
INSTEAD = {
    "total_cents": ("subtotal_cents",),
    "provider_payment_method_id": ("provider_payment_method_token", "token"),
}


@st.composite
def invalid_bodies(draw: st.DrawFn, model: type[BaseModel]) -> tuple[dict[str, Any], set[str]]:
    """A body with at least one wrong field, and the names of all wrong fields."""
    kinds, required = kinds_of(model), REQUIRED.get(model, [])
    given = draw(st.sets(st.sampled_from(sorted(kinds)))) | set(required)
    body = {name: draw(kinds[name].good) for name in sorted(given)}
    can_be_bad = sorted(name for name, kind in kinds.items() if kind.bad)
    chosen = draw(st.sets(st.sampled_from(can_be_bad), min_size=1, max_size=6))
    wrong = set()
    for name in sorted(chosen):
        body[name], below = draw(st.sampled_from(kinds[name].bad))
        wrong.add(f"{name}.{below}" if below else name)
    if kinds.get("guest_data", UNCHECKED) is not UNCHECKED and draw(st.booleans()):
        body["guest_data"], below_it = draw(_invalid_guest())
        wrong = wrong - {"guest_data"} | {f"guest_data.{name}" for name in below_it}
    for name in required:
        if draw(st.booleans()) and not any(each in body for each in INSTEAD.get(name, ())):
            wrong = {each for each in wrong if each != name} | {name}
            body.pop(name)  # a missing required field is reported too
    return body, wrong


@st.composite
def _invalid_guest(draw: st.DrawFn) -> tuple[dict[str, Any], set[str]]:
    guest = {name: draw(kind.good) for name, kind in GUEST.items()}
    wrong = draw(st.sets(st.sampled_from(sorted(GUEST)), min_size=1))
    for name in sorted(wrong):
        if name != "phone" and draw(st.booleans()):
            del guest[name]
        else:
            guest[name] = draw(st.sampled_from(GUEST[name].bad))[0]
    return guest, wrong


PAYMENTS = ["~payment~", "~payment~", "~provider_payment~", "~paid~"]
CUSTOMERS, METHODS_SAVED = ["~customer~"], ["~method~"]
MONRI_CUSTOMERS = {"{uuid}": ["~uuid~"], "{merchant_customer_id+}": ["crm-1", "a/b", "%C4%8D%20"]}
COMPANIES = ["~company~"]
STRANGE = ["~strange_payment~", "~strange_customer~", "~guest_payment~", "pay_", "pi_x", "PAY_1"]
SEGMENTS = [
    *("a%2Fb", "%2F", "..", ".", "%2E%2E", "%00", "%0d%0aX-A:b", "%", "%zz", "%ff", "%C3%BC"),
    *("%F0%9F%92%B6", "a%3Fb", "a;b", "a b", "~", "'", '"', "x" * 200, "%ED%A0%80", "\\", "é"),
]
EMAILS = ["guest%40example.com", "guest@example.com", "GUEST@EXAMPLE.COM", "a+b@x.test", "a%20b@x"]
SEGMENT = st.sampled_from(SEGMENTS) | ANY_TEXT.map(
    lambda text: quote(text.encode("utf-8", "surrogatepass"), safe="")
)


@st.composite
def valid_paths(draw: st.DrawFn, pattern: str) -> str:
    """The path of the route, with an existing id or address."""
    places = {"{email}": EMAILS, "/customer": CUSTOMERS, "/payment-methods/": METHODS_SAVED}
    places |= {"/addresses/": ["~address~"]}
    known = next((records for place, records in places.items() if place in pattern), PAYMENTS)
    known = COMPANIES if pattern.startswith("/customers/") else known
    parts = [
        draw(st.sampled_from(MONRI_CUSTOMERS.get(part, known))) if "{" in part else part
        for part in pattern.split("/")
    ]
    return "/".join(parts)


@st.composite
def broken_paths(draw: st.DrawFn, pattern: str) -> str:
    """The path with an unknown or foreign id, or with one more segment."""
    parts = pattern.split("/")
    odd = st.sampled_from(STRANGE) | SEGMENT
    parts = [draw(odd) if "{" in part else part for part in parts]
    if parts == pattern.split("/") or draw(st.integers(0, 3)) == 0:
        parts.insert(draw(st.integers(1, len(parts))), draw(st.just("") | SEGMENT))
    return "/".join(parts)


PARAMETERS = ["limit", "offset", "page", "organization_id", "provider_id", "customer_id"]
CURSOR_PARAMETERS = ["after", "before", "created_at_start", "created_at_end", "company_name"]
CREDENTIAL_PARAMETERS = ["session_id", "guest_token"]
VALUES = [
    *("", "0", "1", "2", "500", "501", "10000", "10001", "-1", "1.5", "1e3", "+1", "%201", "٣"),
    *("9" * 16, "9" * 17, "9" * 400, "%", "%zz", "%ff", "%00", "a,b", "~customer~", "org_456"),
    *("stripe", "paypal", "STRIPE", "~guest_token~", "~session~", "%ED%A0%80", "a%26b", "x=y"),
    *("~cursor~", "~cursor~=", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-01-01"),
]


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query string, often an odd one."""
    names = (
        st.sampled_from(PARAMETERS * 3 + CURSOR_PARAMETERS * 2 + CREDENTIAL_PARAMETERS) | SEGMENT
    )
    pair = st.tuples(names, st.sampled_from(VALUES) | SEGMENT).map("=".join)
    pieces = draw(st.lists(pair | st.sampled_from(["", "limit", "&", "=", ";"]), max_size=3))
    return "?" + "&".join(pieces) if pieces else ""


WIRE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
CREDENTIALS: list[dict[str, str]] = [
    {},
    {"Authorization": "Bearer ~session~"},
    {"Authorization": "bearer   ~session~ "},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer nobody"},
    {"Authorization": "Basic fjp+"},
    {"Authorization": "Bearer ~session~, Bearer ~session~"},
    {"X-Session-ID": ""},
    {"X-Session-ID": "nobody"},
    {"X-Session-ID": "x" * 5000},
    {"X-Session-ID": "~strange_session~"},
    {"X-Guest-Token": "~guest_token~"},
    {"X-Guest-Token": "~guest_token~x"},
    {"X-Guest-Token": ""},
    {"X-Guest-Token": "k1."},
    {"X-Guest-Token": "k1.bm90aGluZw.é"},
    {"X-Session-ID": "~session~", "X-Guest-Token": "nobody"},
]
SIGNED_IN = {"X-Session-ID": "~session~"}
MERCHANT = {"Authorization": "Bearer ~merchant_token~"}
BY_KEY = {"Authorization": "~key~"}  # a client gets a token by id and secret
KEY_CREDENTIALS: list[dict[str, str]] = [
    {"Authorization": "Bearer ~key~"},
    {"Authorization": "Bearer ~strange_key~"},
    {"Authorization": "Basic ~client~"},
    {"Authorization": "Basic ~key~"},
    {"Authorization": "alt_~key~"},
    {"Authorization": "alt_k1.~key~"},
]
KEYS = ["key-1", "a-key-of-20-characters", "", " ", "two words", "é", "x" * 255, "x" * 256, "\t"]
OTHERS: dict[str, SearchStrategy[str]] = {
    "Idempotency-Key": st.sampled_from(KEYS) | WIRE,
    "X-Request-ID": st.sampled_from(["abc-1", "x" * 128, "x" * 129, "a b", ""]) | WIRE,
    "Content-Type": st.sampled_from(
        ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
    )
    | WIRE,
    "X-Forwarded-For": WIRE,
    "CloudFront-Viewer-Address": WIRE,
    "User-Agent": WIRE,
    "Cookie": WIRE,
    "Accept": WIRE,
    "Origin": st.sampled_from(["http://localhost:3000", "null"]) | WIRE,
    "Content-Length": st.sampled_from(["", "-1", "x"]),
}


@st.composite
def headers(draw: st.DrawFn, good: dict[str, str]) -> dict[str, str]:
    """A credential, good or odd, and up to two other headers."""
    odd = WIRE.map(lambda each: {"Authorization": each})
    digest = WIRE.map(lambda each: {"Authorization": f"WP3-v2.1 ~merchant~ {each}"})
    own = draw(st.just(good) | st.sampled_from(CREDENTIALS + KEY_CREDENTIALS) | odd | digest)
    names = draw(st.lists(st.sampled_from(sorted(OTHERS)), max_size=2, unique=True))
    return own | {name: draw(OTHERS[name]) for name in names}


METHODS = st.sampled_from(["HEAD", "DELETE", "PATCH", "TRACE", "GET", "POST", "FETCH"])
ASPECTS = ["path", "query", "headers", "body", "body", "method"]


@st.composite
def requests(draw: st.DrawFn, function: str, method: str, pattern: str) -> FuzzRequest:
    """A valid request, except for at most two of its aspects."""
    odd = draw(st.lists(st.sampled_from(ASPECTS), max_size=2))
    whole = valid_bodies(function) if function in BODIES else st.none()
    good = MERCHANT if function.startswith("Monri") else SIGNED_IN
    good = BY_KEY if function.startswith("Alternative") else good
    return FuzzRequest(
        draw(METHODS) if odd == ["method"] else method,
        draw(broken_paths(pattern) if "path" in odd else valid_paths(pattern))
        + (draw(queries()) if "query" in odd else ""),
        draw(headers(good)) if "headers" in odd else good,
        draw(broken_bodies(function)) if "body" in odd else _written(draw(whole), "plain"),
    )
