"""Fields that can be set only at creation. Later they may only be sent with the same value.

Which fields these are is declared with the fields of a record: `changes="never"`.
Source: docs/api/native.md, section 1 (B5).
"""

from typing import Any

from bridge.errors import Detail, InvalidRequest
from bridge.models import field_rules
from bridge.models.model import Model, present_values_of


def changeable(given: dict[str, Any], record: Model) -> dict[str, Any]:
    """The fields that were sent, without the immutable ones, which must be as stored.

    `given`: by their names in requests. `record`: as it is stored.
    Raises InvalidRequest with code `immutable_field`; its details name every field that differs.
    """
    names = field_rules.immutable(type(record))
    wrong = [
        sent for sent, ours in names.items() if sent in given and given[sent] != _of(record, ours)
    ]
    if wrong:
        raise InvalidRequest(
            f"{', '.join(wrong)} cannot be changed",
            code="immutable_field",
            details=[Detail(name, "cannot be changed") for name in wrong],
        )
    return {name: value for name, value in given.items() if name not in names}


def _of(record: Model, name: str) -> object:
    """The stored value as a request would contain it."""
    value = getattr(record, name)
    return present_values_of(value) if isinstance(value, Model) else value
