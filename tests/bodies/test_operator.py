"""The input of operators' functions. Source: docs/architecture.md, section 2."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from bridge import clock
from bridge.bodies.operator import (
    CredentialsOf,
    NewCredential,
    ReplayEvent,
    RevokedCredential,
    SessionEvent,
)

SESSION = "a-session-of-sixteen-or-more"


@pytest.mark.parametrize(
    ("length", "is_valid"), [(15, False), (16, True), (4096, True), (4097, False)]
)
def test_b7_session_id_must_have_16_to_4096_characters(length: int, *, is_valid: bool) -> None:
    described = {"session_id": "x" * length, "user_id": "user_1", "expires_at": clock.now()}
    if is_valid:
        assert len(SessionEvent.model_validate(described).session_id) == length
        return
    with pytest.raises(ValidationError):
        SessionEvent.model_validate(described)


def test_session_id_is_not_in_the_text_of_the_event() -> None:
    event = SessionEvent(session_id=SESSION, user_id="user_1", expires_at=clock.now())
    assert SESSION not in repr(event)


@pytest.mark.parametrize(
    "change",
    [{"expires_at": "2026-01-15T10:30:00"}, {"organizations": {"org_1": "king"}}, {"user_id": 5}],
)
def test_b7_session_with_a_wrong_value_is_refused(change: dict[str, Any]) -> None:
    described = {"session_id": SESSION, "user_id": "user_1", "expires_at": "2026-01-15T10:30:00Z"}
    assert SessionEvent.model_validate(described).organizations == {}
    with pytest.raises(ValidationError):
        SessionEvent.model_validate(described | change)


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (NewCredential, {"kind": "password", "organization_id": "org_1"}),
        (NewCredential, {"kind": "api_key", "organization_id": " "}),
        (CredentialsOf, {"organization_id": ""}),
        (RevokedCredential, {"organization_id": "org_1"}),
        (ReplayEvent, {"payment_id": "pay_1", "from_sequence": 0}),
        (ReplayEvent, {"payment_id": "pay_1", "from_sequence": "1"}),
    ],
)
def test_operator_input_with_a_wrong_value_is_refused(
    model: type[BaseModel], values: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(values)
