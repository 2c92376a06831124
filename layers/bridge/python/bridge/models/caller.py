"""Who is calling, and what was read together with the credential.

Source: docs/api/native.md, section 2.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from bridge.models.model import PRIVATE, Model, Time

Role = Literal["owner", "admin", "billing", "member"]
WRITERS: frozenset[Role] = frozenset({"owner", "admin", "billing"})


class Caller(Model, frozen=True, kw_only=True):
    """A user, a guest of one record, a credential of one organization, or nobody.

    `guest_of`: the id of the one record that the guest token opens. `key_of`: the organization
    whose API key, merchant or OAuth client calls. Such a caller has all rights on the records of
    that organization, and none elsewhere. `scopes`: the calls that its token allows; None allows
    all. `prefetched`: what the store read together with the credential; only the store uses it.
    Source: docs/data-model.md, section 8.
    """

    user_id: str | None = None
    email: Annotated[str | None, PRIVATE] = None
    name: Annotated[str | None, PRIVATE] = None
    phone: Annotated[str | None, PRIVATE] = None
    organizations: dict[str, Role] = {}
    guest_of: str | None = None
    key_of: str | None = None
    scopes: frozenset[str] | None = None
    prefetched: Annotated[Mapping[Any, Any], PRIVATE] = {}

    @property
    def is_user(self) -> bool:
        """Whether this is a signed-in user."""
        return self.user_id is not None

    @property
    def is_nobody(self) -> bool:
        """Whether there was no credential at all."""
        return self.user_id is None and self.guest_of is None and self.key_of is None

    @property
    def kind(self) -> str:
        """`key`, `user`, `nobody` or `guest`, for the log."""
        if self.key_of is not None:
            return "key"
        return "user" if self.is_user else "nobody" if self.is_nobody else "guest"


class Session(Model, frozen=True, kw_only=True):
    """A signed-in user, as our table or Flowless describes one. `organizations`: role by id."""

    user_id: str
    email: Annotated[str | None, PRIVATE] = None
    name: Annotated[str | None, PRIVATE] = None
    phone: Annotated[str | None, PRIVATE] = None
    organizations: dict[str, Role] = {}
    expires_at: Time


class PrefetchIds(Model, frozen=True, kw_only=True):
    """The ids in path and headers of a request: their records are read with the credential."""

    payment_id: str | None = None
    customer_id: str | None = None
    method_id: str | None = None
    address_id: str | None = None
    client_key: str | None = None
