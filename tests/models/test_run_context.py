"""The run context. Source: docs/payment-correctness.md, section 1."""

from datetime import UTC, datetime

import msgspec
import pytest

from bridge.models.run_context import RunContext

AT = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def test_run_has_no_key_and_no_event_by_default() -> None:
    run = RunContext(cause="sweep", ends_at=AT)
    assert (run.client_key, run.event, run.source_ip) == (None, None, "")


def test_end_of_the_run_needs_a_time_zone() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"cause": "api", "ends_at": AT.replace(tzinfo=None)}, RunContext)


def test_unknown_cause_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"cause": "other", "ends_at": AT}, RunContext)
