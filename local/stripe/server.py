"""A threaded HTTP server on a free port, for simulators of the services that the bridge calls."""

import select
import socket
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"
BACKLOG = 1024
"""Connections that can wait for a thread: 200 clients at once must not be refused."""

TICK_S = 0.05
"""How often a request that hangs looks whether the server stops."""


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing: the simulators keep their own logs."""


class Startable(Protocol):
    """A simulator, or another thing with a server of its own."""

    def start(self) -> object: ...

    def stop(self) -> None: ...


Simulator = TypeVar("Simulator", bound=Startable)


@contextmanager
def serving(simulator: Simulator) -> Iterator[Simulator]:
    """Start a simulator, and stop it at the end of the context."""
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()


class Server:
    """Serves `app`. It can be stopped and started again on the same port."""

    def __init__(self, app: "WSGIApplication", port: int = 0) -> None:
        self._app = app
        self._port = port
        self._running: ThreadedWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._claim: socket.socket | None = None

    @property
    def url(self) -> str:
        """The base address. With port 0 it is known only after `start`."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Serve in a thread. Raises OSError if the port is taken."""
        if self._running is not None:
            return
        with self._bound() as listener:
            listener.listen(BACKLOG)
            self._running = ThreadedWSGIServer(
                HOST, self._port, self._app, handler=_QuietHandler, fd=listener.fileno()
            )
        serve = self._running.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.05,), daemon=True, name="stand-in")
        self._thread.start()

    def _bound(self) -> socket.socket:
        """Bind the port. A second socket, which never listens, keeps it reserved from now on.

        Otherwise an outgoing connection of this machine could take the port while we are stopped.
        Only Linux lets two sockets bind one port like this.
        """
        if self._claim is None and sys.platform == "linux":
            self._claim = self._bind()
            weakref.finalize(self, self._claim.close)
        return self._bind()

    def _bind(self) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((HOST, self._port))
        except OSError:
            bound.close()
            raise
        self._port = bound.getsockname()[1]
        return bound

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._running is not None and self._thread is not None:
            self._running.shutdown()
            self._thread.join()  # the thread closes the listener; only then is the port free
            self._running = None


def hang(environ: "WSGIEnvironment", seconds: float, stopping: threading.Event) -> None:
    """Wait for so long, but not after the client has closed the connection or the server stops."""
    connection = environ["werkzeug.socket"]
    poll, until = select.poll(), time.monotonic() + seconds
    poll.register(connection, select.POLLIN)
    while (left := until - time.monotonic()) > 0 and not stopping.is_set():
        if poll.poll(min(left, TICK_S) * 1000):
            stopping.wait(left if _is_open(connection) else 0)
            return


def _is_open(connection: socket.socket) -> bool:
    """False for a connection that the other side has closed: there is nothing to read."""
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except ConnectionError:
        return False


def drop(environ: "WSGIEnvironment") -> NoReturn:
    """Close the connection of a request without a response, by an error that the server ignores."""
    connection = environ["werkzeug.socket"]
    with suppress(OSError):  # the client has closed it already
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("dropped by a fault")
