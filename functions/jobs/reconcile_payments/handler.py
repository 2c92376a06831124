"""Every day: compare what the providers list with what we know."""

from bridge.core import reconciliation
from bridge.inbound import Invocation, scheduled


@scheduled
def handler(invocation: Invocation) -> reconciliation.Reconciled:
    return reconciliation.reconcile(invocation.call)
