"""Ids are TypeIDs: a prefix and the base32 form of a UUIDv7. They sort by creation (B1)."""

import re
from datetime import datetime

# The form of an id in a path. A text of another form is not found (404), not an error of its own.
WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,128}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def new_id(prefix: str, at: datetime) -> str:
    """Return a new id: the prefix, `_` and 26 characters. `at` is the time in the id."""
    import uuid_utils  # imported here: functions that only read make no ids
    from typeid import TypeID

    value = uuid_utils.uuid7(nanoseconds=int(at.timestamp() * 1_000_000) * 1_000)
    return str(TypeID.from_uuid(value, prefix))


def lowest(at: datetime) -> str:
    """Return 26 characters that sort before all ids made at `at` or later, and after the rest."""
    import uuid_utils
    from typeid import TypeID

    value = uuid_utils.UUID(int=int(at.timestamp() * 1000) << 80)
    return str(TypeID.from_uuid(value))


def suffix(identifier: str) -> str:
    """Return the part of an id behind its prefix, as item keys use it. `cust_123` gives `123`."""
    return identifier.split("_", 1)[-1]


def from_uuid(prefix: str, text: str) -> str | None:
    """Return the id for a UUID; None if the text is not a UUID with hyphens."""
    import uuid_utils  # imported here: only Monri's API uses UUIDs
    from typeid import TypeID

    if not UUID.fullmatch(text):
        return None
    return str(TypeID.from_uuid(uuid_utils.UUID(text), prefix))


def uuid_of(uid: str) -> str:
    """Return the UUID, in lower case, for the 26 characters of an id."""
    from typeid import TypeID

    return str(TypeID(suffix=uid).uuid)


def is_well_formed(identifier: str) -> bool:
    """Whether a text can be an id: 1 to 128 letters, digits, `_` or `-`."""
    return WELL_FORMED.fullmatch(identifier) is not None
