"""The native API of Bridge Payments: its credentials, requests, responses and errors.

Source: docs/api/native.md, sections 1 and 4; the documents "Customers API" and "Payments API".
"""

from datetime import datetime
from typing import Any

from bridge.authentication import guest_tokens, sessions, signing
from bridge.bodies import Model
from bridge.errors import (
    BridgeError,
    Detail,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    PaymentDeclined,
)
from bridge.inbound import Request, Response
from bridge.models import card_numbers, field_rules
from bridge.models.address import Address, AddressChange, AddressResult, NewAddress
from bridge.models.caller import Caller, PrefetchIds
from bridge.models.customer import Customer, CustomerChange, CustomerResult, NewCustomer
from bridge.models.identifier import is_well_formed
from bridge.models.page import Page
from bridge.models.payment import (
    Cancellation,
    Capture,
    Confirmation,
    Entry,
    NewPayment,
    Payment,
    PaymentChange,
    PaymentResult,
)
from bridge.models.payment_method import (
    MethodChange,
    MethodResult,
    NewMethod,
    PaymentMethod,
)
from bridge.models.refund import NewRefund, Refund
from bridge.models.text import utc_seconds

BODY_LIMIT = 256 * 1024
LIMIT, MOST, DEEPEST = 100, 500, 10_000
ANY_DEPTH = 10**15  # an organization's list of customers has any offset
PAYMENT_FIELDS = field_rules.fields_with(Payment, seen_by="caller")
RENAMED = {
    "captured_cents": "amount_captured_cents",
    "refunded_cents": "amount_refunded_cents",
}


def authenticate(request: Request) -> Caller:
    """The caller, by the first credential that is present (B6).

    The order is Bearer, X-Session-ID, session_id, guest token. A caller without any is nobody.
    Raises NotAuthenticated, AuthUnavailable, InvalidRequest.
    """
    if (authorization := request.headers.get("authorization")) is not None:
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthenticated("Authorization must be Bearer", code="session_invalid")
        return _by_session(request, token.strip())
    for given in (request.headers.get("x-session-id"), request.query.get("session_id")):
        if given is not None:
            return _by_session(request, given.strip())
    for given in (request.headers.get("x-guest-token"), request.query.get("guest_token")):
        if given is not None:
            return guest_tokens.authenticate(given.strip())
    return Caller()


def _by_session(request: Request, session_id: str) -> Caller:
    user_agent = request.headers.get("user-agent", "")
    return sessions.authenticate(
        session_id, _prefetch_ids(request), ip=request.source_ip, user_agent=user_agent
    )


def _prefetch_ids(request: Request) -> PrefetchIds:
    """The records that the request names: they are read together with the session, in one batch."""
    given = request.path_parameters.get("id", "")
    if not is_well_formed(given):
        return PrefetchIds()
    if "/customers/" in request.path or "/payment-methods/customer/" in request.path:
        return PrefetchIds(customer_id=given)
    if "/payment-methods/" in request.path:
        return PrefetchIds(method_id=given)
    if "/addresses/" in request.path:
        return PrefetchIds(address_id=given)
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    return PrefetchIds(payment_id=given, client_key=key)


def _parse(request: Request, model: type[Model]) -> Model:
    """The body, whose card fields must contain no card number. Raises InvalidRequest."""
    card_numbers.refuse(card_numbers.in_card_fields(request.json))
    return request.parse(model)


def _parse_optional(request: Request, model: type[Model]) -> Model:
    """The same, but an empty body counts as an empty object. Raises InvalidRequest."""
    if request.body.strip():
        card_numbers.refuse(card_numbers.in_card_fields(request.json))
    return request.parse_optional(model)


def _parse_without_cards(request: Request, model: type[Model]) -> Model:
    """The body, in which no field at all may contain a card number. Raises InvalidRequest."""
    card_numbers.refuse(card_numbers.in_any_field(request.json))
    return request.parse(model)


def read_new_customer(request: Request) -> NewCustomer:
    """A customer to create. Raises NotAuthenticated, AuthUnavailable, InvalidRequest."""
    _check_guest(request)
    return _parse(request, NewCustomer)


def read_customer_change(request: Request) -> CustomerChange:
    """A customer's changed fields. Raises InvalidRequest."""
    return _parse(request, CustomerChange)


def read_new_payment(request: Request) -> NewPayment:
    """A payment to create. Raises NotAuthenticated, AuthUnavailable, InvalidRequest."""
    _check_guest(request)
    return _parse(request, NewPayment)


def _check_guest(request: Request) -> None:
    """Check a caller without a session before the body is validated (B8).

    Raises NotAuthenticated without guest_data, AuthUnavailable if no guest token can be signed.
    """
    has_guest_data = request.body.strip() and request.json.get("guest_data") is not None
    if not request.caller.is_user and not has_guest_data:
        raise NotAuthenticated("sign in, or send guest_data")
    if not request.caller.is_user:
        signing.check_ready()


def read_payment_change(request: Request) -> PaymentChange:
    """A payment's changed fields. Raises InvalidRequest."""
    return _parse(request, PaymentChange)


