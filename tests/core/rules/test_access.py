"""Who may see and who may change a record. Source: docs/api/native.md, section 2 (B6, B9)."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bridge.core.rules import access
from bridge.errors import Forbidden, NotAuthenticated, NotFound
from bridge.models.caller import Caller, Role
from bridge.models.customer import Customer
from tests.store.conftest import payment

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def customer(user_id: str | None = None, organization_id: str | None = None) -> Customer:
    return Customer(
        id="cust_1",
        uid="1",
        user_id=user_id,
        organization_id=organization_id,
        created_at=AT,
        updated_at=AT,
    )


def user(**organizations: Role) -> Caller:
    return Caller(user_id="user_1", organizations=organizations)


MINE = customer("user_1")
OURS = customer("user_2", "org_1")
MINE_THERE = customer("user_1", "org_1")
THEIRS = customer("user_2")
GUESTS = customer()


@pytest.mark.parametrize(
    ("record", "caller", "visible"),
    [
        (MINE, user(), True),
        (MINE_THERE, user(), True),
        (OURS, user(org_1="member"), True),
        (OURS, user(org_2="owner"), False),
        (THEIRS, user(org_1="owner"), False),
        (GUESTS, user(org_1="owner"), False),
        (GUESTS, Caller(), False),
        (GUESTS, Caller(guest_of="cust_1"), True),
        (GUESTS, Caller(guest_of="cust_2"), False),
        (GUESTS, Caller(guest_of="pay_1"), False),
        (THEIRS, Caller(guest_of=""), False),
    ],
)
def test_b9_record_of_somebody_else_raises_not_found_like_no_record(
    record: Customer, caller: Caller, *, visible: bool
) -> None:
    assert access.is_visible(record, caller) == visible
    if visible:
        assert access.visible(record, caller) is record
        return
    messages = set()
    for found in (record, None):
        with pytest.raises(NotFound) as hidden:
            access.visible(found, caller)
        messages.add(str(hidden.value))
    assert len(messages) == 1


@pytest.mark.parametrize(
    ("role", "writes"), [("owner", True), ("admin", True), ("billing", True), ("member", False)]
)
def test_b9_member_reads_and_other_roles_write(role: Role, *, writes: bool) -> None:
    caller = user(org_1=role)
    access.check_member(caller, "org_1")
    assert access.is_visible(OURS, caller)
    for check in (
        lambda: access.check_writer(caller, "org_1"),
        lambda: access.check_writable(OURS, caller),
        lambda: access.check_writable(MINE_THERE, caller),
    ):
        if writes:
            check()
        else:
            with pytest.raises(Forbidden):
                check()


def test_b9_organization_without_membership_is_forbidden() -> None:
    for check in (access.check_member, access.check_writer):
        with pytest.raises(Forbidden):
            check(user(org_2="owner"), "org_1")


def test_b9_owner_writes_records_outside_of_organizations() -> None:
    access.check_writer(user(), None)
    access.check_writable(MINE, user())


@pytest.mark.parametrize("caller", [Caller(), Caller(guest_of="pay_1")])
def test_b8_user_of_refuses_guest_token_and_no_credential(caller: Caller) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        access.user_of(caller)
    assert refused.value.code == "authentication_required"
    assert access.user_of(user()) == "user_1"


@pytest.mark.parametrize(
    "caller", [user(), user(org_1="owner"), Caller(guest_of="pay_1"), Caller()]
)
def test_b12_hidden_payment_is_visible_to_nobody(
    caller: Caller,
) -> None:
    row = payment(id="pay_1", user_id="user_1", organization_id="org_1", is_hidden=True)
    with pytest.raises(NotFound):
        access.visible(row, caller)
    not_hidden = replace(row, is_hidden=False)
    assert access.is_visible(not_hidden, caller) == (not caller.is_nobody)
