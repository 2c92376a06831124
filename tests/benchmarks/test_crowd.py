"""What `make bench` reads pages of is what the product would have stored."""

import pytest

from benchmarks import crowd
from benchmarks.customer_pages import Organization
from bridge.models.page import OffsetPage
from bridge.store.customers import customer_list_items

pytestmark = pytest.mark.usefixtures("tables")


def test_a_customer_of_the_crowd_is_stored_as_the_use_case_stores_one() -> None:
    crowd.check()


@pytest.mark.parametrize("shards", [1, 4])
def test_a_crowd_is_counted_and_listed_over_a_year(shards: int) -> None:
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
