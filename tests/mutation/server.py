"""Runs pytest again and again, each time in a fork of a process that has loaded the libraries.

A start of pytest with moto takes two seconds, longer than the tests of most modules. This program
runs in a copy of the tree. It reads lines from its input, each with a timeout in seconds (0: none)
and the arguments of pytest, and answers each one with an exit code, or `timeout`.
"""

import importlib
import os
import shlex
import signal
import sys
import time

LIBRARIES = (
    "boto3 cryptography email_validator fastapi flask hypothesis.strategies iso4217 jsonschema "
    "moto.server moto.dynamodb moto.events moto.sqs moto.ssm msgspec pydantic pytest requests "
    "rfc8785 stripe yaml"
)
POLL_S = 0.02


def run(arguments: list[str], timeout: float) -> str:
    """Run pytest in a fork. A fork that takes too long is killed, and its children with it."""
    child = os.fork()
    if child == 0:
        os.setsid()
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        import pytest

        os._exit(pytest.main(arguments))
    started = time.monotonic()
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return str(os.waitstatus_to_exitcode(status))
        if timeout and time.monotonic() - started > timeout:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timeout"
        time.sleep(POLL_S)


if __name__ == "__main__":
    for library in LIBRARIES.split():
        importlib.import_module(library)
    for line in sys.stdin:
        seconds, *given = shlex.split(line)
        print(run(given, float(seconds)), flush=True)
