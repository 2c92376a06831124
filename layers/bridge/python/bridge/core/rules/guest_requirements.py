"""What somebody without credentials must bring to create a record (B8, B17)."""

from bridge.errors import Detail, InvalidRequest, NotAuthenticated
from bridge.models.customer import GuestData
from bridge.models.run_context import RunContext

KEY_LENGTH = 20  # a shorter key could be guessed, and opens what its request was answered


def check(guest: GuestData | None, run: RunContext) -> None:
    """Raises NotAuthenticated, InvalidRequest."""
    if guest is None:
        raise NotAuthenticated("sign in, or send guest_data")
    if run.client_key and len(run.client_key.key) < KEY_LENGTH:
        raise InvalidRequest(
            f"a guest's Idempotency-Key must have at least {KEY_LENGTH} characters",
            details=[Detail("Idempotency-Key", f"must have at least {KEY_LENGTH} characters")],
        )
