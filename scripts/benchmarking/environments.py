"""Where others live that are measured: an environment of its own for each, made once below a cache folder, pinned."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

KAFKA_STREAMS = Path(__file__).parent / "contest" / "peers" / "kafka_streams"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vigia" / "benchmarking"
BUILD_LIMIT = 1_800.0

QUIX = ("quixstreams==3.28.1",)
BYTEWAX = ("bytewax==0.21.1", "confluent-kafka==2.11.1", "msgspec==0.20.0")
ACSYLLA = ("acsylla==1.2.0",)
LATTE = "0.29.0"
FAUST = ("faust-streaming==0.15.3", "aiokafka==0.14.0", "msgspec==0.20.0")


class CannotBuildError(Exception):
    """A peer's environment cannot be made here; the message says why."""


def python_with(requirements: Sequence[str]) -> Path:
    """Return the Python of an environment with exactly these requirements."""
    name = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    folder = CACHE / f"{requirements[0].partition('=')[0]}-{name}"
    python, stamp = folder / "bin" / "python", folder / ".installed"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", *requirements])
        stamp.touch()
    return python


def kafka_streams() -> Path:
    """Return the folder with the compiled job (`classes`) and its jars (`lib`)."""
    folder = CACHE / "kafka-streams"
    if not (folder / "lib").is_dir():
        if shutil.which("mvn") is None:
            raise CannotBuildError("mvn is not installed")
        shutil.rmtree(folder, ignore_errors=True)
        copy = ["mvn", "-q", "-B", "-f", str(KAFKA_STREAMS / "pom.xml"), "dependency:copy-dependencies"]
        _run([*copy, f"-DoutputDirectory={folder / 'part'}"])
        (folder / "part").rename(folder / "lib")
    compiler = shutil.which("javac")
    if compiler is None:
        raise CannotBuildError("javac is not installed")
    jars = ":".join(str(jar) for jar in sorted((folder / "lib").glob("*.jar")))
    _run([compiler, "-cp", jars, "-d", str(folder / "classes"), str(KAFKA_STREAMS / "src" / "Job.java")])
    return folder


def latte() -> Path:
    """Return the program of the crate latte-cli, which writes to Cassandra from Rust."""
    folder = CACHE / f"latte-{LATTE}"
    program = folder / "bin" / "latte"
    if not program.exists():
        if shutil.which("cargo") is None:
            raise CannotBuildError("cargo is not installed")
        _run(["cargo", "install", "latte-cli", "--version", LATTE, "--locked", "--root", str(folder)])
    return program


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuildError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise CannotBuildError(f"{' '.join(command[:4])} ended with {done.returncode}: {done.stderr[-500:]}")
