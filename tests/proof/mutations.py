"""Breaks the rules one by one, in the real code. The proof must notice each one.

A test applies a mutation for its own length. Our code knows nothing of mutations.
A mutation patches a function of ours by name: rename both together, or it does nothing.
Source: docs/payment-correctness.md, sections 3 and 10.
"""

from collections.abc import Callable

import pytest

from tests.proof.broken import adapter, answers, checks, creations, facts, locks

Mutation = Callable[[pytest.MonkeyPatch], None]

MUTATIONS: tuple[Mutation, ...] = (
    *locks.MUTATIONS,
    *answers.MUTATIONS,
    *checks.MUTATIONS,
    *facts.MUTATIONS,
    *creations.MUTATIONS,
    *adapter.MUTATIONS,
)

# `make test` plays these. `make power` plays all.
KEPT: tuple[Mutation, ...] = (
    locks.no_version_check,
    locks.unlock_on_timeout,
    locks.refused_not_unknown,
    facts.refund_not_reserved,
    answers.record_apart,
    locks.row_after_call,
    creations.key_of_its_own,
    checks.no_sweep,
)

# What schedules cannot reach. Each is found by the test that is named here; `make power` says so.
FOUND_BY_A_TEST: dict[Mutation, str] = {
    answers.fingerprint_ignored: (
        "tests/core/rules/test_idempotency.py"
        "::test_b17_same_key_with_other_request_raises_idempotency_key_reused"
    ),
    answers.other_request_joins: (
        "tests/core/payment_state/test_attempts.py"
        "::test_execute_returns_409_for_another_request_and_202_for_the_same"
    ),
    checks.dispute_not_watched: (
        "tests/core/payment_state/test_check_schedule.py"
        "::test_rule16_open_dispute_is_watched_every_week"
    ),
    checks.refunds_not_watched: (
        "tests/core/payment_state/test_check_schedule.py"
        "::test_rule16_young_refund_is_watched_for_30_days"
    ),
    checks.position_moved_first: (
        "tests/core/workers/test_provider_lists.py"
        "::test_run_that_fails_is_continued_after_its_last_page"
    ),
    facts.usage_not_compared: (
        "tests/core/payment_state/test_merge.py"
        "::test_status_check_ends_attempt_only_if_it_proves_the_outcome"
    ),
    creations.any_object_adopted: (
        "tests/core/payment_state/test_creations.py"
        "::test_rule17_object_with_another_amount_is_canceled_and_never_taken"
    ),
    adapter.last_try_counts: (
        "tests/providers/test_stripe_calls.py"
        "::test_rule4_unknown_try_then_refused_connection_is_unknown"
    ),
    adapter.all_captured: (
        "tests/core/payments/test_refunds.py::test_capture_takes_the_given_amount_once"
    ),
    adapter.pending_is_succeeded: (
        "tests/providers/test_stripe_objects.py"
        "::test_every_refund_status_becomes_ours_and_an_unknown_one_is_pending"
    ),
}
