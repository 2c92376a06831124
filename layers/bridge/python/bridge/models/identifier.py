"""Ids: TypeIDs, a prefix and the base32 of a UUIDv7, so that they sort by creation (B1)."""

import re
from datetime import datetime

# What an id in a path may be made of; anything else is an id that nobody has.
WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,128}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def new_id(prefix: str, at: datetime) -> str:
    """`pay_` + 26 characters, whose time part is `at`."""
    import uuid_utils  # what only reads needs no new ids
    from typeid import TypeID

    value = uuid_utils.uuid7(nanoseconds=int(at.timestamp() * 1_000_000) * 1_000)
    return str(TypeID.from_uuid(value, prefix))


def lowest(at: datetime) -> str:
    """The 26 characters that sort before every id made at `at` or later, and after all others."""
    import uuid_utils
    from typeid import TypeID

    value = uuid_utils.UUID(int=int(at.timestamp() * 1000) << 80)
    return str(TypeID.from_uuid(value))


def suffix(identifier: str) -> str:
    """What follows the prefix: the item's key. `cust_123` gives `123`."""
    return identifier.split("_", 1)[-1]


def from_uuid(prefix: str, text: str) -> str | None:
    """The id whose 26 characters are this UUID's; None where the text is not the form of one."""
    import uuid_utils  # one dialect alone shows UUIDs
    from typeid import TypeID

    if not UUID.fullmatch(text):
        return None
    return str(TypeID.from_uuid(uuid_utils.UUID(text), prefix))


def uuid_of(uid: str) -> str:
    """The UUID, in lower case, that 26 characters stand for."""
    from typeid import TypeID

    return str(TypeID(suffix=uid).uuid)


def is_well_formed(identifier: str) -> bool:
    return WELL_FORMED.fullmatch(identifier) is not None
