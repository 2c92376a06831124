"""The second comparison: the same calls behind FastAPI and Mangum, as their documents show it."""

from typing import Annotated, Any

from fastapi import FastAPI, Header
from mangum import Mangum
from pydantic import BaseModel, Field

from benchmarks import calls

Session = Annotated[str, Header(alias="x-session-id")]

app = FastAPI()


class NewPayment(BaseModel):
    """The body of a creation."""

    subtotal_cents: int | None = Field(default=None, ge=0)
    tax_cents: int | None = Field(default=None, ge=0)
    discount_cents: int | None = Field(default=None, ge=0)
    total_cents: int = Field(ge=1)
    currency: str = Field(pattern="^[A-Z]{3}$")
    description: str | None = None
    concept: str | None = None
    setup_future_usage: str | None = None


class Confirmation(BaseModel):
    """The body of a confirm."""

    payment_method_id: str


@app.get("/bridge-payment/payments/{payment_id}")
def get_payment(session: Session, payment_id: str) -> dict[str, Any]:
    """One payment."""
    return calls.get_payment(session, payment_id)


@app.get("/bridge-payment/customers/{customer_id}")
def get_customer(session: Session, customer_id: str) -> dict[str, Any]:
    """One customer."""
    return calls.get_customer(session, customer_id)


@app.get("/bridge-payment/payments")
def list_payments(session: Session, limit: int = 100) -> list[dict[str, Any]]:
    """The first page of payments."""
    return calls.list_payments(session, limit)


@app.post("/bridge-payment/payments/intents", status_code=201)
def create_payment_intent(
    session: Session, new: NewPayment, idempotency_key: Annotated[str, Header()]
) -> dict[str, Any]:
    """Create a payment."""
    return calls.create_payment(session, new.model_dump(), idempotency_key)


@app.post("/bridge-payment/payments/confirm/{payment_id}")
def confirm_payment(session: Session, payment_id: str, body: Confirmation) -> dict[str, Any]:
    """Confirm a payment."""
    return calls.confirm_payment(session, payment_id, body.payment_method_id)


handler = Mangum(app, lifespan="off")
