"""The errors that a caller can see. Source: docs/api/native.md, section 1 (B5)."""

import pytest

from bridge import errors
from bridge.errors import BridgeError, Conflict, Detail, InvalidRequest, NotExecuted, NotFound


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidRequest("m"), 400, "validation_failed"),
        (errors.NotAuthenticated("m"), 401, "authentication_required"),
        (errors.PaymentDeclined("m", decline_code=None, payment_id="p"), 402, "payment_declined"),
        (errors.Forbidden("m"), 403, "forbidden"),
        (errors.NotFound(), 404, "not_found"),
        (errors.Conflict("m", code="payment_in_progress"), 409, "payment_in_progress"),
        (errors.BodyTooLarge("m"), 413, "body_too_large"),
        (errors.RateLimited("m"), 429, "rate_limited"),
        (errors.BridgeError("m"), 500, "internal_error"),
        (errors.Refused("m"), 400, "validation_failed"),
        (errors.WrongState("m", code="payment_not_capturable"), 409, "payment_not_capturable"),
        (errors.ProviderRejectedUs("m"), 502, "provider_error"),
        (errors.ProviderUnavailable("m"), 503, "provider_unavailable"),
        (errors.UnknownOutcome("m"), 504, "provider_timeout"),
        (errors.AuthUnavailable("m"), 503, "auth_unavailable"),
        (errors.TemporarilyUnavailable("m"), 503, "temporarily_unavailable"),
    ],
)
def test_b5_each_error_has_its_status_and_code(error: BridgeError, status: int, code: str) -> None:
    assert (error.status, error.code) == (status, code)


def test_error_has_no_details_and_no_retry_after_by_default() -> None:
    error = InvalidRequest("one sentence")
    assert str(error) == "one sentence"
    assert (error.details, error.retry_after, error.replayed) == ([], None, False)


def test_error_takes_code_details_and_retry_after() -> None:
    details = (Detail("guest_data.email", "is required"), Detail("currency", "is unknown"))
    error = InvalidRequest("2 fields are wrong", code="x", details=iter(details), retry_after=5)
    assert (error.code, error.details, error.retry_after) == ("x", list(details), 5)
    assert InvalidRequest("m").code == "validation_failed"  # the class is unchanged


def test_not_found_has_a_message_that_says_nothing_about_the_record() -> None:
    assert str(NotFound()) == "no such record"


def test_payment_declined_has_decline_code_and_payment() -> None:
    error = errors.PaymentDeclined("No.", decline_code="lost_card", payment_id="pay_1")
    assert (str(error), error.decline_code, error.payment_id) == ("No.", "lost_card", "pay_1")


def test_not_executed_keeps_the_reason_of_the_provider() -> None:
    assert errors.Refused("m", reason="amount_too_small").reason == "amount_too_small"
    assert errors.Refused("m").reason is None


@pytest.mark.parametrize(
    ("kind", "is_definite"),
    [
        (errors.Refused, True),
        (errors.WrongState, True),
        (errors.ProviderRejectedUs, True),
        (errors.ProviderUnavailable, True),
        (errors.UnknownOutcome, False),
        (errors.TemporarilyUnavailable, False),
        (Conflict, False),
    ],
)
def test_only_errors_of_calls_that_surely_did_not_happen_are_not_executed(
    kind: type[BridgeError], *, is_definite: bool
) -> None:
    assert issubclass(kind, NotExecuted) == is_definite
