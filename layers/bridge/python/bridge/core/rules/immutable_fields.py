"""Fields that a change may name only with the value they have."""

from collections.abc import Iterable
from typing import Any

from bridge.errors import Detail, InvalidRequest


def check(given: dict[str, Any], stored: dict[str, Any], names: Iterable[str]) -> None:
    """Raises InvalidRequest `immutable_field` that names every field which would change."""
    wrong = [name for name in names if name in given and given[name] != stored.get(name)]
    if wrong:
        raise InvalidRequest(
            f"{', '.join(wrong)} cannot be changed",
            code="immutable_field",
            details=[Detail(name, "cannot be changed") for name in wrong],
        )
