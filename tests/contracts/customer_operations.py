"""What can happen to an organization's customers, and what clients of each API may send.

An operation is: the name of a method of `test_one_customer.Story`; the number of the customer, if
it is about one; the arguments. There are few different values, so that equal ones come together:
names, external ids, keys.
"""

from typing import Any

from hypothesis import strategies as st

from tests.contracts.customer_model import METADATA_BYTES, NAMES, Body, text_of, too_large

Operation = tuple[str, int | None, tuple[Any, ...]]
DAY_S = 24 * 3600

WORDS = [
    "Ann",
    "Élodie",
    "Lejla Kovač",
    "李 小龍",
    "O'Neil & Söhne",
    "ﬁne STRASSE",
    " a  b ",
    "x" * 50,
]
WORD = st.sampled_from(WORDS) | st.text("aÉßλ д-", min_size=1, max_size=6).filter(str.strip)
MAYBE = st.none() | WORD
EMPTY_TOO = MAYBE | st.just("")
EMAIL = st.sampled_from(["ann@shop.test", "Ann.B@EXAMPLE.com"])
ANY_EMAIL = EMAIL | st.just("čedo@example.com")  # Stripe refuses it
LOOSE_EMAIL = st.sampled_from(["text", "ann@shop.test", "UPPER@Case", "a b"])
PHONE = st.sampled_from(["+44 20 7946 0011", "(01) 234-56", "123"])
EXTERNAL_ID = st.sampled_from(["crm-1", "crm 2/ü+", "crm-1 ", "77"])
KEYS = st.sampled_from(["tier", "old_flag", "кључ", "n"])
SCALAR = st.sampled_from(["gold", " kept ", "", 7, 1, True, 1.5, 0, "čš"])
METADATA = st.dictionaries(KEYS, SCALAR | st.none(), max_size=3)
JSON = st.sampled_from([{"a": [1, {"b": None}]}, [], {}, [[True]], "x" * 5000]) | SCALAR
ANY_METADATA = st.dictionaries(KEYS, JSON | st.none(), max_size=3)
PLACES: list[Body | None] = [
    None,
    {"country": "gb", "address1": "4 Quay Rd", "city": "Leith", "region": "EDH", "zip": "EH6"},
    {"address2": "Flat 2", "zip": "71000", "own": [1, None]},
    {"city": None, "country": "BA"},
]
PRIMARY: list[tuple[Body | None, Body]] = [
    (None, {}),
    ({"note": 1}, {}),
    (
        {"firstName": "Petra", "country": "fr", "address": "1 Rue", "postalCode": "75001"},
        {"firstName": "Petra", "address": {"country": "fr", "address1": "1 Rue", "zip": "75001"}},
    ),
    (
        {
            "lastName": "Prim",
            "emails": [{"value": "no@shop.test"}, {"value": "p@shop.test", "primary": True}],
            "phoneNumbers": [{"value": "0131"}],
            "customerAddress": {"address": "9 Way", "city": "York"},
        },
        {
            "lastName": "Prim",
            "email": "p@shop.test",
            "phoneNumber": "0131",
            "address": {"address1": "9 Way", "city": "York"},
        },
    ),
]
"""`primaryAddress` of the later form of payments.ai's API, and the flat fields it stands for."""
BAD_VALUES: list[tuple[Body, list[str]]] = [
    ({"points": True, "tier": "gold"}, ["customFields.points: must be a integer"]),
    ({"points": 2**31}, ["customFields.points: must be a integer"]),
    ({"size": "L"}, ["customFields.size: is not defined"]),
]
"""Custom fields that are refused, with the error messages."""


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Body]:
    """A body with some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


VALUES = some(tier=st.sampled_from(["gold", "", None]), points=st.sampled_from([0, -7, None]))
NATIVE_BODY = some(
    email=st.none() | EMAIL,
    name=EMPTY_TOO,
    first_name=EMPTY_TOO,
    last_name=EMPTY_TOO,
    phone=st.none() | PHONE,
    metadata=st.none() | METADATA,
)
PAYMENTS_AI_BODY = some(
    firstName=EMPTY_TOO,
    lastName=EMPTY_TOO,
    email=st.none() | ANY_EMAIL,
    phoneNumber=st.none() | PHONE | st.just("any characters"),
    language=st.sampled_from([None, "fr", "BS"]),
    address=st.sampled_from(PLACES),
    primaryAddress=st.sampled_from([each for each, _ in PRIMARY]),
    metadata=st.none() | ANY_METADATA,
    customFields=st.none() | VALUES | VALUES | st.sampled_from([each for each, _ in BAD_VALUES]),
)
MONRI_BODY = some(
    merchant_customer_id=st.none() | EXTERNAL_ID | st.just(77),
    description=MAYBE,
    email=st.none() | LOOSE_EMAIL,
    name=MAYBE,
    phone=st.none() | PHONE | st.just(38733),
    zip_code=st.sampled_from([None, "71000", 5]),
    city=st.sampled_from([None, "Sarajevo"]),
    address=st.sampled_from([None, "Obala 1"]),
    country=st.sampled_from([None, "ba"]),
    metadata=st.none() | ANY_METADATA,
)
ALTERNATIVE_BODY = some(
    name=EMPTY_TOO,
    email=st.none() | LOOSE_EMAIL | st.just(""),
    external_id=st.none() | EXTERNAL_ID | st.just(""),
)
PERSON = some(
    email=st.none() | LOOSE_EMAIL,
    first_name=EMPTY_TOO,
    last_name=EMPTY_TOO,
    job_title=MAYBE,
    phone=st.none() | PHONE,
)
SEARCHED = st.sampled_from(
    ["@", "ann", "shop", "É", "kovač", "ßλ", "strasse", "jane", "o'neil", "A B"]
)


def expected_custom_fields(body: Body) -> tuple[Body, list[str]]:
    """The custom fields that a payments.ai customer has after this body, and the error messages.

    Null removes a field. Metadata that is too large is reported instead of custom fields.
    """
    given = body.get("customFields") or {}
    faults = next((messages for bad, messages in BAD_VALUES if text_of(bad) == text_of(given)), [])
    if too_large(body.get("metadata")):
        faults = [f"metadata: must be at most {METADATA_BYTES} bytes as JSON"]
    return {name: each for name, each in given.items() if each is not None}, faults


def flat(body: Body) -> Body:
    """The body with the flat fields of its `primaryAddress`. A sent flat field wins (P11)."""
    primary = body.get("primaryAddress")
    fields = next(flat for address, flat in PRIMARY if text_of(address) == text_of(primary))
    return fields | body


def operation(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    """An operation that is not about one customer."""
    return st.tuples(st.just(name), st.none(), st.tuples(*arguments))


def operation_on(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    """An operation on one customer."""
    return st.tuples(st.just(name), st.integers(0, 3), st.tuples(*arguments))


CREATION = st.one_of(
    operation("create_payments_ai", PAYMENTS_AI_BODY, st.booleans()),
    operation("create_monri", MONRI_BODY),
    operation("create_alternative", ALTERNATIVE_BODY),
    operation("create_native", NATIVE_BODY),
)
CHANGE = st.one_of(
    operation_on("update_payments_ai", PAYMENTS_AI_BODY, st.sampled_from(["PUT", "PATCH"])),
    operation_on("update_monri", MONRI_BODY),
    operation_on("update_native", NATIVE_BODY),
)
OTHER = st.one_of(
    operation_on("delete", st.sampled_from(NAMES)),
    operation_on("add_user", PERSON),
    operation("wait", st.sampled_from([1, 1000, 40 * DAY_S])),
    operation("list_filtered", st.sampled_from(NAMES), st.integers(1, 3), SEARCHED),
)
METHODS = st.one_of(
    operation_on("attach"),
    operation_on("choose", st.none() | st.integers(0, 2)),
    operation_on("detach", st.integers(0, 1)),
    operation("finish_deletions"),
)
KINDS = {"change": CHANGE, "other": OTHER, "methods": METHODS, "creation": CREATION}
OFTEN = ["change"] * 5 + ["other"] * 3 + ["methods"] * 2 + ["creation"] * 2


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """Any operation; changes are the most frequent ones."""
    return draw(KINDS[draw(st.sampled_from(OFTEN))])


RARELY = st.sampled_from([False, False, False, True])
FIRST = st.lists(CREATION, min_size=1, max_size=2)
THEN = st.lists(operations(), min_size=4, max_size=6)
