"""Pages of lists. Source: docs/api/native.md, section 3."""

from bridge.models.page import CursorPage, OffsetPage, Page


def test_page_has_100_records_from_the_first_by_default() -> None:
    page = Page()
    assert (page.limit, page.offset) == (100, 0)
    assert (page.organization_id, page.provider_id, page.customer_id) == (None, None, None)


def test_page_of_an_organization_is_newest_first_by_default() -> None:
    assert OffsetPage(limit=5).newest_first
    assert OffsetPage(limit=5).search is None


def test_cursor_page_without_position_is_the_first_page() -> None:
    page = CursorPage(limit=5)
    assert (page.after, page.before, page.name) == (None, None, None)
