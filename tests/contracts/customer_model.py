"""A model of one customer: how the requests of each API change it, and how each API renders it.

Written from the documents only; it uses none of our own code. Times are texts, as in the responses.
Source: docs/api/native.md, section 3; docs/api/payments-ai.md, sections 1.3 and 2;
docs/api/monri.md, sections 4 and 5; docs/api/alternative.md, sections 4, 5 and 6.
"""

import copy
import json
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # of ids
METADATA_BYTES = 8 * 1024  # also of custom fields

Body = dict[str, Any]
Rendered = dict[str, Any]


@dataclass(eq=False)
class Facts:
    """All that is known of one customer.

    `name_is_derived`: the name was made of first and last name. `has_claim`: the customer is found
    by its external id.
    """

    suffix: str
    organization_id: str
    created_at: str
    updated_at: str
    deleted_at: str | None = None
    revision: int = 1
    user_id: str | None = None
    provider_id: str | None = None
    provider_customer_id: str | None = None
    name: str | None = None
    name_is_derived: bool = False
    first: str | None = None
    last: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    description: str | None = None
    external_id: str | None = None
    has_claim: bool = False
    address: Body | None = None
    primary_address: Body | None = None
    metadata: Body = field(default_factory=dict)
    custom_fields: Body = field(default_factory=dict)
    default_method: str | None = None
    methods: list[Rendered] = field(default_factory=list)
    users: list[Rendered] = field(default_factory=list)

    @property
    def native_id(self) -> str:
        """Its id in the native API."""
        return f"cust_{self.suffix}"

    @property
    def short_id(self) -> str:
        """Its id in payments.ai and Alternative Payments."""
        return f"cus_{self.suffix}"

    @property
    def uuid(self) -> str:
        """Its id in Monri: the same number, which has 26 digits in base 32."""
        number = 0
        for digit in self.suffix:
            number = number * 32 + DIGITS.index(digit)
        return str(uuid.UUID(int=number))

    @property
    def list_order(self) -> tuple[str, str]:
        """Lists are sorted by it, in descending order."""
        return self.created_at, self.suffix

    @property
    def exists(self) -> bool:
        """Whether it is not deleted."""
        return self.deleted_at is None

    def copied(self) -> "Facts":
        """A copy that can be changed."""
        return copy.deepcopy(self)

    def equals(self, other: "Facts") -> bool:
        """Whether all facts are equal."""
        return all(
            text_of(getattr(self, each.name)) == text_of(getattr(other, each.name))
            for each in fields(self)
        )

    def matches_search(self, text: str) -> bool:
        """Whether payments.ai's search finds it: by a name, or by the e-mail (P18)."""
        both = joined(self.first, self.last)
        texts = (self.name, self.first, self.last, both, self.email)
        return any(folded(text) in folded(each) for each in texts if each)

    def matches_name(self, text: str) -> bool:
        """Whether Alternative Payments' filter by name finds it (A8)."""
        return bool(self.name) and folded(text) in folded(self.name or "")


def text_of(value: object) -> str:
    """JSON, to compare values: equal values give equal texts, and True differs from 1."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def size(value: object) -> int:
    """Bytes as JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def too_large(metadata: object) -> bool:
    """Whether metadata has more bytes than allowed."""
    return isinstance(metadata, dict) and size(metadata) > METADATA_BYTES


def suffix_of(text: str) -> str:
    """The suffix of our id, from Monri's UUID."""
    number, digits = uuid.UUID(text).int, ""
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits = DIGITS[digit] + digits
    return digits


