"""Invoked by operators: a credential opens nothing any more, nor does any token from it."""

from bridge.core import credentials
from bridge.inbound import Invocation, operation


@operation
def handler(invocation: Invocation) -> None:
    credentials.revoke_credential(invocation.parse(credentials.RevokedCredential))
