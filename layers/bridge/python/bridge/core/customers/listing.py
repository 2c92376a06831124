"""Lists of an organization's customers, for its own keys.

Source: contracts/payments-ai.md 2.3, monri.md 5.6, alternative.md 5; design/data-model.md 4 and 5.
"""

from bridge.core.rules import access, rate_limits
from bridge.errors import Detail, InvalidRequest
from bridge.models.caller import Caller
from bridge.models.customer import Customer
from bridge.models.page import Between, Counted, CursorPage, OffsetPage
from bridge.store.customers import customer_items, customer_list_items

CONSISTENT_TO = 10_000  # customers of the organization; beyond, a search may lag by a second
SEARCHED_TO = 50_000


def by_offset(caller: Caller, page: OffsetPage) -> Counted[Customer]:
    """A page, and the number of all, or of all that match.

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
    return customer_list_items.list_by_cursor(access.organization_of(caller), page)