def read_confirmation(request: Request) -> Confirmation:
    """How to confirm a payment. The body may be empty. Raises InvalidRequest."""
    return _parse_optional(request, Confirmation)


def read_cancellation(request: Request) -> Cancellation:
    """How to cancel a payment. The body may be empty. Raises InvalidRequest."""
    return _parse_optional(request, Cancellation)


def read_capture(request: Request) -> Capture:
    """What to capture. The body may be empty. Raises InvalidRequest."""
    return _parse_optional(request, Capture)


def read_new_refund(request: Request) -> NewRefund:
    """What to refund. The body may be empty. Raises InvalidRequest."""
    return _parse_optional(request, NewRefund)


def read_new_method(request: Request) -> NewMethod:
    """A payment method to save. Raises InvalidRequest."""
    return _parse_without_cards(request, NewMethod)


def read_method_change(request: Request) -> MethodChange:
    """A payment method's changed fields. Raises InvalidRequest."""
    return _parse_without_cards(request, MethodChange)


def read_new_address(request: Request) -> NewAddress:
    """An address to save. Raises InvalidRequest."""
    return _parse_without_cards(request, NewAddress)


def read_address_change(request: Request) -> AddressChange:
    """An address's changed fields. Raises InvalidRequest."""
    return _parse_without_cards(request, AddressChange)


def read_id(request: Request) -> str:
    """The id in the path, as it was sent."""
    return request.path_parameters["id"]


def read_email(request: Request) -> str:
    """The e-mail address in the path. A space was a plus sign that a client decoded (B10)."""
    return request.path_parameters["email"].replace(" ", "+")


def read_page(request: Request) -> Page:
    """The page and the filters of a list. Raises InvalidRequest."""
    return _read_page(request, DEEPEST)


def read_customers_page(request: Request) -> Page:
    """The same for customers. An organization's list has any offset. Raises InvalidRequest."""
    deepest = ANY_DEPTH if request.query.get("organization_id") else DEEPEST
    return _read_page(request, deepest)


def _read_page(request: Request, deepest: int) -> Page:
    """The page of a list. Raises InvalidRequest that names every invalid parameter."""
    errors: list[Detail] = []
    limit = _number(request, "limit", LIMIT, 1, MOST, errors)
    page = _number(request, "page", 1, 1, deepest + 1, errors)
    offset = _number(request, "offset", (page - 1) * limit, 0, deepest, errors)
    if not errors and offset > deepest:
        errors.append(Detail("page", f"must not lead beyond record {deepest}"))
    if errors:
        names = ", ".join(error.field for error in errors)
        raise InvalidRequest(f"not valid: {names}", details=errors)
    narrowed = {
        name: request.query.get(name) or None
        for name in ("organization_id", "provider_id", "customer_id")
    }
    return Page(limit=limit, offset=offset, **narrowed)


def _number(
    request: Request, name: str, default: int, low: int, high: int, errors: list[Detail]
) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 17 else -1
    if not low <= number <= high:
        errors.append(Detail(name, f"must be a whole number from {low} to {high}"))
    return number


def render_customer(customer: Customer) -> dict[str, Any]:
    """The full customer object. Fields without a value are null."""
    return {
        "id": customer.id,
        "user_id": customer.user_id,
        "organization_id": customer.organization_id,
        "provider_id": customer.provider_id,
        "provider_customer_id": customer.provider_customer_id,
        "email": customer.email,
        "name": customer.name,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone": customer.phone,
        "is_guest": customer.is_guest,
        "guest_email": customer.email if customer.is_guest else None,
        "metadata": customer.metadata,
        "created_at": utc_seconds(customer.created_at),
        "updated_at": utc_seconds(customer.updated_at),
    }


def render_new_customer(result: CustomerResult) -> Response:
    """201 with the customer. A guest also gets the token of the record (B8)."""
    body = render_customer(result.customer)
    if result.customer.is_guest:
        body["guest_token"] = guest_tokens.issue(result.customer.id)
    return Response(body, 201, _replayed(result.replayed))


def render_customers(customers: list[Customer]) -> list[dict[str, Any]]:
    """A list of full customer objects."""
    return [render_customer(customer) for customer in customers]


def render_payment(caller: Caller, payment: Payment) -> dict[str, Any]:
    """The full payment object. Only its owner or its guest sees the client secret (B15)."""
    owned = payment.user_id is not None and payment.user_id == caller.user_id
    body = _payment(payment)
    if owned or caller.guest_of == payment.id:
        body["client_secret"] = payment.client_secret
    return body


def render_payments(payments: list[Payment]) -> list[dict[str, Any]]:
    """A list of full payment objects, without client secrets."""
    return [_payment(payment) for payment in payments]


def render_guest_payments(payments: list[Payment]) -> list[dict[str, Any]]:
    """Guest payments with six fields only: this list needs no authentication (B10)."""
    fields = ("id", "status", "total_cents", "currency", "concept", "created_at")
    return [{name: body[name] for name in fields} for body in map(_payment, payments)]


