"""Who is calling. Source: docs/api/native.md, section 2."""

import pytest

from bridge.models.caller import WRITERS, Caller
from bridge.store.keys import Key


@pytest.mark.parametrize(
    ("caller", "kind", "is_user", "is_nobody"),
    [
        (Caller(), "nobody", False, True),
        (Caller(user_id="user_1"), "user", True, False),
        (Caller(guest_of="pay_1"), "guest", False, False),
        (Caller(key_of="org_1"), "key", False, False),
    ],
)
def test_kind_of_a_caller_follows_from_its_credential(
    caller: Caller, kind: str, *, is_user: bool, is_nobody: bool
) -> None:
    assert (caller.kind, caller.is_user, caller.is_nobody) == (kind, is_user, is_nobody)


def test_personal_data_and_prefetched_items_are_not_printed() -> None:
    key = Key("ledger", "P#1", "P")
    caller = Caller(
        user_id="user_1",
        email="jane@example.com",
        name="Jane Doe",
        phone="+1234567890",
        prefetched={key: {"secret": "text"}},
    )
    for hidden in ("jane", "Jane", "1234567890", "text"):
        assert hidden not in repr(caller)
    assert "prefetched" not in repr(caller)


def test_b9_every_role_but_member_writes() -> None:
    assert sorted(WRITERS) == ["admin", "billing", "owner"]
