"""Points where a worker may die: tests kill it there."""

import sys


def reach(name: str, payment_id: str) -> None:
    """Name a point where a worker may die; tests listen by an audit hook and kill it there."""
    sys.audit("bridge.crash_point", name, payment_id)
