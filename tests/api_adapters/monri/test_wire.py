"""Errors of the Monri API. Source: docs/api/monri.md, section 4.3."""

import pytest

from bridge.api_adapters.monri import wire
from bridge.errors import Conflict, Detail, InvalidRequest
from tests.api_adapters.conftest import ERRORS

ANSWERS = {  # status, word, message
    "invalid_json": (400, "invalid-request", "Request body must be a JSON object"),
    "validation_failed": (400, "invalid-request", "Name is odd"),
    "credential_invalid": (401, "error", "who?"),
    "authentication_required": (401, "error", "credentials are required"),
    "forbidden": (403, "error", "no"),
    "not_found": (404, "invalid-request", "Customer not found"),
    "customer_deleted": (400, "invalid-request", "Customer is deleted"),
    "body_too_large": (413, "invalid-request", "Request is too large"),
    "rate_limited": (429, "error", "Too many requests"),  # M14
    "internal_error": (500, "error", "Internal error"),
    "auth_unavailable": (503, "error", "tokens cannot be signed"),
    "temporarily_unavailable": (503, "error", "the store is busy"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_m14_render_error_gives_every_error_its_status_and_three_keys(name: str) -> None:
    status, word, message = ANSWERS[name]
    response = wire.render_error(ERRORS[name], "req-1")
    assert response.status == status
    assert response.body == {"status": word, "message": message, "errors": [message]}


def test_a_taken_external_id_is_a_400() -> None:
    error = Conflict("another customer has this external id", code="external_id_taken")
    response = wire.render_error(error, "req-1")
    line = "Merchant customer has already been taken"
    assert (response.status, response.body) == (
        400,
        {"status": "invalid-request", "message": line, "errors": [line]},
    )


def test_render_error_lists_every_invalid_field_by_its_label() -> None:
    details = [Detail("city", "is too short"), Detail("zip_code", "is too long")]
    response = wire.render_error(InvalidRequest("not valid", details=details), "req-1")
    assert response.body == {
        "status": "invalid-request",
        "message": "City is too short",
        "errors": ["City is too short", "Zip code is too long"],
    }
