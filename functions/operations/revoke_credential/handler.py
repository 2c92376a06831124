"""Invoked by operators: a credential opens nothing any more, nor does any token from it."""

from bridge.background import Invocation, operation
from bridge.core.operations import credentials


@operation
def handler(invocation: Invocation) -> None:
    credentials.revoke_credential(invocation.parse(credentials.RevokedCredential))
