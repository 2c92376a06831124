"""The environment and the secrets that the functions see in the local run."""

import os
import secrets
from collections.abc import Mapping, MutableMapping

from local.functions import REGION

# The settings that a developer may change for the local run, by environment variables. Others, such
# as STAGE and MODE, are too common: a developer's environment may have them for another program.
CHOICES = (
    "ABANDON_DAYS",
    "CASCADE_PAYMENTS",
    "CORS_ORIGINS",
    "GUEST_CREATIONS_PER_HOUR",
    "GUEST_CREATIONS_PER_MINUTE",
    "GUEST_LISTING",
    "GUEST_LISTINGS_PER_MINUTE",
    "JWKS_URL",
    "JWT_AUDIENCE",
    "JWT_ISSUER",
    "MONRI_TIMESTAMP_WINDOW_S",
    "RETURN_URL",
    "RETURN_URL_HOSTS",
    "SESSION_MODE",
)
LOCAL = {
    "CORS_ORIGINS": "http://localhost:3000,http://localhost:5173",
    "GUEST_CREATIONS_PER_HOUR": "0",
    "GUEST_CREATIONS_PER_MINUTE": "0",
    "GUEST_LISTINGS_PER_MINUTE": "0",
    "SESSION_MODE": "table",
}
NO_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": REGION,
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def parameters(given: Mapping[str, str], url: str) -> dict[str, str]:
    """The template's parameters for a local run at `url`. `given` is the caller's environment."""
    chosen = {name: given[name] for name in CHOICES if given.get(name)}
    values = LOCAL | {"RETURN_URL": f"{url}/_local/"} | chosen
    return {name.title().replace("_", ""): value for name, value in values.items()}


def leave_aws(environment: MutableMapping[str, str]) -> None:
    """Remove the caller's AWS account, profile and files, so that a local run cannot use them."""
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    environment.update(NO_ACCOUNT)


def variables(
    declared: Mapping[str, str], given: Mapping[str, str], urls: Mapping[str, str]
) -> dict[str, str]:
    """The functions' environment variables: the template's, with the addresses of this machine.

    `given` is the caller's environment. `urls` has the keys aws, dynamodb, queue, stripe, flowless.
    """
    no_proxy = ",".join(filter(None, (given.get("NO_PROXY"), "127.0.0.1", "localhost")))
    return dict(declared) | {
        "AWS_ENDPOINT_URL": urls["aws"],
        "DYNAMODB_ENDPOINT": urls["dynamodb"],
        "FLOWLESS_API_URL": urls["flowless"],
        "NO_PROXY": no_proxy,
        "QUEUE_URL": urls["queue"],
        "POWERTOOLS_METRICS_DISABLED": "true",  # locally, nobody reads them
        "STRIPE_BASE_URL": urls["stripe"],
        "no_proxy": no_proxy,
    }


def made_up_secrets() -> dict[str, str]:
    """New values for all secrets. A token that was signed in one run is not valid in the next."""
    return {
        "STRIPE_WEBHOOK_SECRET": f"whsec_local{secrets.token_hex(12)}",
        "STRIPE_SECRET_KEY": f"sk_test_local{secrets.token_hex(12)}",
        "BRIDGE_VALIDATION_SECRET": secrets.token_hex(16),
        "TOKEN_KEYS": f"k1:{secrets.token_hex(32)}",
    }
