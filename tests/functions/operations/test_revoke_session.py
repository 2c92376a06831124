"""operations/revoke_session: a session ends at once."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.operations.put_session.handler import handler as put_session
from functions.operations.revoke_session.handler import handler
from tests.functions.conftest import Api

Operate = Callable[..., dict[str, Any]]
ID = "session_0195d2f8c4e07b6aa1"  # of both event files


def test_b7_event_file_signs_the_user_out_at_once(guest: Api, operate: Operate) -> None:
    operate(put_session, "operations/put_session")
    signed_in = guest.with_headers(x_session_id=ID)
    assert signed_in.get("/payments").status == 200
    assert operate(handler, "operations/revoke_session") == {"ok": True}
    reply = signed_in.get("/payments")
    assert (reply.status, reply.code) == (401, "session_invalid")


def test_revoke_of_unknown_session_succeeds(guest: Api, operate: Operate) -> None:
    assert operate(handler, "operations/revoke_session") == {"ok": True}


@pytest.mark.parametrize("wrong", [None, "", 5, ["x"]])
def test_event_without_session_id_returns_validation_failed(
    guest: Api, operate: Operate, wrong: object
) -> None:
    result = operate(handler, "operations/revoke_session", session_id=wrong)
    assert (result["ok"], result["code"]) == (False, "validation_failed")
    assert result["details"] == [{"field": "session_id", "message": "is required"}]
