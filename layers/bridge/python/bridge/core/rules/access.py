"""Who may see and who may change a record. A record that is not visible is not found.

Source: docs/api/native.md, section 2 (B6, B9).
"""

from typing import TypeVar

from bridge.errors import Forbidden, NotAuthenticated, NotFound
from bridge.models.caller import WRITERS, Caller
from bridge.models.customer import Customer
from bridge.models.payment import Payment

Owned = Customer | Payment
Record = TypeVar("Record", Customer, Payment)


def is_visible(record: Owned, caller: Caller) -> bool:
    """Whether the caller may see the record. A hidden payment is visible to nobody."""
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
    """The record, if the caller may see it.

    Raises NotFound for no record and for a record of somebody else alike, so that nobody can find
    out which ids exist.
    """
    if record is None or not is_visible(record, caller):
        raise NotFound
    return record


def check_writable(record: Owned, caller: Caller) -> None:
    """Check that the caller, who can see the record, may change it.

    Raises Forbidden for a member of the record's organization whose role only reads, also if that
    member made the record.
    """
    if record.organization_id in caller.organizations:
        check_writer(caller, record.organization_id)


def check_member(caller: Caller, organization_id: str) -> None:
    """Raises Forbidden unless the caller is a member of the organization."""
    if organization_id not in caller.organizations:
        raise Forbidden("you are not a member of this organization")


def check_writer(caller: Caller, organization_id: str | None) -> None:
    """Raises Forbidden unless the caller may write in the organization, or it is None."""
    if organization_id is None:
        return
    check_member(caller, organization_id)
    if caller.organizations[organization_id] not in WRITERS:
        raise Forbidden("your role in this organization only reads")


def organization_of(caller: Caller) -> str:
    """The organization whose credential calls. Raises NotAuthenticated for any other caller."""
    if caller.key_of is None:
        raise NotAuthenticated("an organization's key is required")
    return caller.key_of


def user_of(caller: Caller) -> str:
    """The user's id. Raises NotAuthenticated for a caller without a session (B8).

    A guest token is not enough: it opens one record and does not list or make others.
    """
    if caller.user_id is None:
        raise NotAuthenticated("a session is required")
    return caller.user_id
