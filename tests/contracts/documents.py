"""Requests as the API documents print them, sent over a socket to a local server."""

import http.client
import shlex
import socket
from dataclasses import dataclass

from local.event import Answer
from tests.contracts.shape import assert_contract

HIDDEN = ("[email protected]", "[email\xa0protected]")
"""What a web page shows instead of an e-mail address, to hide it. Documents were copied with it."""


@dataclass(frozen=True)
class Wire:
    """Sends text to a port of this machine, and checks every response against the contract."""

    port: int

    def send(self, request: str) -> Answer:
        """`request`: the text that is sent; its lines end with line feeds only."""
        head, _, body = request.partition("\n\n")
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sent:
            sent.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode())
            response = http.client.HTTPResponse(sent)
            response.begin()
            answer = Answer(response.status, response.getheaders(), response.read())
        assert_contract(answer, head.split(" ", 2)[1])
        return answer


def of_curl(command: str, address: str, **variables: str) -> str:
    """The request that a curl command sends.

    `address` replaces a hidden e-mail address. `variables` are the shell's.
    """
    for hidden in HIDDEN:
        command = command.replace(hidden, address)
    for name, value in variables.items():
        command = command.replace(f"${{{name}}}", value)
    program, *words = shlex.split(command.replace("\\\n", " "))
    given: dict[str, list[str]] = {"-X": [], "-H": [], "-d": [], "": []}
    while words:
        word = words.pop(0)
        given[word if word in given else ""].append(words.pop(0) if word in given else word)
    (url,), body = given[""], "".join(given["-d"])
    assert (program, url[:8], "$" in url) == ("curl", "https://", False)
    host, _, target = url.removeprefix("https://").partition("/")
    return request_of(given["-X"][0], f"/{target}", [f"Host: {host}", *given["-H"]], body)


def request_of(method: str, target: str, headers: list[str], body: str = "") -> str:
    """The text of an HTTP request."""
    length = [f"Content-Length: {len(body.encode())}"] if body else []
    return "\n".join([f"{method} {target} HTTP/1.1", *headers, *length, "", body])
