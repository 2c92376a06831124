"""Payment instruments of the payments.ai API: requests and responses.

They are our payment methods. Source: docs/api/payments-ai.md, section 3.
"""

from typing import Any

from bridge.api_adapters.payments_ai.wire import (
    INSTRUMENT_ID,
    JSON,
    invalid,
    limits_of,
    render_page,
)
from bridge.errors import Detail, NotFound
from bridge.inbound import Request, Response
from bridge.models.address import Address
from bridge.models.identifier import suffix
from bridge.models.page import OffsetPage
from bridge.models.payment_method import Instrument, InstrumentsPage
from bridge.models.text import utc_seconds


def read_instrument_id(request: Request) -> str:
    """The instrument's id in the path. Raises NotFound for an id of another form."""
    instrument_id = request.path_parameters["instrument_id"]
    if not INSTRUMENT_ID.fullmatch(instrument_id):
        raise NotFound
    return instrument_id


def read_instruments_page(request: Request) -> OffsetPage:
    """The page of a list. Raises InvalidRequest that names every invalid parameter."""
    errors: list[Detail] = []
    limit, offset = limits_of(request.last_query, errors)
    if errors:
        raise invalid(errors)
    return OffsetPage(limit=limit, offset=offset)


def render_instrument(instrument: Instrument) -> Response:
    """200 with the instrument."""
    return Response(_instrument(instrument), 200, JSON)


def render_new_instrument(instrument: Instrument) -> Response:
    """201 with the instrument."""
    return Response(_instrument(instrument), 201, JSON)


def render_instruments(found: InstrumentsPage) -> Response:
    """A page of instruments. Raises InvalidRequest for a page that no response can hold."""
    return render_page(found.asked, [_instrument(each) for each in found.instruments], found.total)


def _instrument(instrument: Instrument) -> dict[str, Any]:
    method, address = instrument.method, instrument.billing_address
    return {
        "id": method.id,
        "customerId": f"cus_{suffix(method.customer_id)}",
        "type": "payment-card",
        "status": instrument.status,
        "creditCard": {
            "creditCardLastFourDigits": method.last4,
            "brand": method.brand,
            "expireYear": method.exp_year,
            "expireMonth": method.exp_month,
        },
        "billingAddress": _address(address) if address else None,
        "isDefault": method.is_default,
        "createdTime": utc_seconds(method.created_at),
    }


def _address(address: Address) -> dict[str, str | None]:
    """The billing address, with the field names of a customer's address (1.3.1)."""
    return {
        "country": address.country,
        "address1": address.line1,
        "address2": address.line2,
        "city": address.city,
        "region": address.state,
        "zip": address.postal_code,
    }
