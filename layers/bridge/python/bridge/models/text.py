"""What the rooms share about texts: their written forms and limits.

Source: docs/api/native.md, section 1 (B4).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

METADATA_BYTES = 8 * 1024
METADATA_KEYS = 50
EMAIL = 254

MetadataValue = str | bool | int | float
Metadata = dict[str, MetadataValue]


def utc_seconds(at: datetime) -> str:
    """Return a time as every API shows it: RFC 3339 in UTC, whole seconds, with a Z."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def compact(value: object) -> str:
    """Return JSON without spaces. The byte limits of fields are measured on this form."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def metadata_bytes(metadata: Mapping[str, Any]) -> int:
    """Return the size that counts against the limit: bytes of compact JSON in UTF-8."""
    return len(compact(metadata).encode())


def normalized_email(value: str) -> str | None:
    """Return an e-mail address with its domain in lower case; None if it is not an address."""
    from email_validator import EmailNotValidError, validate_email  # takes 20 ms to load

    try:
        checked = validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return str(checked.normalized)


def is_email(value: str) -> bool:
    """Whether a text is an e-mail address by the native API's rule.

    The other APIs also store texts that are not.
    """
    normalized = normalized_email(value.strip())
    return normalized is not None and len(normalized) <= EMAIL


def fold_email(email: str) -> str:
    """Return an e-mail address as it is used in keys: trimmed, lower case (B10)."""
    return email.strip().lower()
