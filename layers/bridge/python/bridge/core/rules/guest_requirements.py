"""What somebody without credentials must bring to create a record (B8, B17)."""

from bridge.errors import Detail, InvalidRequest, NotAuthenticated
from bridge.models.call import Call
from bridge.models.customer import GuestData

KEY_LENGTH = 20  # a shorter key could be guessed, and opens what its request was answered


def check(guest: GuestData | None, call: Call) -> None:
    """Raises NotAuthenticated, InvalidRequest."""
    if guest is None:
        raise NotAuthenticated("sign in, or send guest_data")
    if call.client_key and len(call.client_key.key) < KEY_LENGTH:
        raise InvalidRequest(
            f"a guest's Idempotency-Key must have at least {KEY_LENGTH} characters",
            details=[Detail("Idempotency-Key", f"must have at least {KEY_LENGTH} characters")],
        )
