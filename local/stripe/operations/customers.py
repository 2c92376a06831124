"""/v1/customers. Source: Stripe API reference, "Customers"."""

from local.stripe import checks, listing
from local.stripe.errors import no_such
from local.stripe.operations import payment_methods
from local.stripe.request import Operation, StripeRequest
from local.stripe.resources.customer import Customer
from local.stripe.resources.json import Json
from local.stripe.world import new_id

FIELDS = frozenset(
    {
        "address",
        "description",
        "email",
        "expand",
        "invoice_settings",
        "metadata",
        "name",
        "phone",
        "preferred_locales",
        "shipping",
        "validate",
    }
)


def create(request: StripeRequest) -> Json:
    """Create a customer, with a saved method if one is sent."""
    customer = Customer(id=new_id("cus"), created=int(request.world.now()))
    _write(request, customer)
    token = checks.identifier(request.params, "payment_method")
    if token is not None:
        method = payment_methods.take(request.world, token)
        payment_methods.attach_to(request.world, method, customer.id)
    _write_default(request, customer)
    request.world.customers[customer.id] = customer
    request.world.emit("customer.created", customer)
    return customer.render()


def fetch(request: StripeRequest) -> Json:
    """Return a customer. Unlike all other operations, this one also returns a deleted customer."""
    customer = request.world.customers.get(request.path["customer"])
    if customer is None:
        raise no_such("customer", request.path["customer"], "id", status=404)
    return customer.render()


def update(request: StripeRequest) -> Json:
    """Change what was sent. Raises StripeError 404 for a deleted customer."""
    customer = _existing(request)
    before = customer.render()
    _write_default(request, customer)
    _write(request, customer)
    request.world.emit("customer.updated", customer, before)
    return customer.render()


def delete(request: StripeRequest) -> Json:
    """Delete a customer. Its payment methods are detached, which is final."""
    customer = _existing(request)
    for method in request.world.methods.values():
        if method.customer == customer.id:
            payment_methods.detach_from(request.world, customer, method)
    request.world.emit("customer.deleted", customer)
    customer.deleted = True
    return customer.render()


def list_all(request: StripeRequest) -> Json:
    """List customers that are not deleted, of one e-mail address or all."""
    address = request.params.text("email")
    customers = [
        each
        for each in request.world.customers.values()
        if not each.deleted and (address is None or each.email == address)
    ]
    return listing.page(customers, request.params, "/v1/customers", "customer")


def _existing(request: StripeRequest) -> Customer:
    customer = request.world.existing_customer(request.path["customer"])
    if customer is None:
        raise no_such("customer", request.path["customer"], "id", status=404)
    return customer


def _write(request: StripeRequest, customer: Customer) -> None:
    """Check all fields before any is written: a refused request changes nothing."""
    params = request.params
    address, metadata = checks.email(params, "email"), params.merged_metadata(customer.metadata)
    customer.metadata = metadata
    if params.has("email"):
        customer.email = address
    if params.has("name"):
        customer.name = params.text("name")
    if params.has("phone"):
        customer.phone = params.text("phone")
    if params.has("description"):
        customer.description = params.text("description")
    if params.has("address"):
        customer.address = params.table("address") or None
    if params.has("shipping"):
        customer.shipping = params.table("shipping") or None
    if params.has("preferred_locales"):
        customer.preferred_locales = params.texts("preferred_locales")


def _write_default(request: StripeRequest, customer: Customer) -> None:
    chosen = request.params.table("invoice_settings").get("default_payment_method")
    if chosen is None:
        return
    method = request.world.methods.get(str(chosen))
    if chosen and (method is None or method.customer != customer.id):
        raise no_such("PaymentMethod", str(chosen), "invoice_settings[default_payment_method]")
    customer.default_payment_method = str(chosen) or None


OPERATIONS = (
    Operation("create_customer", "POST /v1/customers", create, FIELDS | {"payment_method"}),
    Operation(
        "list_customers",
        "GET /v1/customers",
        list_all,
        frozenset({"created", "email", "ending_before", "expand", "limit", "starting_after"}),
    ),
    Operation("fetch_customer", "GET /v1/customers/{customer}", fetch, frozenset({"expand"})),
    Operation("update_customer", "POST /v1/customers/{customer}", update, FIELDS),
    Operation("delete_customer", "DELETE /v1/customers/{customer}", delete),
)
