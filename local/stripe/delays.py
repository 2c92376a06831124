"""How long a bank takes to end what it has begun."""

from dataclasses import dataclass

SETTLES_AFTER = 60
"""Seconds, where a simulator sets nothing else."""


@dataclass
class Delays:
    """Seconds on the simulated clock, for what begins from now on.

    `refunds`: until a late refund succeeds, or a failing one fails. `debits`: until a payment from
    a bank account succeeds or fails.
    """

    refunds: float = SETTLES_AFTER
    debits: float = SETTLES_AFTER
