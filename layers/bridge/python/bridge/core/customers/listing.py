"""Lists and searches an organization's customers, for callers with the organization's credential.

Source: docs/data-model.md, sections 4 and 5; docs/api/payments-ai.md, section 2.3;
docs/api/monri.md, section 5.6; docs/api/alternative.md, section 5.
"""

from bridge.core.rules import access, rate_limits
from bridge.errors import Detail, InvalidRequest
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.page import Between, Counted, CursorPage, OffsetPage
from bridge.store.customers import customer_items, customer_list_items

# Numbers of an organization's customers. Above the first, a search reads eventually consistent data
# and is rate limited; above the second there is no search, because it would read too much.
CONSISTENT_TO = 10_000
SEARCHED_TO = 50_000


def by_offset(caller: Caller, page: OffsetPage) -> Counted[Customer]:
    """Return a page of customers, and the number of all customers, or of all that match.

    Raises InvalidRequest `search_unavailable`, RateLimited.
    """
    organization_id = access.organization_of(caller)
    months = customer_list_items.count_by_month(organization_id)
    total = months.total()
    if page.search and (text := customer_items.fold(page.search)):
        return _search(organization_id, text, page, total)
    listed = customer_list_items.list_by_offset(organization_id, page, months) if page.limit else []
    return Counted(listed, total)


def _search(organization_id: str, text: str, page: OffsetPage, total: int) -> Counted[Customer]:
    if total > SEARCHED_TO:
        message = f"not available above {SEARCHED_TO} customers"
        details = [Detail("search", message)]
        raise InvalidRequest(f"search is {message}", code="search_unavailable", details=details)
    if total > CONSISTENT_TO:
        rate_limits.check_search(organization_id)
    consistent = total <= CONSISTENT_TO
    ids = list(customer_list_items.search(organization_id, text, page, consistent=consistent))
    page_ids = ids[page.offset : page.offset + page.limit]
    return Counted(customer_items.list_by_id(page_ids) if page_ids else [], len(ids))


def by_cursor(caller: Caller, page: CursorPage) -> Between[Customer]:
    """Return a page of customers before or after a cursor, newest first."""
    return customer_list_items.list_by_cursor(access.organization_of(caller), page)
