"""Payment instruments of the payments.ai API. Source: docs/api/payments-ai.md, section 3."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.api_adapters.payments_ai import payment_instrument_wire as adapter
from bridge.errors import InvalidRequest, NotFound
from bridge.models.address import Address
from bridge.models.page import OffsetPage
from bridge.models.payment_method import Instrument, InstrumentsPage, PaymentMethod
from tests.api_adapters.conftest import request_of

AT = datetime(2026, 3, 2, tzinfo=UTC)
SUFFIX = "01kjpx8se0eassyq0akmxqwk11"
METHOD = PaymentMethod(
    id=f"pm_{SUFFIX}",
    uid=SUFFIX,
    customer_id=f"cust_{SUFFIX}",
    provider_id="stripe",
    brand="visa",
    last4="4242",
    exp_month=3,
    exp_year=2027,
    is_default=True,
    token="pm_card_visa",
    created_at=AT,
    updated_at=AT,
)
ADDRESS = Address(
    id="addr_1",
    uid="1",
    customer_id=f"cust_{SUFFIX}",
    type="billing",
    line1="1 Main Street",
    city="Springfield",
    state="IL",
    postal_code="62701",
    country="US",
    created_at=AT,
    updated_at=AT,
)
BODY = {
    "id": f"pm_{SUFFIX}",
    "customerId": f"cus_{SUFFIX}",
    "type": "payment-card",
    "status": "active",
    "creditCard": {
        "creditCardLastFourDigits": "4242",
        "brand": "visa",
        "expireYear": 2027,
        "expireMonth": 3,
    },
    "billingAddress": None,
    "isDefault": True,
    "createdTime": "2026-03-02T00:00:00Z",
}


def test_read_instrument_id_accepts_only_our_form() -> None:
    def read(instrument_id: str) -> str:
        request = request_of(path_parameters={"instrument_id": instrument_id})
        return adapter.read_instrument_id(request)

    assert read(f"pm_{SUFFIX}") == f"pm_{SUFFIX}"
    for other in ("", SUFFIX, f"pm_{SUFFIX}0", "pm_card_visa", f"PM_{SUFFIX}"):
        with pytest.raises(NotFound):
            read(other)


def test_read_instruments_page_reads_limit_and_offset() -> None:
    page = adapter.read_instruments_page(request_of("limit=5&offset=2&limit=7"))
    assert page == OffsetPage(limit=7, offset=2)
    with pytest.raises(InvalidRequest) as refused:
        adapter.read_instruments_page(request_of("limit=1001&offset=x"))
    assert [detail.field for detail in refused.value.details] == ["limit", "offset"]


def test_render_instrument_has_the_documented_keys_and_no_token() -> None:
    instrument = Instrument(method=METHOD, status="active")
    for render, status in (
        (adapter.render_instrument, 200),
        (adapter.render_new_instrument, 201),
    ):
        response = render(instrument)
        assert (response.status, response.body) == (status, BODY)
    assert "pm_card_visa" not in str(response.body)


def test_render_instrument_has_the_billing_address_in_a_customers_field_names() -> None:
    instrument = Instrument(method=METHOD, status="expired", billing_address=ADDRESS)
    body: Any = adapter.render_instrument(instrument).body
    assert body["status"] == "expired"
    assert body["billingAddress"] == {
        "country": "US",
        "address1": "1 Main Street",
        "address2": None,
        "city": "Springfield",
        "region": "IL",
        "zip": "62701",
    }


def test_render_instruments_is_a_page() -> None:
    instrument = Instrument(method=METHOD, status="active")
    page = OffsetPage(limit=1, offset=2)
    found = InstrumentsPage(instruments=[instrument], total=5, asked=page)
    response = adapter.render_instruments(found)
    assert (response.status, response.body) == (200, [BODY])
    numbers = [response.headers[f"Pagination-{name}"] for name in ("Total", "Limit", "Offset")]
    assert numbers == ["5", "1", "2"]
