"""Invoked by operators: an organization's credentials, without their secrets."""

from bridge.core import credentials
from bridge.inbound import Invocation, operation


@operation
def handler(invocation: Invocation) -> credentials.CredentialList:
    return credentials.list_credentials(invocation.parse(credentials.CredentialsOf))
