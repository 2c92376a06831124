"""One customer as plain facts: what each API writes of it, and how each API shows it.

Written from the documents alone, and none of bridge's own code is asked: contracts/bridge.md 3,
payments-ai.md 1.3 and 2, monri.md 4 and 5, alternative.md 4 to 6, the README's table of what maps
to what. Times are texts, as all four show them.
"""

import copy
import json
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # of ids
ROOM = 8 * 1024  # bytes of metadata, of custom fields

Body = dict[str, Any]
Shown = dict[str, Any]


@dataclass(eq=False)
class Facts:
    """`name_is_made`: of first and last name, by nobody. `has_claim`: found by its external id."""

    suffix: str
    organization_id: str
    made_at: str
    changed_at: str
    gone_at: str | None = None
    revision: int = 1
    user_id: str | None = None
    provider_id: str | None = None
    provider_customer_id: str | None = None
    name: str | None = None
    name_is_made: bool = False
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
    methods: list[Shown] = field(default_factory=list)
    users: list[Shown] = field(default_factory=list)

    @property
    def native_id(self) -> str:
        return f"cust_{self.suffix}"

    @property
    def short_id(self) -> str:
        """Its id at payments.ai and Alternative Payments."""
        return f"cus_{self.suffix}"

    @property
    def uuid(self) -> str:
        """Its id at Monri: 26 digits to the base of 32 are the same number."""
        number = 0
        for digit in self.suffix:
            number = number * 32 + DIGITS.index(digit)
        return str(uuid.UUID(int=number))

    @property
    def age(self) -> tuple[str, str]:
        """Lists are in the reverse order of it."""
        return self.made_at, self.suffix

    @property
    def lives(self) -> bool:
        return self.gone_at is None

    def copied(self) -> "Facts":
        return copy.deepcopy(self)

    def is_as(self, other: "Facts") -> bool:
        return all(
            text_of(getattr(self, each.name)) == text_of(getattr(other, each.name))
            for each in fields(self)
        )

    def searched(self, text: str) -> bool:
        """Names, first and last as one, and the e-mail. Source: payments-ai.md, D 18."""
        both = joined(self.first, self.last)
        texts = (self.name, self.first, self.last, both, self.email)
        return any(folded(text) in folded(each) for each in texts if each)

    def called(self, text: str) -> bool:
        """Source: alternative.md, D8."""
        return bool(self.name) and folded(text) in folded(self.name or "")


def text_of(value: object) -> str:
    """JSON in which equal values are equal, and True is not 1."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def too_large(metadata: object) -> bool:
    return isinstance(metadata, dict) and size(metadata) > ROOM


def suffix_of(text: str) -> str:
    """The 26 digits of an id that Monri shows as a UUID."""
    number, digits = uuid.UUID(text).int, ""
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits = DIGITS[digit] + digits
    return digits


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def joined(first: str | None, last: str | None) -> str | None:
    return " ".join(each for each in (first, last) if each) or None


def _name_again(facts: Facts) -> None:
    """After its parts were written: one that somebody wrote stays, the others follow."""
    if facts.name_is_made or not facts.name:
        facts.name = joined(facts.first, facts.last)
        facts.name_is_made = facts.name is not None


def _normal(email: str) -> str:
    """The native API keeps an address in its one spelling."""
    local, _, domain = email.strip().rpartition("@")
    return f"{local}@{domain.lower()}"


def native_writes(facts: Facts, body: Body) -> None:
    """Trimmed; null is not given; metadata is replaced whole, its nulls left out (B2, B4)."""
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
        facts.name, facts.name_is_made = given["name"], False
    elif {"first_name", "last_name"} & given.keys():
        _name_again(facts)
    if "metadata" in given:
        facts.metadata = {
            key: each.strip() if isinstance(each, str) else each
            for key, each in given["metadata"].items()
            if each is not None
        }


def payments_ai_writes(facts: Facts, body: Body) -> None:
    """What is there takes exactly the value sent, null clears (D 19); custom fields apart."""
    plain = {"firstName": "first", "lastName": "last", "email": "email", "phoneNumber": "phone"}
    for theirs, ours in plain.items():
        if theirs in body:
            setattr(facts, ours, body[theirs])
    if "language" in body:
        facts.language = body["language"] and body["language"].lower()
    if "address" in body:
        facts.address = _in_capitals(body["address"])
    if "primaryAddress" in body:
        facts.primary_address = body["primaryAddress"]
    if "metadata" in body:
        facts.metadata = body["metadata"] or {}
    if "defaultPaymentInstrumentId" in body:
        facts.default_method = body["defaultPaymentInstrumentId"]
    if {"firstName", "lastName"} & body.keys():
        _name_again(facts)


def _in_capitals(address: Body | None) -> Body | None:
    if address and address.get("country"):
        return address | {"country": address["country"].upper()}
    return address


MONRI = {"name": "name", "email": "email", "phone": "phone", "description": "description"}
MONRI_PLACE = {"city": "city", "zip_code": "zip", "address": "address1", "country": "country"}


def monri_writes(facts: Facts, body: Body) -> None:
    """Null clears; of metadata and of the address the keys that are sent (D11), numbers as text
    (D9)."""
    for theirs, ours in MONRI.items():
        if theirs in body:
            setattr(facts, ours, _as_text(body[theirs]))
    if "name" in body:
        facts.name_is_made = False
    if "merchant_customer_id" in body:
        facts.external_id = _as_text(body["merchant_customer_id"])
        facts.has_claim = facts.external_id is not None
    place = {MONRI_PLACE[each]: _as_text(body[each]) for each in MONRI_PLACE if each in body}
    if place:
        facts.address = _in_capitals(_merged(facts.address or {}, place)) or None
    if "metadata" in body:
        sent = body["metadata"]
        facts.metadata = {} if sent is None else _merged(facts.metadata, sent)


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _merged(before: Body, change: Body) -> Body:
    kept = {key: each for key, each in before.items() if key not in change}
    return kept | {key: each for key, each in change.items() if each is not None}


def alternative_writes(facts: Facts, body: Body) -> None:
    """Only at a creation; "" is not given. The claim is the caller's affair (D9)."""
    facts.name = body.get("name") or None
    facts.email = body.get("email") or None
    facts.external_id = body.get("external_id") or None


