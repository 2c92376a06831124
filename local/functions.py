"""Loads the bundle's functions in this process, and calls them as Lambda would.

All functions share one process and one environment, so set variables in the template's Globals.
Source: docs/deployment.md, section 3.
"""

import importlib.util
import json
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

from local.template import Function

ACCOUNT, REGION = "123456789012", "us-east-1"
PAYLOAD_LIMIT = 6 * 1024 * 1024  # Lambda's limit for a request and for a response, in base64

Handler = Callable[[dict[str, Any], object], Any]


class FunctionFailed(Exception):
    """The handler raised, or returned something that Lambda could not serialise."""


class FunctionTimedOut(Exception):
    """The handler did not return in time. Its thread goes on, because it cannot be killed."""


class Context:
    """Lambda's context object. Source: AWS Lambda Developer Guide, "context object in Python"."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, function: Function) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = function.name
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
        self.memory_limit_in_mb = str(function.memory_mb)  # the runtime passes text
        self.log_group_name = f"/aws/lambda/{function.name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + function.timeout_s

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class Functions:
    """The handlers by logical id. Each is loaded once, on its first call or by `load_all`."""

    def __init__(self, functions: dict[str, Function]) -> None:
        self._functions = functions
        self._handlers: dict[str, Handler] = {}
        self._loading = threading.Lock()

    def load_all(self) -> None:
        """Load every handler now, so that no first call has to wait."""
        for function in self._functions.values():
            self._load(function)

    def invoke(self, name: str, event: dict[str, Any], wait_s: float | None = None) -> Any:
        """Call a function and return its result, passed through JSON as by Lambda.

        Raises FunctionFailed, and FunctionTimedOut after `wait_s` or the function's Timeout,
        whichever is shorter.
        """
        function = self._functions[name]
        call = _Call(self._load(function), event, Context(function))
        call.start()
        call.join(min(function.timeout_s, wait_s or function.timeout_s))
        if call.is_alive():
            raise FunctionTimedOut(name)
        if call.failed:
            raise FunctionFailed(name)
        return call.result

    def _load(self, function: Function) -> Handler:
        with self._loading:
            if function.name not in self._handlers:
                # Every file is handler.py: a module name per function keeps them apart.
                module_name = f"fn_{function.name}"
                path = function.folder / "handler.py"
                spec = importlib.util.spec_from_file_location(module_name, path)
                assert spec
                assert spec.loader
                module = importlib.util.module_from_spec(spec)
                sys.modules[module_name] = module
                spec.loader.exec_module(module)
                self._handlers[function.name] = module.handler
            return self._handlers[function.name]


class _Call(threading.Thread):
    """One call of a handler, in a thread of its own so that it can be given up on."""

    def __init__(self, handler: Handler, event: dict[str, Any], context: Context) -> None:
        super().__init__(name=context.function_name, daemon=True)
        self._handler, self._event, self._context = handler, event, context
        self.failed = False
        self.result: Any = None

    def run(self) -> None:
        try:
            text = json.dumps(self._handler(json.loads(json.dumps(self._event)), self._context))
            if len(text.encode()) > PAYLOAD_LIMIT:
                raise ValueError("the answer is larger than 6 MB")
            self.result = json.loads(text)
        except BaseException:  # noqa: BLE001 as in Lambda, any exception fails the invocation
            self.failed = True
            traceback.print_exc()
