"""Keys that a file names by their variables: they stand in the environment or in files that it names, nowhere else."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from vigia.settings.reading import SettingsError
from vigia.settings.secret import Secret

MIN_KEY = 16
"""Shortest key, in bytes of UTF-8: what is shorter can be found by trying."""


def read_keys(variables: Iterable[str], source: str, environ: Mapping[str, str] | None = None) -> dict[str, Secret]:
    """Return the key in each variable that the file `source` names, or in the file that `<variable>_FILE` names.

    Raises SettingsError with a sentence for each that is missing, too short or cannot be read; it shows no key.
    """
    environ = os.environ if environ is None else environ
    found: dict[str, Secret] = {}
    problems: list[str] = []
    for variable in variables:
        try:
            text = _text(variable, environ)
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{variable}_FILE: the file cannot be read: {error}")
            continue
        if not text:
            problems.append(f"{variable}, which {source} names, is not set")
        elif len(text.encode()) < MIN_KEY:
            problems.append(f"{variable} is too short for a key: at least {MIN_KEY} bytes")
        else:
            found[variable] = Secret(text)
    if problems:
        raise SettingsError(problems)
    return found


def _text(variable: str, environ: Mapping[str, str]) -> str:
    if path := environ.get(f"{variable}_FILE"):
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    return environ.get(variable, "")
