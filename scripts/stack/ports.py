"""Whether a port is free, and who holds it when it is not."""

import errno
import socket
import time

import psutil

from scripts.stack.errors import StackError
from scripts.stack.settings import HOST, variable

PATIENCE = 2.0
"""Seconds: a process that was just killed keeps its ports until its memory is given back."""


def require_free(server: str, ports: dict[str, int], patience: float = PATIENCE) -> None:
    """Raise when one of a server's ports (field of the settings -> port) cannot be listened on."""
    deadline = time.monotonic() + patience
    while problems := _problems(server, ports):
        if time.monotonic() >= deadline:
            raise StackError("\n".join(problems))
        time.sleep(0.1)


def is_open(port: int) -> bool:
    """Whether somebody accepts connections there; cheaper and quieter than a client that fails."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def _problems(server: str, ports: dict[str, int]) -> list[str]:
    problems = []
    for field, port in ports.items():
        try:
            _bind(port)
        except OSError as error:
            cause = _holder(port) if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
            problems.append(
                f"{server} cannot listen on {HOST}:{port}: {cause}. End what holds it, or choose another port with "
                f"{variable(field)}."
            )
    return problems


def _bind(port: int) -> None:
    with socket.socket() as probe:
        # As servers do: connections of an ended server that still linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    break
                return f"held by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:  # the system tells some of this to root only
        pass
    return "held by another process"
