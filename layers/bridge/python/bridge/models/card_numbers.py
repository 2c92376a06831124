"""Card numbers in a request's body: they never enter. Source: contracts/bridge.md section 5.

What is found is told by its path alone. Luhn's sum and the issuers' prefixes are pydantic's.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from bridge.errors import Detail, InvalidRequest

# Whatever stands between a name's words: card_number, cardNumber, Card-Number.
NAMES = {"number", "cardnumber", "pan", "cvc", "cvv"}
DIGITS = re.compile(r"(?<![0-9])[0-9](?:[ .\u2010-\u2015-]*[0-9]){12,18}(?![0-9])")
SEPARATORS = re.compile(r"[^0-9]")


def refuse(paths: list[str], *, code: str | None = None) -> None:
    """Before anything else is looked at: nothing else of such a body is answered.

    Raises InvalidRequest where one was found.
    """
    if paths:
        details = [Detail(path or "body", "must not hold a card number") for path in paths]
        message = "card numbers are not taken: send a provider's token"
        raise InvalidRequest(message, code=code, details=details)


def in_any_field(body: dict[str, Any]) -> list[str]:
    """The paths of all fields that hold a card number, also of those that nobody knows."""
    return list(dict.fromkeys(path for path, _, value in _walk(body) if _holds_card(value)))


def in_named_fields(body: dict[str, Any]) -> list[str]:
    """The paths of fields that are named like a card's number and hold one."""
    fields = _walk(body)
    return [path for path, name, value in fields if _is_named(name) and _holds_card(value)]


def _is_named(name: str) -> bool:
    return name.casefold().replace("_", "").replace("-", "") in NAMES


def _walk(value: Any, path: str = "", name: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every value with its path and its field's name. A name is a value too, of what bears it."""
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
    return any(_is_card(SEPARATORS.sub("", run)) for run in DIGITS.findall(text))


def _is_card(digits: str) -> bool:
    from pydantic_core import PydanticCustomError
    from pydantic_extra_types.payment import PaymentCardBrand, PaymentCardNumber

    try:
        return PaymentCardNumber(digits).brand != PaymentCardBrand.other
    except PydanticCustomError:
        return False
