"""Processes that a test starts: what they find in their environment."""

import os


def without_settings() -> dict[str, str]:
    """Return this process's environment without Vigia's settings: a developer may have exported those of the stack."""
    return {name: value for name, value in os.environ.items() if not name.startswith("VIGIA_")}
