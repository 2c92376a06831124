"""DynamoDB Local, a Java program, for what moto cannot do: real conditions under many threads.

`make dynamodb-local` downloads the jar into DYNAMODB_LOCAL_DIR. Its data is kept in memory only.
Source: docs/deployment.md, section 4.
"""

import atexit
import os
import shutil
import socket
import subprocess
import time
from functools import cache
from pathlib import Path

JAR = "DynamoDBLocal.jar"
READY_S = 60


@cache
def url() -> str | None:
    """The endpoint of this process's own instance, started by the first call. May be None."""
    return start()


def start() -> str | None:
    """Start another instance, which runs until this process ends. Returns its endpoint.

    None if Java or the jar is missing.
    """
    folder = Path(os.environ.get("DYNAMODB_LOCAL_DIR", ".dynamodb-local")).resolve()
    java = shutil.which("java")
    if java is None or not (folder / JAR).is_file():
        return None
    port = _free_port()
    libraries = "-Djava.library.path=./DynamoDBLocal_lib"
    command = [java, libraries, "-jar", JAR, "-inMemory", "-disableTelemetry", "-port", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet)
    atexit.register(process.kill)
    return f"http://127.0.0.1:{port}" if _answers(port) else None


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _answers(port: int) -> bool:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False
