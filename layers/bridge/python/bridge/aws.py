"""The one place where clients of AWS are made.

They are made with botocore's own session. boto3 makes the same clients, but also imports what it
needs for S3's transfers and for resources, which nothing here uses: a tenth of a cold start.
Source: docs/data-model.md, section 9; docs/decisions.md.
"""

import gc
from functools import cache
from threading import Lock
from typing import Any, Literal, get_args

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from bridge import config, startup

Service = Literal["dynamodb", "sqs", "events", "ssm"]

_making = Lock()


class _Loader(Loader):
    """Loads the descriptions of services. It knows which ones we use.

    botocore's own looks through the folders of all 400 services, twice for each client.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - as botocore
        return list(get_args(Service))


@cache
def _session() -> Any:
    session = botocore.session.get_session()
    session.register_component("data_loader", _Loader())
    return session


@cache
def client(service: Service, tries: int) -> Any:
    """The client of a service, one for each process and number of tries. Threads may share it.

    It waits at most 1 second for a connection and 2 seconds for an answer.
    """
    endpoint = config.setting("DYNAMODB_ENDPOINT") if service == "dynamodb" else ""
    with _making:  # a session must not make two clients at the same time
        made = _session().create_client(
            service,
            endpoint_url=endpoint or None,  # else the SDK's own setting, AWS_ENDPOINT_URL
            config=Config(
                retries={"mode": "standard", "total_max_attempts": tries},
                connect_timeout=1,
                read_timeout=2,
                tcp_keepalive=True,
                max_pool_connections=50,
            ),
        )
    gc.freeze()  # what is loaded by now stays, so the collector need not visit it again
    gc.set_threshold(*startup.COLLECT_EVERY)
    return made
