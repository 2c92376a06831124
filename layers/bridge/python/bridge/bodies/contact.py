"""The body of a request to add a contact. Source: docs/api/alternative.md, section 6."""

from pydantic import BaseModel

from bridge.bodies.fields import STRICT


class NewCustomerUser(BaseModel):
    """The request to add a contact: a person at a customer. It is not one of our users.

    Alternative Payments calls contacts users of a customer.
    """

    model_config = STRICT
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    phone: str | None = None
