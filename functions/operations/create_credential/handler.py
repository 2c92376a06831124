"""Invoked by operators: create an API key, a merchant or an OAuth client of an organization."""

from bridge.background import Invocation, operation
from bridge.bodies.operator import NewCredential
from bridge.core.operations import credentials


@operation
def handler(invocation: Invocation) -> credentials.CreatedCredential:
    return credentials.create_credential(invocation.parse(NewCredential))
