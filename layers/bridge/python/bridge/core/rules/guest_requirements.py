"""What a guest must send to create a record.

Source: docs/api/native.md, sections 2 and 4 (B8, B17).
"""

from typing import TYPE_CHECKING

from bridge.errors import Detail, InvalidRequest, NotAuthenticated
from bridge.models.run_context import RunContext

if TYPE_CHECKING:
    from bridge.bodies.customer import GuestData

KEY_LENGTH = 20  # characters; with a shorter key others could guess it and get the stored response


def check(guest: "GuestData | None", run: RunContext) -> None:
    """Check a creation without credentials.

    Raises NotAuthenticated without `guest_data`, InvalidRequest if the Idempotency-Key is so short
    that it could be guessed.
    """
    if guest is None:
        raise NotAuthenticated("sign in, or send guest_data")
    if run.client_key and len(run.client_key.key) < KEY_LENGTH:
        raise InvalidRequest(
            f"a guest's Idempotency-Key must have at least {KEY_LENGTH} characters",
            details=[Detail("Idempotency-Key", f"must have at least {KEY_LENGTH} characters")],
        )