def render_new_payment(result: PaymentResult) -> Response:
    """201 with the payment, or 202 if the outcome is unknown. A guest gets a token (B8, B20)."""
    body = _payment(result.payment)
    body["client_secret"] = result.payment.client_secret
    if result.payment.user_id is None:
        body["guest_token"] = guest_tokens.issue(result.payment.id)
    return _outcome(result, body, 201)


def render_outcome(caller: Caller, result: PaymentResult) -> Response:
    """200 with the payment, or 202 if the outcome is unknown or another run works on it (B20)."""
    return _outcome(result, render_payment(caller, result.payment), 200)


def render_refund_outcome(result: PaymentResult) -> Response:
    """201 with the refund, or 202 if the outcome is unknown: the refund is then pending (B20)."""
    return _outcome(result, _refund(result.requested_refund), 201)


def render_refunds(refunds: list[Refund]) -> list[dict[str, Any]]:
    """A list of refunds."""
    return [_refund(refund) for refund in refunds]


def render_timeline(timeline: list[Entry]) -> list[dict[str, Any]]:
    """The timeline in the form that was hashed, so that a caller can check the hash chain."""
    return [entry.model_dump(mode="json", by_alias=True) for entry in timeline]


def render_method(method: PaymentMethod) -> dict[str, Any]:
    """The full payment method. Type, brand and last digits have two names: clients read both."""
    return {
        "id": method.id,
        "customer_id": method.customer_id,
        "provider_id": method.provider_id,
        "provider_payment_method_id": method.token,
        "type": method.type,
        "payment_type": method.type,
        "brand": method.brand,
        "card_brand": method.brand,
        "last4": method.last4,
        "last_four": method.last4,
        "exp_month": method.exp_month,
        "exp_year": method.exp_year,
        "is_default": method.is_default,
        "alias": method.alias,
        "billing_address_id": method.billing_address_id,
        "metadata": method.metadata,
        "created_at": utc_seconds(method.created_at),
        "updated_at": utc_seconds(method.updated_at),
    }


def render_new_method(result: MethodResult) -> Response:
    """201 with the payment method."""
    return Response(render_method(result.method), 201, _replayed(result.replayed))


def render_methods(methods: list[PaymentMethod]) -> list[dict[str, Any]]:
    """A list of full payment methods."""
    return [render_method(method) for method in methods]


def render_address(address: Address) -> dict[str, Any]:
    """The full address object. Fields without a value are null."""
    return {
        "id": address.id,
        "customer_id": address.customer_id,
        "type": address.type,
        "name": address.name,
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "state": address.state,
        "postal_code": address.postal_code,
        "country": address.country,
        "is_default": address.is_default,
        "created_at": utc_seconds(address.created_at),
        "updated_at": utc_seconds(address.updated_at),
    }


def render_new_address(result: AddressResult) -> Response:
    """201 with the address."""
    return Response(render_address(result.address), 201, _replayed(result.replayed))


def render_addresses(addresses: list[Address]) -> list[dict[str, Any]]:
    """A list of full address objects."""
    return [render_address(address) for address in addresses]


def _refund(refund: Refund) -> dict[str, Any]:
    times = {
        "created_at": utc_seconds(refund.created_at),
        "updated_at": utc_seconds(refund.updated_at),
    }
    return refund.model_dump(exclude=set(times)) | times


def _outcome(result: PaymentResult, body: dict[str, Any], status: int) -> Response:
    if result.retry_after is not None:
        return Response(body, 202, {"Retry-After": str(result.retry_after)})
    return Response(body, status, _replayed(result.replayed))


def _replayed(replayed: bool) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if replayed else {}


def _payment(payment: Payment) -> dict[str, Any]:
    """The fields that every caller sees, and those that are computed for this API."""
    failure, action = payment.failure, payment.next_action
    visible = {RENAMED.get(name, name): getattr(payment, name) for name in PAYMENT_FIELDS}
    times = {name: utc_seconds(at) for name, at in visible.items() if isinstance(at, datetime)}
    return (
        visible
        | times
        | {
            "client_secret": None,
            "status": payment.displayed_status,
            "next_action": action.model_dump(exclude_none=True) if action else None,
            "failure_code": failure.code if failure else None,
            "failure_message": failure.message if failure else None,
            "is_guest_payment": payment.user_id is None,
            "guest_email": payment.guest.email if payment.guest else None,
        }
    )


def render_error(error: BridgeError, request_id: str) -> dict[str, Any]:
    """The error body (B5)."""
    body: dict[str, Any] = {"error": str(error), "code": error.code}
    if error.details:
        body["details"] = [detail._asdict() for detail in error.details]
    if isinstance(error, PaymentDeclined):
        body |= {"decline_code": error.decline_code, "payment_id": error.payment_id}
    return body | {"request_id": request_id}


def render_unmatched(request: Request) -> Response:
    """308 to the clean path for a doubled or trailing slash, otherwise 404 (section 1)."""
    if location := request.clean_target:
        return Response({"error": "moved", "code": "moved"}, 308, {"Location": location})
    return Response(render_error(NotFound("no such path"), request.id), 404)
