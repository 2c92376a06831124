"""Named places where a worker may die. In production they do nothing.

Tests listen to the audit event `bridge.crash_point` and kill or delay the worker there, so the
code needs no hooks for tests: `Crash` in tests/conftest.py, and tests/proof/hooks.py.
Source: docs/payment-correctness.md, section 10, "Crash points".
"""

import sys


def reach(name: str, record_id: str) -> None:
    """Say that this worker has come to a crash point. `record_id`: the record it works on."""
    sys.audit("bridge.crash_point", name, record_id)
