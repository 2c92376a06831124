"""Invoked by operators: make an API key, a merchant or an OAuth client of an organization."""

from bridge.core import credentials
from bridge.inbound import Invocation, operation


@operation
def handler(invocation: Invocation) -> credentials.CreatedCredential:
    return credentials.create_credential(invocation.parse(credentials.NewCredential))
