"""A server's jars: copied by Maven from a pom of this package into ``.stack/<server>/lib``.

A download is complete when its folder was renamed into place, with the pom's hash inside; an interrupted one is a
``lib.partial`` that the next attempt deletes. Maven keeps its own cache, so only what is missing is fetched again.
"""

import hashlib
import shutil
import subprocess
import threading
from pathlib import Path

from scripts.stack import tools
from scripts.stack.errors import StackError
from scripts.stack.files import make_private_folder

POMS = Path(__file__).resolve().parent
_MARK = ".pom-sha256"
# Two Mavens may write the same file of their shared cache.
_one_maven = threading.Lock()


def are_complete(pom: Path, lib: Path) -> bool:
    """Whether the folder holds the jars of this very pom."""
    try:
        return (lib / _MARK).read_text(encoding="ascii") == _hash(pom)
    except FileNotFoundError:
        return False


def copy_jars(pom: Path, lib: Path) -> None:
    """Fill a folder with a pom's jars, unless they are there."""
    if are_complete(pom, lib):
        return
    make_private_folder(lib.parent)
    partial = lib.with_name(lib.name + ".partial")
    with _one_maven:
        shutil.rmtree(partial, ignore_errors=True)
        _run_maven(pom, partial)
    (partial / _MARK).write_text(_hash(pom), encoding="ascii")
    shutil.rmtree(lib, ignore_errors=True)
    partial.rename(lib)


def _run_maven(pom: Path, into: Path) -> None:
    command = [tools.find("mvn"), "-q", "-B", "--strict-checksums", "-f", str(pom)]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={into}", "-DincludeScope=runtime"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode != 0 or not any(into.glob("*.jar")):
        output = "\n".join((run.stdout + run.stderr).splitlines()[-20:])
        raise StackError(
            f"Maven could not copy the jars of {pom.name} (exit {run.returncode}):\n{output}\n"
            f"Check the network and Maven's settings.xml, then run the command again: what was fetched is kept."
        )


def _hash(pom: Path) -> str:
    return hashlib.sha256(pom.read_bytes()).hexdigest()
