"""/v1/customers. Source: Stripe API reference, "Customers"."""

from local.stripe import checks, listing
from local.stripe.call import Call, Operation
from local.stripe.errors import no_such
from local.stripe.operations import payment_methods
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


def create(call: Call) -> Json:
    customer = Customer(id=new_id("cus"), created=int(call.world.now()))
    _write(call, customer)
    token = checks.identifier(call.params, "payment_method")
    if token is not None:
        method = payment_methods.take(call.world, token)
        payment_methods.attach_to(call.world, method, customer.id)
    _write_default(call, customer)
    call.world.customers[customer.id] = customer
    call.world.emit("customer.created", customer)
    return customer.render()


def fetch(call: Call) -> Json:
    """Unlike every other operation, this one shows a deleted customer."""
    customer = call.world.customers.get(call.path["customer"])
    if customer is None:
        raise no_such("customer", call.path["customer"], "id", status=404)
    return customer.render()


def update(call: Call) -> Json:
    customer = _live(call)
    before = customer.render()
    _write_default(call, customer)
    _write(call, customer)
    call.world.emit("customer.updated", customer, before)
    return customer.render()


def delete(call: Call) -> Json:
    """Detach every card, for good."""
    customer = _live(call)
    for method in call.world.methods.values():
        if method.customer == customer.id:
            payment_methods.detach_from(call.world, customer, method)
    call.world.emit("customer.deleted", customer)
    customer.deleted = True
    return customer.render()


def list_all(call: Call) -> Json:
    address = call.params.text("email")
    held = [
        each
        for each in call.world.customers.values()
        if not each.deleted and (address is None or each.email == address)
    ]
    return listing.page(held, call.params, "/v1/customers", "customer")


def _live(call: Call) -> Customer:
    customer = call.world.live_customer(call.path["customer"])
    if customer is None:
        raise no_such("customer", call.path["customer"], "id", status=404)
    return customer


def _write(call: Call, customer: Customer) -> None:
    """Everything is checked before anything is written."""
    params = call.params
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


def _write_default(call: Call, customer: Customer) -> None:
    chosen = call.params.table("invoice_settings").get("default_payment_method")
    if chosen is None:
        return
    method = call.world.methods.get(str(chosen))
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
