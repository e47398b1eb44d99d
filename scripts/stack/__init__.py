"""The local stack: a real Kafka, Cassandra and MariaDB on this machine, without containers.

``python -m scripts.stack up|down|status`` is the command; tests take ``Server`` objects from ``build_servers`` to
start, kill and restart one server. Everything the stack writes is below ``.stack/`` (or ``VIGIA_STACK_DIR``).
"""

from scripts.stack.errors import StackError
from scripts.stack.fleet import build_servers
from scripts.stack.server import Server
from scripts.stack.settings import StackSettings

__all__ = ["Server", "StackError", "StackSettings", "build_servers"]
