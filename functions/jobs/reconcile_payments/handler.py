"""Every day: compare what the providers list with what we know."""

from bridge.background import Invocation, scheduled
from bridge.core.workers import reconciliation


@scheduled
def handler(invocation: Invocation) -> reconciliation.Reconciled:
    return reconciliation.reconcile(invocation.run)