def native_shows(facts: Facts) -> Shown:
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
        "created_at": facts.made_at,
        "updated_at": facts.changed_at,
    }


def payments_ai_shows(facts: Facts) -> Shown:
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
        "status": "active" if facts.lives else "deleted",
        "revision": facts.revision,
        "createdTime": facts.made_at,
        "updatedTime": facts.changed_at,
        "deletedTime": facts.gone_at,
    }


def monri_shows(facts: Facts) -> Shown:
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
        "deleted": not facts.lives,
        "created_at": facts.made_at,
        "updated_at": facts.changed_at,
        "deleted_at": facts.gone_at,
    }


def alternative_shows(facts: Facts) -> Shown:
    """What is empty is unset here (D1)."""
    return {
        "id": facts.short_id,
        "name": facts.name or None,
        "email": facts.email or None,
        "external_id": facts.external_id or None,
        "default_payment_method_id": facts.default_method,
        "created_at": facts.made_at,
    }


# Of the methods that are saved: each shows another part, in its own words.


def native_methods(facts: Facts) -> list[Shown]:
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


def payments_ai_methods(facts: Facts) -> list[Shown]:
    return [
        {
            "id": each["id"],
            "customerId": facts.short_id,
            "isDefault": each["id"] == facts.default_method,
            "createdTime": each["at"],
        }
        for each in facts.methods
    ]


def monri_methods(facts: Facts) -> list[Shown]:
    """Its tokens are no ids of ours."""
    return [
        {
            "masked_pan": f"******{each['creditCardLastFourDigits']}",
            "customer_uuid": facts.uuid,
            "created_at": each["at"],
        }
        for each in facts.methods
    ]


def alternative_methods(facts: Facts) -> list[Shown]:
    """The default one first (D11)."""
    shown = [
        {
            "id": each["id"],
            "brand": each["brand"].lower(),
            "last4": each["creditCardLastFourDigits"],
            "default": each["id"] == facts.default_method,
            "created_at": each["at"],
        }
        for each in facts.methods
    ]
    return sorted(shown, key=lambda each: not each["default"])


SHOWS: dict[str, Callable[[Facts], Shown]] = {
    "native": native_shows,
    "payments_ai": payments_ai_shows,
    "monri": monri_shows,
    "alternative": alternative_shows,
}
METHODS_SHOWN: dict[str, Callable[[Facts], list[Shown]]] = {
    "native": native_methods,
    "payments_ai": payments_ai_methods,
    "monri": monri_methods,
    "alternative": alternative_methods,
}
NAMES = sorted(SHOWS)
