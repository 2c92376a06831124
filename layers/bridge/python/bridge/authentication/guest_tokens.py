"""Guest tokens: signed texts that open one record for 30 days.

Source: docs/api/native.md, section 2 (B8).
"""

from bridge.authentication import signing
from bridge.errors import NotAuthenticated
from bridge.models.caller import Caller

PURPOSE = "guest-token"
LIFE_S = 30 * 24 * 3600


def issue(record_id: str) -> str:
    """A token that opens the record. Raises AuthUnavailable."""
    return signing.issue(PURPOSE, record_id, LIFE_S)


def authenticate(token: str) -> Caller:
    """The guest whose record the token opens. Raises NotAuthenticated, AuthUnavailable."""
    record_id = signing.read(PURPOSE, token)
    if record_id is None:
        raise NotAuthenticated("the guest token is not valid", code="session_invalid")
    return Caller(guest_of=record_id)
