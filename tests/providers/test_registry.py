"""Which adapter serves a provider. Source: docs/providers.md, section A."""

from typing import get_args

import pytest

from bridge.errors import InvalidRequest
from bridge.models.provider import ProviderId
from bridge.providers import registry
from bridge.providers.stripe import Stripe

NOT_BUILT = [each for each in get_args(ProviderId) if each not in registry.OPEN]


def test_check_open_passes_for_stripe() -> None:
    registry.check_open("stripe")


@pytest.mark.parametrize("provider_id", NOT_BUILT)
def test_provider_that_is_not_built_raises_400_on_provider_id(provider_id: ProviderId) -> None:
    for act in (registry.check_open, registry.open_provider):
        with pytest.raises(InvalidRequest) as refused:
            act(provider_id)
        assert (refused.value.status, refused.value.code) == (400, "validation_failed")
        assert [detail.field for detail in refused.value.details] == ["provider_id"]
        assert "available: stripe" in str(refused.value)


def test_open_provider_returns_the_same_adapter_each_time() -> None:
    adapter = registry.open_provider("stripe")
    assert isinstance(adapter, Stripe)
    assert registry.open_provider("stripe") is adapter
