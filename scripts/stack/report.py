"""The status of the servers, one line each."""

from collections.abc import Iterable

from scripts.stack.server import Server

MEBIBYTE = 1024 * 1024


def status_lines(servers: Iterable[Server]) -> list[str]:
    """A line a server: whether it runs, its port, process, resident memory and log."""
    return [_line(server) for server in servers]


def _line(server: Server) -> str:
    pid, memory = server.pid(), server.memory()
    state = "running" if pid else "not running"
    where = f"pid {pid or '-':<8} {(memory or 0) // MEBIBYTE:>5} MiB" if pid else f"pid {'-':<8} {'-':>5}    "
    return f"{server.name:<10} {state:<12} port {server.port:<6} {where}  {server.log}"
