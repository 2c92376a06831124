"""Errors of the Monri API. Source: docs/api/monri.md, section 4.3."""

import pytest

from bridge.api_adapters.monri import wire
from bridge.errors import (
    AuthUnavailable,
    BodyTooLarge,
    BridgeError,
    Conflict,
    Detail,
    Forbidden,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    RateLimited,
    TemporarilyUnavailable,
)

REFUSED = Conflict("another customer has this external id", code="external_id_taken")
DELETED = Conflict("the customer is deleted", code="customer_deleted")
TABLE: list[tuple[BridgeError, int, str, str]] = [
    (
        InvalidRequest("the body names a key twice", code="invalid_json"),
        *(400, "invalid-request", "Request body must be a JSON object"),
    ),
    (REFUSED, 400, "invalid-request", "Merchant customer has already been taken"),
    (DELETED, 400, "invalid-request", "Customer is deleted"),
    (NotFound(), 404, "invalid-request", "Customer not found"),
    (BodyTooLarge("at most 262144 bytes"), 413, "invalid-request", "Request is too large"),
    (NotAuthenticated("Authorization failed"), 401, "error", "Authorization failed"),
    (Forbidden("Scope customers is required"), 403, "error", "Scope customers is required"),
    (BridgeError("something went wrong on our side"), 500, "error", "Internal error"),
    (TemporarilyUnavailable("the store is busy"), 503, "error", "the store is busy"),
    (AuthUnavailable("tokens cannot be signed"), 503, "error", "tokens cannot be signed"),
]


@pytest.mark.parametrize(("error", "status", "word", "message"), TABLE)
def test_render_error_gives_every_error_its_status_and_three_keys(
    error: BridgeError, status: int, word: str, message: str
) -> None:
    response = wire.render_error(error, "req-1")
    assert response.status == status
    assert response.body == {"status": word, "message": message, "errors": [message]}


def test_m14_rate_limited_error_is_a_429() -> None:
    response = wire.render_error(RateLimited("wait", retry_after=5), "req-1")
    line = "Too many requests"
    assert (response.status, response.body) == (
        429,
        {"status": "error", "message": line, "errors": [line]},
    )


def test_render_error_lists_every_invalid_field_by_its_label() -> None:
    details = [Detail("city", "is too short"), Detail("zip_code", "is too long")]
    response = wire.render_error(InvalidRequest("not valid", details=details), "req-1")
    assert response.body == {
        "status": "invalid-request",
        "message": "City is too short",
        "errors": ["City is too short", "Zip code is too long"],
    }
