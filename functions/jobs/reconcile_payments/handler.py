"""Every day: compare the providers' lists with our payments."""

from bridge.background import Invocation, scheduled
from bridge.core.workers import reconciliation


@scheduled
def handler(invocation: Invocation) -> reconciliation.Reconciled:
    return reconciliation.reconcile(invocation.run)
