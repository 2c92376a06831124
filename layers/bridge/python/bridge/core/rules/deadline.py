"""How long a run may still take: the platform ends it, whatever it is doing."""

from bridge import clock
from bridge.models.call import Call

SPARE_S = 12  # with less left a provider or the bus would hardly answer, nor the store after it


def has_time(call: Call, spare_s: int = SPARE_S) -> bool:
    """Whether something may be begun that asks somebody else."""
    return (call.ends_at - clock.now()).total_seconds() >= spare_s
