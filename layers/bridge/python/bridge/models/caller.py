"""Who is calling, and what their call brings along."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

Role = Literal["owner", "admin", "billing", "member"]
WRITERS: frozenset[Role] = frozenset({"owner", "admin", "billing"})


class Caller(BaseModel, frozen=True):
    """A user, a guest of one record, a key of one organization, or nobody.

    `guest_of` is the id of the one record a guest token opens. `key_of` is the organization whose
    API key, merchant or OAuth client calls: it has all rights on that one's records and none
    elsewhere; `scopes` narrow it to some calls, where they are not None. `ahead` holds what the
    store read together with the credential; only the store looks into it (data-model.md 8).
    """

    user_id: str | None = None
    email: str | None = Field(default=None, repr=False)
    name: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    organizations: dict[str, Role] = Field(default_factory=dict)
    guest_of: str | None = None
    key_of: str | None = None
    scopes: frozenset[str] | None = None
    prefetched: Mapping[Any, Any] = Field(default_factory=dict, repr=False, exclude=True)

    @property
    def is_user(self) -> bool:
        return self.user_id is not None

    @property
    def is_nobody(self) -> bool:
        return self.user_id is None and self.guest_of is None and self.key_of is None

    @property
    def kind(self) -> str:
        if self.key_of is not None:
            return "key"
        return "user" if self.is_user else "nobody" if self.is_nobody else "guest"


class Session(BaseModel, frozen=True):
    """A signed-in user as the store or Flowless describes one."""

    user_id: str
    email: str | None = Field(default=None, repr=False)
    name: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    organizations: dict[str, Role] = Field(default_factory=dict)
    expires_at: AwareDatetime


class PrefetchIds(BaseModel, frozen=True):
    """What a request names before its body is read, so that it can be read with the session."""

    payment_id: str | None = None
    customer_id: str | None = None
    method_id: str | None = None
    address_id: str | None = None
    client_key: str | None = None
