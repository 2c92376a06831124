"""The modules that `make mutate` changes, and the tests that must notice each change.

A module is tested by its own test file, which has its name, and by the files beside it here.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BRIDGE = "layers/bridge/python/bridge"

MODULES: dict[str, tuple[str, ...]] = {
    "core/payment_state/state_machine.py": (),
    "core/payment_state/merge.py": (),
    "core/payment_state/attempts.py": (),
    "core/payment_state/synchronize.py": (),
    "core/payment_state/creations.py": (),
    "core/payment_state/event_checks.py": (),
    "core/payment_state/commit.py": (),
    "core/payment_state/check_schedule.py": (),
    "core/payment_state/timeline.py": (),
    "core/payments/amounts.py": (),
    "core/payments/operations.py": ("core/payments/test_refunds.py",),
    "providers/stripe_objects.py": (),
}


def source_of(module: str) -> str:
    """The path of a module in the tree."""
    return f"{BRIDGE}/{module}"


def tests_of(module: str) -> tuple[str, ...]:
    """The paths of its test files in the tree: its own, then the others."""
    own = Path(module)
    return tuple(f"tests/{each}" for each in (own.with_name(f"test_{own.name}"), *MODULES[module]))
