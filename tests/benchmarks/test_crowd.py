"""The customers of `make bench` are stored exactly as the product stores them."""

import pytest

from benchmarks import crowd
from benchmarks.customer_pages import Organization
from bridge.models.page import OffsetPage
from bridge.store.customers import customer_list_items

pytestmark = pytest.mark.usefixtures("tables")


def test_check_finds_the_items_of_the_use_case() -> None:
    crowd.check()


@pytest.mark.parametrize("shards", [1, 4])
def test_fill_spreads_customers_over_a_year_and_shards(shards: int) -> None:
    organization = Organization(120, shards)
    crowd.fill(organization, crowd.check())
    months = customer_list_items.count_by_month(organization.id)
    assert (len(months), months.total()) == (12, 120)
    page = OffsetPage(limit=200)
    listed = customer_list_items.list_by_offset(organization.id, page, months)
    assert [row.email for row in listed] == [
        f"nadia.{number:06d}@shop.test" for number in reversed(range(120))
    ]
    assert {row.shard for row in listed} == set(range(shards))
