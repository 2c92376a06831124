"""Customers of the payments.ai API: requests and responses.

Source: docs/api/payments-ai.md, sections 1.3 and 2; the vendor's document "Customers".
"""

from typing import Any
from urllib.parse import quote

from bridge.api_adapters.payments_ai.wire import (
    JSON,
    invalid,
    limits_of,
    render_page,
)
from bridge.errors import Detail
from bridge.inbound import Request, Response
from bridge.models.customer import Customer, CustomerResult
from bridge.models.page import Counted, OffsetPage
from bridge.models.text import (
    utc_seconds,
)

LONGEST_SEARCH = 255


def read_customers_page(request: Request) -> OffsetPage:
    """The page, the search and the order of a list. Raises InvalidRequest for all invalid ones."""
    query = request.last_query
    errors: list[Detail] = []
    limit, offset = limits_of(query, errors)
    search = query.get("search", query.get("q", "")).strip()
    if len(search) > LONGEST_SEARCH:
        errors.append(Detail("search", f"must be at most {LONGEST_SEARCH} characters"))
    sort = query.get("sort", "-createdTime")
    if sort not in ("createdTime", "-createdTime"):
        errors.append(Detail("sort", "must be createdTime or -createdTime"))
    if errors:
        raise invalid(errors)
    newest_first = sort.startswith("-")
    return OffsetPage(limit=limit, offset=offset, search=search or None, newest_first=newest_first)


def render_customer(customer: Customer) -> Response:
    """200 with the customer."""
    return Response(_customer(customer), 200, JSON)


def render_new_customer(result: CustomerResult) -> Response:
    """201 with the customer and its Location. A replay is the same."""
    body = _customer(result.customer)
    path = f"/v1/public-api/organizations/{quote(body['organizationId'], safe='')}/customers/"
    return Response(body, 201, JSON | {"Location": path + body["id"]})


def render_customers(page: OffsetPage, found: Counted[Customer]) -> Response:
    """A page of customers. Raises InvalidRequest for a page that no response can hold."""
    return render_page(page, [_customer(each) for each in found.records], found.total)


def _customer(customer: Customer) -> dict[str, Any]:
    deleted, default = customer.deleted_at, customer.default_method_id
    instrument = {"method": "payment-card", "paymentInstrumentId": default} if default else None
    return {
        "id": f"cus_{customer.uid}",
        "organizationId": customer.organization_id,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "email": customer.email,
        "phoneNumber": customer.phone,
        "language": customer.language,
        "address": customer.address,
        "primaryAddress": customer.primary_address,
        "metadata": customer.metadata,
        "customFields": customer.custom_fields,
        "defaultPaymentInstrument": instrument,
        "status": customer.state,
        "revision": customer.version,
        "createdTime": utc_seconds(customer.created_at),
        "updatedTime": utc_seconds(customer.updated_at),
        "deletedTime": utc_seconds(deleted) if deleted else None,
    }
