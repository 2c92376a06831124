"""Who may see and who may change a record (B6, B9). Not visible is not found."""

from typing import TypeVar

from bridge.errors import Forbidden, NotAuthenticated, NotFound
from bridge.models.caller import WRITERS, Caller
from bridge.models.customer import Customer
from bridge.models.payment import Payment

Owned = Customer | Payment
Record = TypeVar("Record", Customer, Payment)


def is_visible(record: Owned, caller: Caller) -> bool:
    if isinstance(record, Payment) and record.is_hidden:
        return False
    if caller.guest_of is not None:
        return caller.guest_of == record.id
    if caller.key_of is not None:
        return caller.key_of == record.organization_id
    if not caller.is_user:
        return False
    mine = record.user_id == caller.user_id
    return mine or record.organization_id in caller.organizations


def visible(record: Record | None, caller: Caller) -> Record:
    """The record. Raises NotFound: what is not the caller's is as if it were not there."""
    if record is None or not is_visible(record, caller):
        raise NotFound
    return record


def check_writable(record: Owned, caller: Caller) -> None:
    """Raises Forbidden for a member of the record's organization without a writing role."""
    if record.organization_id in caller.organizations:
        check_writer(caller, record.organization_id)


def check_member(caller: Caller, organization_id: str) -> None:
    if organization_id not in caller.organizations:
        raise Forbidden("you are not a member of this organization")


def check_writer(caller: Caller, organization_id: str | None) -> None:
    """Raises Forbidden for an organization that the caller may not write to."""
    if organization_id is None:
        return
    check_member(caller, organization_id)
    if caller.organizations[organization_id] not in WRITERS:
        raise Forbidden("your role in this organization only reads")


def organization_of(caller: Caller) -> str:
    """The organization whose key this is. Raises NotAuthenticated."""
    if caller.key_of is None:
        raise NotAuthenticated("an organization's key is required")
    return caller.key_of


def user_of(caller: Caller) -> str:
    """The user's id. Raises NotAuthenticated: a guest token neither lists nor changes records."""
    if caller.user_id is None:
        raise NotAuthenticated("a session is required")
    return caller.user_id
