"""The types of fields in request bodies, with their limits.

Source: docs/api/native.md, section 1 (B4).
"""

import re
import unicodedata
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from bridge.models.currency import EXPONENTS
from bridge.models.text import (
    EMAIL,
    METADATA_BYTES,
    METADATA_KEYS,
    Metadata,
    metadata_bytes,
    normalized_email,
)

# `defer_build`: a validator is built at its first use. Most functions use one of these models or
# none, so this shortens the cold start.
STRICT = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)

METADATA_KEY, METADATA_VALUE = 40, 500
# DynamoDB stores numbers from 1E-130 to 9.9E+125 with 38 digits. These limits stay well inside.
SMALLEST, LARGEST = 1e-100, 1e100
DESCRIPTOR = re.compile(r"(?=.*[A-Za-z])[ -~]{5,22}")
NOT_PRINTED = re.compile(r"""[<>\\'"*]""")
PHONE = re.compile(r"[0-9 +().-]{3,30}")


class ValidationErrors(ValueError):
    """Several errors inside one field: pairs of the path below the field and the message."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(message for _, message in errors))
        self.errors = errors


def _has_control(text: str, allowed: str = "") -> bool:
    return any(unicodedata.category(each) == "Cc" and each not in allowed for each in text)


def _line(value: str) -> str:
    if _has_control(value := value.strip()):
        raise ValueError("must not hold control characters")
    return value


def _paragraph(value: str) -> str:
    if _has_control(value := value.strip(), "\n\t"):
        raise ValueError("must not hold control characters")
    return value


def _within(value: str, limit: int) -> str:
    if len(value) > limit:
        raise ValueError(f"must have at most {limit} characters")
    return value


def _at_most(limit: int) -> AfterValidator:
    return AfterValidator(lambda value: _within(value, limit))


def _not_empty(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _email(value: str) -> str:
    if (normalized := normalized_email(value.strip())) is None:
        raise ValueError("must be an e-mail address")
    return _within(normalized, EMAIL)


def _phone(value: str) -> str:
    if not PHONE.fullmatch(value := value.strip()):
        raise ValueError("must have 3 to 30 characters out of digits, space and + - ( ) .")
    return value


def _descriptor(value: str) -> str:
    """Source: Stripe, "Statement descriptors"."""
    if not DESCRIPTOR.fullmatch(value := value.strip()) or NOT_PRINTED.search(value):
        raise ValueError("must have 5 to 22 ASCII characters with a letter, without < > \\ ' \" *")
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value := value.strip())
        host, _ = parts.hostname, parts.port  # both raise ValueError
    except ValueError as error:
        raise ValueError("must be a URL") from error
    if any(ord(each) <= 32 or each == "\\" for each in value) or "@" in parts.netloc or not host:
        raise ValueError("must be a URL")
    if parts.scheme not in ("https", "http"):
        raise ValueError("must start with https://")
    return value


def _metadata_error(key: str, value: object) -> str | None:
    if len(key) > METADATA_KEY or not key or _has_control(key):
        return f"a key must have 1 to {METADATA_KEY} characters and no control characters"
    if isinstance(value, str):
        if len(value) > METADATA_VALUE:
            return f"must have at most {METADATA_VALUE} characters"
        return "must not hold control characters" if _has_control(value, "\n\t") else None
    if isinstance(value, bool | int):
        return None
    if isinstance(value, float):
        fits = value == 0 or SMALLEST < abs(value) < LARGEST
        return None if fits else "is a number out of range"
    return "must be a string, a number or a boolean: nested values are not kept"


def _metadata(value: Any) -> Metadata:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    given = {key: each for key, each in value.items() if each is not None}
    trimmed = {key: each.strip() if isinstance(each, str) else each for key, each in given.items()}
    errors = [
        (key, error) for key, each in trimmed.items() if (error := _metadata_error(key, each))
    ]
    if len(trimmed) > METADATA_KEYS:
        errors.append(("", f"must have at most {METADATA_KEYS} keys"))
    if not errors and metadata_bytes(trimmed) > METADATA_BYTES:
        errors.append(("", f"must have at most {METADATA_BYTES} bytes as JSON"))
    if errors:
        raise ValidationErrors(errors)
    return trimmed


Reference = Annotated[str, AfterValidator(_line), AfterValidator(_not_empty), _at_most(200)]
Name = Annotated[str, AfterValidator(_line), _at_most(200)]
RequiredName = Annotated[str, AfterValidator(_line), AfterValidator(_not_empty), _at_most(200)]
Short = Annotated[str, AfterValidator(_line), _at_most(100)]
Tags = Annotated[str, AfterValidator(_line), _at_most(500)]
Description = Annotated[str, AfterValidator(_paragraph), _at_most(1000)]
Email = Annotated[str, AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone)]
StatementDescriptor = Annotated[str, AfterValidator(_descriptor)]
Url = Annotated[str, AfterValidator(_url), _at_most(2000)]
CheckedMetadata = Annotated[Metadata, BeforeValidator(_metadata)]


def _currency(code: str) -> str:
    if code.upper() not in EXPONENTS:
        raise ValueError("must be an ISO 4217 currency code")
    return code.upper()


Currency = Annotated[str, AfterValidator(_currency)]
Cents = Annotated[int, Field(ge=0, le=999_999_999_999)]
"""An amount in its currency's minor unit (B14)."""
PositiveCents = Annotated[Cents, Field(ge=1)]
