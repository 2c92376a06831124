"""Providers' webhooks: verified, queued, answered. Source: design/convergence.md, section 7."""

from collections.abc import Mapping

from bridge import queues
from bridge.models.provider import ProviderId
from bridge.providers import registry

BODY_LIMIT = 256 * 1024


def receive(provider_id: ProviderId, headers: Mapping[str, str], raw: bytes) -> None:
    """Queue what a webhook says. It is a doorbell (rule 7): the worker asks the provider.

    Raises InvalidRequest for what the provider did not sign, TemporarilyUnavailable where the
    event could not be queued: the provider then sends it again.
    """
    if event_reference := registry.open_provider(provider_id).read_event(headers, raw):
        queues.send_event_reference(event_reference)
