"""Providers' webhooks: verify, queue, return. Source: docs/payment-correctness.md, section 7."""

from collections.abc import Mapping

from bridge import queues
from bridge.models.provider import ProviderId
from bridge.providers import registry

BODY_LIMIT = 256 * 1024  # bytes


def receive(provider_id: ProviderId, headers: Mapping[str, str], raw: bytes) -> None:
    """Verify a webhook and queue the ids in it. It only tells the worker to ask the provider.

    `raw`: the bytes as they came, because the signature covers them (rule 7). An event of a type
    that does not concern us is dropped.

    Raises InvalidRequest if the provider did not sign it. Raises TemporarilyUnavailable if the
    event could not be queued; the provider then sends it again.
    """
    if event_reference := registry.open_provider(provider_id).read_event(headers, raw):
        queues.send_event_reference(event_reference)
