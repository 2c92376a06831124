"""Invoked by operators: list an organization's credentials, without their secrets."""

from bridge.background import Invocation, operation
from bridge.bodies.operator import CredentialsOf
from bridge.core.operations import credentials


@operation
def handler(invocation: Invocation) -> credentials.CredentialList:
    return credentials.list_credentials(invocation.parse(CredentialsOf))
