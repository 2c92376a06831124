"""Rate limits of guests and searches. Source: docs/api/native.md, section 1 (B5)."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from bridge import clock
from bridge.core.rules import rate_limits
from bridge.errors import RateLimited
from bridge.models.run_context import RunContext
from tests.conftest import run_context

pytestmark = pytest.mark.usefixtures("tables")
Setting = Callable[[str, str], None]
EMAIL = "donor@example.com"


@pytest.fixture(autouse=True)
def new_window(tables: None) -> None:
    """Move the clock to the beginning of an hour, so that no window ends during a test."""
    clock.set_offset(3600 - clock.seconds() % 3600)


def run_from(ip: str) -> RunContext:
    return replace(run_context(), source_ip=ip)


def test_guest_creations_are_limited_by_ip_address(setting: Setting) -> None:
    setting("GUEST_CREATIONS_PER_MINUTE", "2")
    for number in range(2):
        rate_limits.check_guest_creation(run_from("192.0.2.1"), f"donor{number}@example.com")
    with pytest.raises(RateLimited) as limited:
        rate_limits.check_guest_creation(run_from("192.0.2.1"), "donor3@example.com")
    assert 1 <= (limited.value.retry_after or 0) <= 60
    rate_limits.check_guest_creation(run_from("192.0.2.2"), "donor3@example.com")


def test_guest_creations_are_limited_by_folded_email(setting: Setting) -> None:
    setting("GUEST_CREATIONS_PER_HOUR", "2")
    for number, email in enumerate((EMAIL, " Donor@Example.COM")):
        rate_limits.check_guest_creation(run_from(f"192.0.2.{number}"), email)
    with pytest.raises(RateLimited) as limited:
        rate_limits.check_guest_creation(run_from("192.0.2.9"), EMAIL)
    assert 60 < (limited.value.retry_after or 0) <= 3600
    rate_limits.check_guest_creation(run_from("192.0.2.9"), "another@example.com")


def test_guest_listings_are_limited_by_ip_address_until_the_next_window(setting: Setting) -> None:
    setting("GUEST_LISTINGS_PER_MINUTE", "1")
    rate_limits.check_guest_listing(run_from("192.0.2.1"))
    with pytest.raises(RateLimited) as limited:
        rate_limits.check_guest_listing(run_from("192.0.2.1"))
    rate_limits.check_guest_listing(run_from("192.0.2.2"))
    assert 1 <= (limited.value.retry_after or 0) <= 60
    clock.set_offset(7200)  # a later hour, so another minute too
    rate_limits.check_guest_listing(run_from("192.0.2.1"))


def test_limit_of_0_is_off(setting: Setting) -> None:
    for name in ("CREATIONS_PER_MINUTE", "CREATIONS_PER_HOUR", "LISTINGS_PER_MINUTE"):
        setting(f"GUEST_{name}", "0")
    for _ in range(40):
        rate_limits.check_guest_creation(run_from("192.0.2.1"), EMAIL)
        rate_limits.check_guest_listing(run_from("192.0.2.1"))


def test_searches_are_limited_for_each_organization() -> None:
    def search_often() -> None:
        for _ in range(100):  # two pass in each second, however slow this machine is
            rate_limits.check_search("org_1")

    with pytest.raises(RateLimited) as limited:
        search_often()
    assert limited.value.retry_after == 1
    rate_limits.check_search("org_2")
