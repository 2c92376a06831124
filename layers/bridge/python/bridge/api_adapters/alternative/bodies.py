"""The bodies of Alternative Payments' requests. Source: docs/api/alternative.md, section 6."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import cast

from pydantic import BaseModel

from bridge.api_adapters.alternative.wire import OVER_LIMIT
from bridge.bodies.contact import NewCustomerUser
from bridge.bodies.fields import STRICT
from bridge.bodies.validation import parse
from bridge.errors import Detail, InvalidRequest
from bridge.inbound import Request
from bridge.models import card_numbers
from bridge.models.customer import CustomerFields

CUSTOMER_LIMITS = {"name": 255, "email": 254, "external_id": 255}

USER_LIMITS = {"email": 254, "first_name": 100, "last_name": 100, "job_title": 100, "phone": 30}


class NewCustomerBody(BaseModel):
    """The body of POST /customers. Limits are checked after the types. Source: section 6."""

    model_config = STRICT
    name: str | None = None
    email: str | None = None
    external_id: str | None = None


def read_new_customer(request: Request) -> CustomerFields:
    """The fields of a new customer. Raises InvalidRequest."""
    body = parse(request, NewCustomerBody)
    return cast(CustomerFields, _within(request, body, CUSTOMER_LIMITS))


def read_new_user(request: Request) -> Callable[[], NewCustomerUser]:
    """A function that returns the new contact. Raises InvalidRequest for a wrong type.

    The function raises InvalidRequest for a broken limit. It is called after the customer was
    found, because an unknown customer is reported before a broken limit.
    """
    body = parse(request, NewCustomerUser)
    return lambda: NewCustomerUser(**_within(request, body, USER_LIMITS))


def _within(request: Request, body: BaseModel, limits: Mapping[str, int]) -> dict[str, str | None]:
    """The sent fields, with None for "". Raises InvalidRequest that names every invalid field."""
    card_numbers.refuse(card_numbers.in_card_fields(request.json), code=OVER_LIMIT)
    given = body.model_dump(exclude_unset=True)
    errors = []
    for name, text in given.items():
        if text and len(text) > limits[name]:
            errors.append(Detail(name, f"must be at most {limits[name]} characters"))
        if text and any(unicodedata.category(each) == "Cc" for each in text):
            errors.append(Detail(name, "must not hold control characters"))
    if errors:
        raise InvalidRequest("a field breaks its limit", code=OVER_LIMIT, details=errors)
    return {name: text or None for name, text in given.items()}
