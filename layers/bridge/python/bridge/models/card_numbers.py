"""Finds card numbers in a request body, so that the request is refused.

Only the paths of such fields are reported, never the values. pydantic checks the Luhn sum and the
issuer's prefix. Source: docs/api/native.md, section 5.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from bridge.errors import Detail, InvalidRequest

# Compared in lower case without `_` and `-`: card_number, cardNumber, Card-Number.
CARD_FIELDS = {"number", "cardnumber", "pan", "cvc", "cvv"}
DIGITS = re.compile(r"(?<![0-9])[0-9](?:[ .\u2010-\u2015-]*[0-9]){12,18}(?![0-9])")
SEPARATORS = re.compile(r"[^0-9]")


def refuse(paths: list[str], *, code: str | None = None) -> None:
    """Refuse a body that contains a card number. `paths`: the fields that were found.

    Callers do this before any other check, so that no other error repeats a part of the body.
    Raises InvalidRequest if `paths` is not empty.
    """
    if paths:
        details = [Detail(path or "body", "must not hold a card number") for path in paths]
        message = "card numbers are not taken: send a provider's token"
        raise InvalidRequest(message, code=code, details=details)


def in_any_field(body: dict[str, Any]) -> list[str]:
    """Return the paths of all fields that contain a card number, also of unknown fields."""
    return list(dict.fromkeys(path for path, _, value in _walk(body) if _holds_card(value)))


def in_card_fields(body: dict[str, Any]) -> list[str]:
    """Return the paths of fields that are named like a card field and contain a card number."""
    fields = _walk(body)
    return [path for path, name, value in fields if _is_card_field(name) and _holds_card(value)]


def _is_card_field(name: str) -> bool:
    return name.casefold().replace("_", "").replace("-", "") in CARD_FIELDS


def _walk(value: Any, path: str = "", name: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield every value with its path and its field's name.

    A key is yielded as a value of the object that has it: a card number may be in a key. Such a
    key is left out of the paths.
    """
    if isinstance(value, dict):
        for key, each in value.items():
            yield path, "", key
            name = key if not _holds_card(key) else ""
            yield from _walk(each, ".".join(filter(None, (path, name))), key)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _walk(each, f"{path}.{number}", name)
    else:
        yield path, name, value


def _holds_card(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    text = unicodedata.normalize("NFKC", str(value))
    return any(_is_card(SEPARATORS.sub("", each)) for each in DIGITS.findall(text))


def _is_card(digits: str) -> bool:
    from pydantic_core import PydanticCustomError
    from pydantic_extra_types.payment import PaymentCardBrand, PaymentCardNumber

    try:
        return PaymentCardNumber(digits).brand != PaymentCardBrand.other
    except PydanticCustomError:
        return False
