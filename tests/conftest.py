"""What all tests share: hypothesis's profiles, and the real stack for those that need it.

A test in tests/integration or tests/faults, or one marked `stack`, gets 300 s and a running stack. Where something for
the stack is missing it is skipped with the reason; with CI=true it fails, so that CI can never be green without them.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from scripts.stack import tools
from scripts.stack.errors import StackError
from scripts.stack.settings import StackSettings

ROOT = Path(__file__).resolve().parent.parent
STACK_FOLDERS = (ROOT / "tests" / "integration", ROOT / "tests" / "faults")
STACK_TEST_SECONDS = 300
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# CI draws the same examples each time: a red run is about the change under test and can be repeated; finding new
# examples is the developers' machines' part, where each run draws others. No deadline: the two cores are shared.
settings.register_profile(
    "ci", derandomize=True, print_blob=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the stack, and give it the stack and more time."""
    for item in items:
        in_folder = any(folder in item.path.parents for folder in STACK_FOLDERS)
        names = getattr(item, "fixturenames", None)
        if names is None or not (in_folder or "stack" in names or item.get_closest_marker("stack")):
            continue
        if not item.get_closest_marker("stack"):
            item.add_marker(pytest.mark.stack)
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(STACK_TEST_SECONDS))
        if "stack" not in names:
            names.insert(0, "stack")


@pytest.fixture(scope="session")
def stack() -> Iterator[Mapping[str, str]]:
    """The settings (`VIGIA_*`) of a running local stack; one that was not running before is stopped at the end."""
    missing = what_the_stack_lacks()
    if missing:
        reason = f"no real stack here: {' '.join(missing)}"
        if IN_CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    was_running = _stack("status").returncode == 0
    up = _stack("up")
    if up.returncode:
        pytest.fail(f"`make stack` ended with {up.returncode}:\n{up.stdout[-4000:]}", pytrace=False)
    try:
        yield read_exports((StackSettings.from_environment(os.environ).root / "env").read_text())
    finally:
        if not was_running:
            _stack("down")


def what_the_stack_lacks() -> list[str]:
    """What has to be installed before the stack can run here, in the words of the stack itself."""
    missing = []
    for look in (tools.find_java, lambda: tools.find("mvn"), lambda: tools.find("mariadbd")):
        try:
            look()
        except StackError as error:
            missing.append(str(error))
    return missing


def read_exports(text: str) -> dict[str, str]:
    """The variables of a file of shell lines `export NAME=value`, quotes taken off."""
    found = {}
    for line in text.splitlines():
        for word in shlex.split(line, comments=True):
            name, equals, value = word.partition("=")
            if equals:
                found[name] = value
    return found


def _stack(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.stack", command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
