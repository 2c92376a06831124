"""Every route of template.yaml is in one fuzz suite and in one isolation suite.

Each suite takes its routes from the template. Together they must be all routes.
"""

from typing import Any

from tests.contracts import (
    test_alternative_isolation,
    test_fuzz,
    test_isolation,
    test_monri_isolation,
    test_payments_ai,
)
from tests.contracts.shape import EVERY_ROUTE
from tests.contracts.strategies import BODIES, kinds_of

# They need no credential, or check one in the body: each has tests of its own.
OPEN = {"OperationsHealth", "MonriCreateToken", "AlternativeCreateToken"}
# They take no body, or one that is not a JSON object.
BODILESS = {
    "NativeSyncPayment",
    "NativeSetDefaultPaymentMethod",
    "WebhooksStripe",
    "AlternativeCreateToken",
}


def routes_of(test: Any) -> list[tuple[str, str, str]]:
    """The routes that a test is parametrized with."""
    (routes,) = [mark.args[1] for mark in test.pytestmark if mark.name == "parametrize"]
    return list(routes)


def test_every_route_is_in_one_fuzz_suite() -> None:
    suites = (
        test_fuzz.test_any_request_gets_the_documented_shape_and_payments_agree_with_the_provider,
        test_payments_ai.test_any_request_gets_the_documented_shape,
    )
    fuzzed = [route for suite in suites for route in routes_of(suite)]
    assert sorted(fuzzed) == sorted(set(fuzzed))
    assert set(fuzzed) ^ set(EVERY_ROUTE) == set()


def test_every_function_with_a_body_is_fuzzed_with_a_valid_one() -> None:
    writing = {name for name, method, _ in EVERY_ROUTE if method in ("POST", "PUT", "PATCH")}
    assert writing ^ (BODIES.keys() | test_payments_ai.BODIES.keys() | BODILESS) == set()


def test_every_field_of_a_body_has_a_strategy() -> None:
    models = {model for model, _ in BODIES.values()}
    missing = {model: set(model.model_fields) - set(kinds_of(model)) for model in models}
    assert {model.__name__: names for model, names in missing.items() if names} == {}


def test_every_route_is_in_one_isolation_suite() -> None:
    isolated = [
        *((each.function, each.method, each.path) for each in test_isolation.NATIVE),
        *test_isolation.WEBHOOKS,
        *test_payments_ai.ROUTES,
        *test_monri_isolation.MONRI,
        *test_alternative_isolation.KEYED,
    ]
    assert sorted(isolated) == sorted(set(isolated))
    assert set(isolated) ^ {each for each in EVERY_ROUTE if each[0] not in OPEN} == set()
