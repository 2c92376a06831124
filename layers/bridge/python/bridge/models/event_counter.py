"""The event counter of a payment: which events a status check has covered, and which it has not.

Source: docs/payment-correctness.md, rule 14.
"""

from bridge.models.model import Model


class EventCounter(Model, frozen=True, kw_only=True):
    """How many events of a payment were `received`, and up to which one a check `covered` them.

    While the two differ, the counter is due at `due_at`; `failing_since`: the status checks fail
    since then. Both in seconds.
    """

    payment_id: str
    received: int
    covered: int = 0
    due_at: int | None = None
    failing_since: int | None = None

    @property
    def brings_check(self) -> bool:
        """Whether the last event was the first since a check: then its worker does the next one."""
        return self.received == self.covered + 1
