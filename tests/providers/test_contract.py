"""Every adapter fits the protocol. Source: docs/providers.md, section A."""

import inspect

import pytest

from bridge.providers import registry
from bridge.providers.contract import Provider

VERBS = [name for name, each in vars(Provider).items() if inspect.isfunction(each)]
VERBS = [name for name in VERBS if not name.startswith("_")]
# These call nobody, so they need no end of the run.
CALL_NOBODY = {"check_amount", "check_ready", "write_creation", "read_event", "read_partner_event"}
KEYED = {
    "create_customer",
    "create_payment",
    "update_payment",
    "confirm_payment",
    "cancel_payment",
    "capture_payment",
    "refund_payment",
}


def parameters(of: object, verb: str) -> list[tuple[str, object]]:
    """The names and kinds of a verb's parameters, without `self`."""
    found = inspect.signature(getattr(of, verb)).parameters.values()
    return [(each.name, each.kind) for each in found if each.name != "self"]


@pytest.mark.parametrize("provider_id", registry.OPEN)
@pytest.mark.parametrize("verb", VERBS)
def test_adapter_has_every_verb_with_the_same_parameters(provider_id: str, verb: str) -> None:
    adapter = registry.open_provider(provider_id)
    assert parameters(type(adapter), verb) == parameters(Provider, verb)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_that_calls_the_provider_takes_the_end_of_the_run(verb: str) -> None:
    names = {name for name, _ in parameters(Provider, verb)}
    assert ("ends_at" in names) == (verb not in CALL_NOBODY)
    assert ("key" in names) == (verb in KEYED)


@pytest.mark.parametrize("provider_id", registry.OPEN)
def test_horizon_and_creation_check_are_positive_seconds(provider_id: str) -> None:
    adapter = registry.open_provider(provider_id)
    assert isinstance(adapter.single_capture, bool)
    assert 0 < adapter.horizon_s < adapter.create_check_s
