"""Log and metrics. They contain ids, names and durations: never a body, a name or a card.

Source: docs/payment-correctness.md, section 8.
"""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

log = Logger(child=True)


def measure(metric: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Write one value of a metric at once.

    Each value is a log line of its own, because the threads of a sweep must not share a buffer.
    """
    metrics = EphemeralMetrics()
    metrics.add_metric(name=metric, unit=unit, value=value)
    metrics.flush_metrics()
