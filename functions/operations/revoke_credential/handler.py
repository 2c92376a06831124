"""Invoked by operators: make a credential and its tokens useless at once."""

from bridge.background import Invocation, operation
from bridge.bodies.operator import RevokedCredential
from bridge.core.operations import credentials


@operation
def handler(invocation: Invocation) -> None:
    credentials.revoke_credential(invocation.parse(RevokedCredential))
