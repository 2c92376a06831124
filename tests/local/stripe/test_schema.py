"""The committed description is endive's, and what the simulator answers fits it."""

import typing

import pytest
import stripe
from jsonschema import ValidationError
from stripe import params as sdk

from local.stripe import expand, forms, routes
from local.stripe.errors import StripeError
from tests.local.stripe.conftest import check

# What the SDK takes in an operation is what its form must have; the SDK is generated from endive.
PARAMETERS = {
    "POST /v1/customers": sdk.CustomerCreateParams,
    "POST /v1/customers/{customer}": sdk.CustomerModifyParams,
}
