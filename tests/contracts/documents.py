"""Requests as documents print them, on a socket to what `make start` serves."""

import http.client
import shlex
import socket
from dataclasses import dataclass

from local.event import Answer
from tests.contracts.shape import assert_contract

HIDDEN = ("[email protected]", "[email\xa0protected]")
"""What a web page's address hiding left behind where a document had an address."""


@dataclass(frozen=True)
class Wire:
    """Sends text to a port of this machine; every answer must keep the contract."""

    port: int

    def send(self, request: str) -> Answer:
        """`request`: what goes over the wire, its lines ended by line feeds alone."""
        head, _, body = request.partition("\n\n")
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sent:
            sent.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode())
            response = http.client.HTTPResponse(sent)
            response.begin()
            answer = Answer(response.status, response.getheaders(), response.read())
        assert_contract(answer, head.split(" ", 2)[1])
        return answer


def of_curl(command: str, address: str, **variables: str) -> str:
    """What curl sends: with an address where one was hidden, and the shell's variables set."""
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
    length = [f"Content-Length: {len(body.encode())}"] if body else []
    return "\n".join([f"{method} {target} HTTP/1.1", *headers, *length, "", body])
