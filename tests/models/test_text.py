"""Texts that all APIs share. Source: docs/api/native.md, section 1 (B4)."""

from datetime import datetime, timedelta, timezone

from bridge.models import text


def test_b10_fold_email_trims_and_lowers() -> None:
    assert text.fold_email(" Jane.Doe@Example.COM ") == "jane.doe@example.com"


def test_utc_seconds_is_rfc_3339_in_utc_with_whole_seconds() -> None:
    at = datetime(2025, 1, 15, 12, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert text.utc_seconds(at) == "2025-01-15T10:30:00Z"


def test_is_email_is_true_only_for_addresses_of_at_most_254_characters() -> None:
    assert text.is_email(" jane@example.com ")
    assert not text.is_email("not an address")
    assert not text.is_email("a@" + "b" * 60 + ("." + "c" * 60) * 3 + ".com" + "x" * 20)