def folded(text: str) -> str:
    """Text made comparable for searches."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def joined(first: str | None, last: str | None) -> str | None:
    """First and last name as one, or None."""
    return " ".join(each for each in (first, last) if each) or None


def _derive_name(facts: Facts) -> None:
    """First or last name changed: a derived name follows, a given name stays."""
    if facts.name_is_derived or not facts.name:
        facts.name = joined(facts.first, facts.last)
        facts.name_is_derived = facts.name is not None


def _normal(email: str) -> str:
    """The native API stores an address with its domain in lower case."""
    local, _, domain = email.strip().rpartition("@")
    return f"{local}@{domain.lower()}"


def write_native(facts: Facts, body: Body) -> None:
    """Apply a native body. Texts are trimmed, null means not sent (B2).

    Metadata is replaced as a whole, without its nulls (B4).
    """
    given: Body = {
        name: each.strip() if isinstance(each, str) else each
        for name, each in body.items()
        if each is not None
    }
    if "email" in given:
        facts.email = _normal(given["email"])
    facts.phone = given.get("phone", facts.phone)
    facts.first = given.get("first_name", facts.first)
    facts.last = given.get("last_name", facts.last)
    if "name" in given:
        facts.name, facts.name_is_derived = given["name"], False
    elif {"first_name", "last_name"} & given.keys():
        _derive_name(facts)
    if "metadata" in given:
        facts.metadata = {
            key: each.strip() if isinstance(each, str) else each
            for key, each in given["metadata"].items()
            if each is not None
        }


def write_payments_ai(facts: Facts, body: Body) -> None:
    """Apply a payments.ai body: each field gets the sent value, and null clears it (P19).

    Custom fields are handled elsewhere.
    """
    plain = {"firstName": "first", "lastName": "last", "email": "email", "phoneNumber": "phone"}
    for theirs, ours in plain.items():
        if theirs in body:
            setattr(facts, ours, body[theirs])
    if "language" in body:
        facts.language = body["language"] and body["language"].lower()
    if "address" in body:
        facts.address = _with_upper_country(body["address"])
    if "primaryAddress" in body:
        facts.primary_address = body["primaryAddress"]
    if "metadata" in body:
        facts.metadata = body["metadata"] or {}
    if "defaultPaymentInstrumentId" in body:
        facts.default_method = body["defaultPaymentInstrumentId"]
    if {"firstName", "lastName"} & body.keys():
        _derive_name(facts)


def _with_upper_country(address: Body | None) -> Body | None:
    if address and address.get("country"):
        return address | {"country": address["country"].upper()}
    return address


MONRI = {"name": "name", "email": "email", "phone": "phone", "description": "description"}
MONRI_PLACE = {"city": "city", "zip_code": "zip", "address": "address1", "country": "country"}


def write_monri(facts: Facts, body: Body) -> None:
    """Apply a Monri body. Null clears a field; numbers become text (M9).

    Of metadata and of the address, only the sent keys change (M11).
    """
    for theirs, ours in MONRI.items():
        if theirs in body:
            setattr(facts, ours, _as_text(body[theirs]))
    if "name" in body:
        facts.name_is_derived = False
    if "merchant_customer_id" in body:
        facts.external_id = _as_text(body["merchant_customer_id"])
        facts.has_claim = facts.external_id is not None
    place = {MONRI_PLACE[each]: _as_text(body[each]) for each in MONRI_PLACE if each in body}
    if place:
        facts.address = _with_upper_country(_merged(facts.address or {}, place)) or None
    if "metadata" in body:
        sent = body["metadata"]
        facts.metadata = {} if sent is None else _merged(facts.metadata, sent)


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _merged(before: Body, change: Body) -> Body:
    unchanged = {key: each for key, each in before.items() if key not in change}
    return unchanged | {key: each for key, each in change.items() if each is not None}


def write_alternative(facts: Facts, body: Body) -> None:
    """Apply a creation by Alternative Payments; an empty text means not sent.

    Whether it has a claim is decided elsewhere (A9).
    """
    facts.name = body.get("name") or None
    facts.email = body.get("email") or None
    facts.external_id = body.get("external_id") or None


def render_native(facts: Facts) -> Rendered:
    """The customer in the native API."""
    return {
        "id": facts.native_id,
        "user_id": facts.user_id,
        "organization_id": facts.organization_id,
        "provider_id": facts.provider_id,
        "provider_customer_id": facts.provider_customer_id,
        "email": facts.email,
        "name": facts.name,
        "first_name": facts.first,
        "last_name": facts.last,
        "phone": facts.phone,
        "is_guest": False,
        "guest_email": None,
        "metadata": facts.metadata,
        "created_at": facts.created_at,
        "updated_at": facts.updated_at,
    }


def render_payments_ai(facts: Facts) -> Rendered:
    """The customer in the payments.ai API."""
    default = facts.default_method
    return {
        "id": facts.short_id,
        "organizationId": facts.organization_id,
        "firstName": facts.first,
        "lastName": facts.last,
        "email": facts.email,
        "phoneNumber": facts.phone,
        "language": facts.language,
        "address": facts.address,
        "primaryAddress": facts.primary_address,
        "metadata": facts.metadata,
        "customFields": facts.custom_fields,
        "defaultPaymentInstrument": default
        and {"method": "payment-card", "paymentInstrumentId": default},
        "status": "active" if facts.exists else "deleted",
        "revision": facts.revision,
        "createdTime": facts.created_at,
        "updatedTime": facts.updated_at,
        "deletedTime": facts.deleted_at,
    }


def render_monri(facts: Facts) -> Rendered:
    """The customer in the Monri API."""
    place = facts.address or {}
    return {
        "status": "approved",
        "id": facts.uuid,
        "uuid": facts.uuid,
        "merchant_customer_id": facts.external_id,
        "description": facts.description,
        "email": facts.email,
        "name": facts.name,
        "phone": facts.phone,
        "city": place.get("city"),
        "country": place.get("country"),
        "zip_code": place.get("zip"),
        "address": place.get("address1"),
        "metadata": facts.metadata,
        "deleted": not facts.exists,
        "created_at": facts.created_at,
        "updated_at": facts.updated_at,
        "deleted_at": facts.deleted_at,
    }


def render_alternative(facts: Facts) -> Rendered:
    """The customer in the Alternative Payments API, where an empty text is null (A1)."""
    return {
        "id": facts.short_id,
        "name": facts.name or None,
        "email": facts.email or None,
        "external_id": facts.external_id or None,
        "default_payment_method_id": facts.default_method,
        "created_at": facts.created_at,
    }


# The saved methods in each API: the fields that tests compare.


def native_methods(facts: Facts) -> list[Rendered]:
    """In the native API."""
    return [
        {
            "id": each["id"],
            "customer_id": facts.native_id,
            "brand": each["brand"],
            "last4": each["creditCardLastFourDigits"],
            "is_default": each["id"] == facts.default_method,
        }
        for each in facts.methods
    ]


def payments_ai_methods(facts: Facts) -> list[Rendered]:
    """In the payments.ai API."""
    return [
        {
            "id": each["id"],
            "customerId": facts.short_id,
            "isDefault": each["id"] == facts.default_method,
            "createdTime": each["at"],
        }
        for each in facts.methods
    ]


def monri_methods(facts: Facts) -> list[Rendered]:
    """In the Monri API, whose tokens are not our ids."""
    return [
        {
            "masked_pan": f"******{each['creditCardLastFourDigits']}",
            "customer_uuid": facts.uuid,
            "created_at": each["at"],
        }
        for each in facts.methods
    ]


def alternative_methods(facts: Facts) -> list[Rendered]:
    """In the Alternative Payments API: the default method comes first (A11)."""
    methods = [
        {
            "id": each["id"],
            "brand": each["brand"].lower(),
            "last4": each["creditCardLastFourDigits"],
            "default": each["id"] == facts.default_method,
            "created_at": each["at"],
        }
        for each in facts.methods
    ]
    return sorted(methods, key=lambda each: not each["default"])


RENDERED_BY: dict[str, Callable[[Facts], Rendered]] = {
    "native": render_native,
    "payments_ai": render_payments_ai,
    "monri": render_monri,
    "alternative": render_alternative,
}
METHODS_BY: dict[str, Callable[[Facts], list[Rendered]]] = {
    "native": native_methods,
    "payments_ai": payments_ai_methods,
    "monri": monri_methods,
    "alternative": alternative_methods,
}
NAMES = sorted(RENDERED_BY)
