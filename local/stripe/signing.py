"""The Stripe-Signature of a webhook, and wrong signatures for tests.

Source: Stripe, "Verify webhook signatures manually"; docs/providers.md, section D.1.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal, get_args

from stripe import WebhookSignature

Tamper = Literal["", "body", "sig", "old_timestamp"]
TAMPERS: tuple[Tamper, ...] = get_args(Tamper)
TOLERANCE = 300
"""Seconds. A receiver refuses a signature that is older."""


def sign(body: bytes, secrets: Sequence[str], at: int) -> str:
    """Return the header: one v1 for each secret, and the v0 that Stripe adds in test mode.

    There are two secrets while a secret is rolled. `at`: Unix time.
    """
    text = body.decode()
    signed = [WebhookSignature.generate_signature_header(text, each, at) for each in secrets]
    v1 = [each.partition(",")[2] for each in signed]
    return ",".join([f"t={at}", *v1, f"v0={hashlib.sha256(body).hexdigest()}"])


def forge(body: bytes, secrets: Sequence[str], at: int, tamper: Tamper) -> tuple[bytes, str]:
    """Return (body, header). `tamper` "": a correct signature."""
    if tamper == "old_timestamp":
        return body, sign(body, secrets, at - TOLERANCE - 1)
    header = sign(body, secrets, at)
    if tamper == "sig":
        return body, sign(body, ["whsec_of_a_forger"], at)
    return (body + b" " if tamper == "body" else body), header
