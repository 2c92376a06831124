"""Fields that can be set only at creation. Later they may only be sent with the same value.

Source: docs/api/native.md, section 1 (B5).
"""

from collections.abc import Iterable
from typing import Any

from bridge.errors import Detail, InvalidRequest


def check(given: dict[str, Any], stored: dict[str, Any], names: Iterable[str]) -> None:
    """Raises InvalidRequest with code `immutable_field`; its details name every field that differs.

    `given`: the fields that were sent. `names`: the immutable ones. A stored field that is missing
    counts as None.
    """
    wrong = [name for name in names if name in given and given[name] != stored.get(name)]
    if wrong:
        raise InvalidRequest(
            f"{', '.join(wrong)} cannot be changed",
            code="immutable_field",
            details=[Detail(name, "cannot be changed") for name in wrong],
        )
