"""How far a provider's lists are read. Source: docs/payment-correctness.md, section 8."""

from datetime import UTC, datetime

import msgspec
import pytest

from bridge.models.provider_walk import ProviderWalk

AT = datetime(2026, 1, 15, tzinfo=UTC)
WALK = {"provider_id": "stripe", "kind": "events", "since": AT, "until": AT, "is_finished": True}


def test_new_walk_has_no_position_and_was_never_written() -> None:
    walk = msgspec.convert(WALK, ProviderWalk)
    assert (walk.position, walk.version) == (None, 0)


@pytest.mark.parametrize("wrong", [{"kind": "payouts"}, {"since": datetime(2026, 1, 15)}])  # noqa: DTZ001
def test_unknown_kind_and_time_without_zone_are_invalid(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(WALK | wrong, ProviderWalk)
