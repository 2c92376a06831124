"""The state before the newest write: what a read replica answers that lags behind.

Nothing is ever removed, and a write changes only the payment that it names. So this is how many
resources there were, and copies of that payment's.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from local.stripe.resources.charge import Charge
from local.stripe.resources.payment_intent import PaymentIntent


@dataclass(frozen=True)
class Past:
    """`at`: Unix time of the write on the simulated clock. `sizes`: by the name of the resources.

    `intents`, `charges`: copies of what the write could change, by id.
    """

    at: float
    sizes: Mapping[str, int]
    intents: Mapping[str, PaymentIntent]
    charges: Mapping[str, Charge]


def payment_of(
    identifier: str, intents: Mapping[str, PaymentIntent], charges: Mapping[str, Charge]
) -> tuple[dict[str, PaymentIntent], dict[str, Charge]]:
    """Copy the intent with this id, or with this charge, and its latest charge."""
    charge = charges.get(identifier)
    intent = intents.get(identifier if charge is None else charge.payment_intent)
    if intent is None:
        return {}, {}
    latest = charges.get(str(intent.latest_charge))
    copied = {} if latest is None else {latest.id: copy.deepcopy(latest)}
    return {intent.id: copy.deepcopy(intent)}, copied
