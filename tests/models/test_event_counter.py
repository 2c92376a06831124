"""The event counter of a payment. Source: docs/payment-correctness.md, rule 14."""

import pytest

from bridge.models.event_counter import EventCounter


@pytest.mark.parametrize(
    ("received", "covered", "expected"), [(1, 0, True), (2, 0, False), (5, 4, True), (4, 4, False)]
)
def test_only_the_first_event_since_a_check_brings_the_next_one(
    received: int, covered: int, expected: bool
) -> None:
    counter = EventCounter(payment_id="pay_1", received=received, covered=covered)
    assert counter.brings_check is expected
