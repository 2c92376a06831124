"""The fields of each object in the native API's responses, as docs/api/native.md lists them."""

CUSTOMER_FIELDS = {
    "id", "user_id", "organization_id", "provider_id", "provider_customer_id", "email", "name",
    "first_name", "last_name", "phone", "is_guest", "guest_email", "metadata", "created_at",
    "updated_at",
}  # fmt: skip
PAYMENT_FIELDS = {
    "id", "provider_payment_id", "client_secret", "status", "subtotal_cents", "tax_cents",
    "discount_cents", "total_cents", "amount_captured_cents", "amount_refunded_cents", "currency",
    "provider_id", "payment_method_id", "customer_id", "user_id", "organization_id", "project_id",
    "description", "concept", "reference_code", "category", "tags", "statement_descriptor",
    "setup_future_usage", "capture_method", "metadata", "next_action", "failure_code",
    "failure_message", "is_guest_payment", "guest_email", "completed_at", "created_at",
    "updated_at",
}  # fmt: skip
METHOD_FIELDS = {
    "id", "customer_id", "provider_id", "provider_payment_method_id", "type", "payment_type",
    "brand", "card_brand", "last4", "last_four", "exp_month", "exp_year", "is_default", "alias",
    "billing_address_id", "metadata", "created_at", "updated_at",
}  # fmt: skip
ADDRESS_FIELDS = {
    "id", "customer_id", "type", "name", "line1", "line2", "city", "state", "postal_code",
    "country", "is_default", "created_at", "updated_at",
}  # fmt: skip
REFUND_FIELDS = {
    "id", "payment_id", "provider_refund_id", "amount_cents", "currency", "status", "reason",
    "created_at", "updated_at",
}  # fmt: skip
ENTRY_FIELDS = {
    "seq", "at", "from", "to", "cause", "operation", "attempt", "outcome", "previous_hash", "hash",
}  # fmt: skip
GUEST_LISTING_FIELDS = {"id", "status", "total_cents", "currency", "concept", "created_at"}
