"""Everything that `make start` runs, in one process."""

import os
from collections.abc import Callable, Mapping

from local import bus, database, queues, settings, template
from local.event import Answer, Request
from local.flowless import Flowless
from local.functions import Functions
from local.gateway import Gateway
from local.pages import Pages
from local.queues import EventSource
from local.schedule import Schedule
from local.server import Server
from local.stream import Stream
from local.stripe.simulator import StripeSimulator


class Stack:
    """The whole local run. It takes its port when it is created, and answers after `start`.

    Raises OSError if the port cannot be used.
    """

    def __init__(self, port: int, say: Callable[[str], None] = print) -> None:
        self._server = Server(port, self._respond)
        self._say = say
        given = settings.parameters(os.environ, self.url)
        self._template = template.read(parameters=given)
        self._secrets = settings.made_up_secrets()
        self._stripe = StripeSimulator()
        self._flowless = Flowless(secret=self._secrets["BRIDGE_VALIDATION_SECRET"])
        self._gateway = Gateway(self._template, Functions(self._template.functions))
        functions = self._gateway.functions
        self._schedules = [
            Schedule(functions, function, expression)
            for function in self._template.functions.values()
            for expression in function.schedules
        ]
        self._pages = Pages(self._stripe, self._flowless, self._schedules)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> None:
        """Start all parts, put in the demo data, and say what is running."""
        settings.leave_aws(os.environ)
        endpoint = database.start()
        database.clear()  # a DynamoDB Local may have old records that the simulators do not know
        bus.start()
        where = "moto, in this process" if endpoint == database.serve() else endpoint
        self._say(f"database     {where}")
        self._stripe.start()
        self._flowless.start()
        self._say(f"simulators   Stripe at {self._stripe.url}, Flowless at {self._flowless.url}")
        urls = queues.start(self._template.queues)
        self._say(f"queues       {', '.join(urls)}, in moto")
        self._configure(endpoint, urls)
        self._gateway.functions.load_all()
        self._say(f"functions    {len(self._template.functions)}, as template.yaml lists them")
        for function in self._template.functions.values():
            for trigger in function.streams:
                Stream(self._gateway.functions, function, trigger).start()
                self._say(f"stream       {trigger.table} triggers {function.name}")
        from local import demo  # imported late: it reads the environment that was just set

        demo.seed(self._stripe, self._flowless)
        self._say("demo data    sessions, customers and a payment")
        self._server.start()
        hook = f"{self.url}/bridge-payment/webhooks/stripe"
        self._stripe.webhooks.point(hook, [self._secrets["STRIPE_WEBHOOK_SECRET"]])
        self._say("webhooks     the simulator's events go to the gateway, signed")
        for schedule in self._schedules:
            schedule.start()
        for function in self._template.functions.values():
            for poll in function.polls:
                EventSource(self._gateway.functions, function, poll, urls[poll.queue]).start()
                self._say(f"worker       {function.name} takes from {poll.queue}")
        self._say(f"gateway      {self.url}")

    def _configure(self, endpoint: str, queue_urls: Mapping[str, str]) -> None:
        """Set the functions' environment variables and secrets, as a deployment would."""
        urls = {
            "aws": database.serve(),
            "dynamodb": endpoint,
            "queue": queue_urls["SyncQueue"],
            "stripe": self._stripe.url,
            "flowless": self._flowless.url,
        }
        os.environ.update(settings.variables(self._template.environment, os.environ, urls))
        parameters = database.client("ssm")
        for name, value in self._secrets.items():
            parameters.put_parameter(
                Name=f"{os.environ['SECRETS_PREFIX']}/{name}",
                Value=value,
                Type="SecureString",
                Overwrite=True,
            )

    def _respond(self, request: Request) -> Answer:
        return self._pages.answer(request) or self._gateway.handle(request)
