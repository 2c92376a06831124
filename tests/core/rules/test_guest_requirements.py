"""What a guest must send. Source: docs/api/native.md, sections 2 and 4 (B8, B17)."""

import pytest

from bridge.bodies.customer import GuestData
from bridge.core.rules import guest_requirements
from bridge.errors import InvalidRequest, NotAuthenticated
from tests.conftest import run_context

GUEST = GuestData(email="donor@example.com", name="John Doe")


def test_b8_creation_without_guest_data_raises_not_authenticated() -> None:
    with pytest.raises(NotAuthenticated):
        guest_requirements.check(None, run_context())
    with pytest.raises(NotAuthenticated):
        guest_requirements.check(None, run_context("a-key-of-twenty-chars"))


@pytest.mark.parametrize("key", [None, "x" * 20, "x" * 255])
def test_b8_guest_without_key_or_with_long_key_passes(key: str | None) -> None:
    guest_requirements.check(GUEST, run_context(key))


@pytest.mark.parametrize("key", ["x", "x" * 19])
def test_b17_guest_with_short_key_raises_invalid_request(key: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        guest_requirements.check(GUEST, run_context(key))
    assert [each.field for each in refused.value.details] == ["Idempotency-Key"]
    assert "20" in str(refused.value)
