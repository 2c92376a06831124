"""The process with DynamoDB, SSM and Stripe. Their CPU is not counted.

`python -m benchmarks.server wide <payments to confirm>`, or `deep`: see benchmarks.seed; or
`crowded`: see benchmarks.crowd. It prints the environment for the measured processes as one line of
JSON after MARK, and ends when its standard input is closed.
"""

import json
import os
import sys

from benchmarks.measured import MARK
from local import database, queues, settings, template
from local.stripe.simulator import StripeSimulator


def start() -> tuple[StripeSimulator, dict[str, str]]:
    """Start everything, empty and configured. DYNAMODB_ENDPOINT replaces moto if it is set."""
    read = template.read(parameters=settings.parameters({}, "http://127.0.0.1:8787"))
    given = dict(os.environ)
    settings.leave_aws(os.environ)
    endpoint = database.start()
    database.clear()
    stripe = StripeSimulator().start()
    urls = {"aws": database.serve(), "dynamodb": endpoint, "stripe": stripe.url, "flowless": ""}
    urls["queue"] = queues.start(read.queues)["SyncQueue"]
    environment = settings.variables(read.environment, given, urls) | settings.NO_ACCOUNT
    os.environ.update(environment)
    for name, value in settings.made_up_secrets().items():
        path = f"{environment['SECRETS_PREFIX']}/{name}"
        database.client("ssm").put_parameter(Name=path, Value=value, Type="SecureString")
    return stripe, environment


if __name__ == "__main__":
    simulator, callers_environment = start()
    from benchmarks import crowd, seed  # their imports read the environment that `start` made

    if sys.argv[1] == "crowded":
        crowd.fill_all()
    elif sys.argv[1] == "deep":
        seed.deep()
    else:
        seed.wide(simulator, confirmable=int(sys.argv[2]))
    print(MARK + json.dumps(callers_environment), flush=True)
    sys.stdin.read()
