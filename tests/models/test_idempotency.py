"""The idempotency record (B17). Source: docs/payment-correctness.md, section 5."""

import msgspec
import pytest

from bridge.models.idempotency import IdempotencyRecord


def test_stored_response_is_the_snapshot_of_a_record_that_is_done() -> None:
    record = IdempotencyRecord(
        key="I#1", fingerprint="f", subject_id="pay_1", state="done", snapshot="{}", expires=1
    )
    assert record.stored_response == "{}"


@pytest.mark.parametrize("state", ["open", "free"])
def test_stored_response_raises_if_there_is_none(state: str) -> None:
    known = {"key": "I#1", "fingerprint": "f", "subject_id": "pay_1", "expires": 1}
    record = msgspec.convert(known | {"state": state}, IdempotencyRecord)
    assert not record.declined
    with pytest.raises(RuntimeError):
        _ = record.stored_response
