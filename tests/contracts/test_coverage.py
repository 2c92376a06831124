"""No route of template.yaml escapes the fuzz suites or the isolation suites.

Each suite takes its routes from the template by itself; here they must add up to all of them.
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
from tests.contracts.strategies import BODIES

# Who asks for no credential, or judges it in its body: each with a test of its own.
OPEN = {"OperationsHealth", "MonriCreateToken", "AlternativeCreateToken"}
# They take no body, or one that is no JSON object of fields.
BODILESS = {
    "NativeSyncPayment",
    "NativeSetDefaultPaymentMethod",
    "WebhooksStripe",
    "AlternativeCreateToken",
}


def routes_of(test: Any) -> list[tuple[str, str, str]]:
    """What a test is run for."""
    (routes,) = [mark.args[1] for mark in test.pytestmark if mark.name == "parametrize"]
    return list(routes)


def test_every_route_is_fuzzed_by_one_suite() -> None:
    suites = (
        test_fuzz.test_any_request_is_answered_in_the_contracts_shape_and_every_payment_converges,
        test_payments_ai.test_any_request_is_answered_in_the_contracts_shape,
    )
    fuzzed = [route for suite in suites for route in routes_of(suite)]
    assert sorted(fuzzed) == sorted(EVERY_ROUTE)


def test_every_function_that_takes_a_body_is_fuzzed_with_a_good_one() -> None:
    writing = {name for name, method, _ in EVERY_ROUTE if method in ("POST", "PUT", "PATCH")}
    assert writing == BODIES.keys() | test_payments_ai.BODIES.keys() | BODILESS


def test_every_route_shuts_out_whoever_may_not_in_one_suite() -> None:
    isolated = [
        *((each.function, each.method, each.path) for each in test_isolation.NATIVE),
        *test_isolation.WEBHOOKS,
        *test_payments_ai.ROUTES,
        *test_monri_isolation.MONRI,
        *test_alternative_isolation.KEYED,
    ]
    assert sorted(isolated) == sorted(each for each in EVERY_ROUTE if each[0] not in OPEN)
