"""The programs the stack needs from the system, each with what to install when it is missing."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from scripts.stack.errors import StackError

JAVA = "17"
"""Kafka 4 needs 17 or later, and Cassandra 5.0 runs on no later one."""

_PACKAGES = {
    "mvn": "Apache Maven (Debian and Ubuntu: apt-get install maven; macOS: brew install maven)",
    "mariadbd": "the MariaDB server (Debian and Ubuntu: apt-get install mariadb-server; macOS: brew install mariadb)",
    "mariadb-install-db": "the MariaDB server (Debian and Ubuntu: apt-get install mariadb-server)",
}


def find(program: str) -> str:
    """The path of a program, looked for in PATH and where Debian keeps servers, which users' PATHs leave out."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which(program, path=path):
        return found
    raise StackError(f"The program {program!r} was not found in {path}. Install {_PACKAGES[program]}.")


def find_java() -> str:
    """The path of a Java 17: JAVA_HOME's, the one in PATH, or one installed where Debian keeps them."""
    seen = []
    for candidate in _javas():
        version = _java_version(candidate)
        if version == JAVA:
            return candidate
        seen.append(f"{candidate} is version {version or 'unknown'}")
    raise StackError(
        f"Kafka and Cassandra need Java {JAVA} ({'; '.join(seen) or 'no java found'}). Install it (Debian and Ubuntu: "
        f"apt-get install openjdk-{JAVA}-jre-headless) or set JAVA_HOME to one."
    )


def _javas() -> list[str]:
    homes = [Path(home) for home in [os.environ.get("JAVA_HOME")] if home]
    candidates = [str(home / "bin" / "java") for home in homes]
    if in_path := shutil.which("java"):
        candidates.append(in_path)
    candidates += [str(home / "bin" / "java") for home in sorted(Path("/usr/lib/jvm").glob(f"java-{JAVA}-*"))]
    return [candidate for candidate in candidates if os.access(candidate, os.X_OK)]


def _java_version(java: str) -> str | None:
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r'version "(\d+)', answer.stderr)
    return found.group(1) if found else None
