"""The log and the metrics of what runs behind the API."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

log = Logger(child=True)


def measure(metric: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """One value for the alarms, by itself: workers in one process share nothing."""
    metrics = EphemeralMetrics()
    metrics.add_metric(name=metric, unit=unit, value=value)
    metrics.flush_metrics()
