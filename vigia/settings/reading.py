"""`load`: the environment and the TOML file to checked settings, or one error that names everything that is wrong."""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

from vigia.settings.checks import conflicts, refusals
from vigia.settings.parsing import parse, shown
from vigia.settings.sections import Settings
from vigia.settings.table import PREFIX, Setting, rows

DEFAULT_TOML = Path("config/vigia.toml")
"""Read when it exists and no other file is named."""

CONFIG_VARIABLE = PREFIX + "CONFIG"
OTHERS_PREFIXES = (PREFIX + "STACK_", PREFIX + "COMPOSE_", PREFIX + "KEY_")
"""Variables of the local stack's scripts, of docker-compose.yml, and keys that `config/feedback.toml` names: none is a
setting of the application.
"""


class SettingsError(ValueError):
    """The settings cannot be used; `problems` has a sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("settings that cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


class _Given:
    """One value that was given: what it is, and where it stood."""

    def __init__(self, raw: object, where: str) -> None:
        self.raw = raw
        self.where = where


def load(
    environ: Mapping[str, str] | None = None, toml_path: Path | None = None, *, in_own_checkout: bool = True
) -> Settings:
    """Return the settings from `environ` (the process's own by default) and a TOML file.

    The file is `toml_path`, else the one that VIGIA_CONFIG names, else `config/vigia.toml` when there is one; but for a
    command that is started in somebody else's checkout, whose files must not tell where our credentials are sent. A
    variable that is set to nothing counts as not set. Raises SettingsError with all problems at once.
    """
    environ = os.environ if environ is None else environ
    table = rows(Settings)
    problems: list[str] = []
    given = _from_toml(_toml_file(environ, toml_path, in_own_checkout=in_own_checkout), table, problems)
    given.update(_from_environment(environ, table, problems))
    values = _parsed(table, given, problems)
    settings = _assembled(table, values)
    # settings that did not parse would be judged by their defaults
    if not problems:
        problems += conflicts(settings) + refusals(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _toml_file(environ: Mapping[str, str], toml_path: Path | None, *, in_own_checkout: bool) -> Path | None:
    if toml_path is not None:
        return toml_path
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    return DEFAULT_TOML if in_own_checkout and DEFAULT_TOML.exists() else None


def _from_toml(path: Path | None, table: list[Setting], problems: list[str]) -> dict[str, _Given]:
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror}); name another file in {CONFIG_VARIABLE}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path}: is not TOML: {error}")
        return {}
    sections = {row.section for row in table if row.section}
    known = {row.key for row in table}
    given: dict[str, _Given] = {}
    for key, value in _flattened(content, sections):
        if key in known:
            given[key] = _Given(value, f"{key} in {path}")
        else:
            problems.append(f"{path}: there is no setting {key}{_nearest(key, known | sections)}")
    return given


def _flattened(content: Mapping[str, Any], sections: set[str]) -> list[tuple[str, object]]:
    flat: list[tuple[str, object]] = []
    for key, value in content.items():
        if key in sections and isinstance(value, dict):
            flat += [(f"{key}.{name}", below) for name, below in value.items()]
        else:
            flat.append((key, value))
    return flat


def _from_environment(environ: Mapping[str, str], table: list[Setting], problems: list[str]) -> dict[str, _Given]:
    by_variable = {row.variable: row for row in table}
    by_file_variable = {row.file_variable: row for row in table if row.file_variable}
    given: dict[str, _Given] = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE or variable.startswith(OTHERS_PREFIXES):
            continue
        if variable not in by_variable and variable not in by_file_variable:
            problems.append(f"there is no setting {variable}{_nearest(variable, {*by_variable, *by_file_variable})}")
        elif not text:
            continue
        elif variable in by_variable:
            given[by_variable[variable].key] = _Given(text, variable)
        else:
            row = by_file_variable[variable]
            if environ.get(row.variable):
                problems.append(f"{row.variable} and {variable} are both set: remove one")
            _read_secret(row, variable, Path(text), given, problems)
    return given


def _read_secret(row: Setting, variable: str, path: Path, given: dict[str, _Given], problems: list[str]) -> None:
    try:
        # editors and `echo` end a file with a newline, which no password has
        given[row.key] = _Given(path.read_text(encoding="utf-8").rstrip("\r\n"), f"the file {path} named by {variable}")
    except OSError as error:
        problems.append(f"{variable}: the file {path} cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        problems.append(f"{variable}: the file {path} is not text in UTF-8")


def _parsed(table: list[Setting], given: dict[str, _Given], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for row in table:
        if row.key not in given:
            continue
        raw, where = given[row.key].raw, given[row.key].where
        try:
            values[row.key] = parse(row, raw)
        except ValueError as error:
            problems.append(f"{where} is {shown(row, raw)}: {error}")
    profile = values.get("profile", "development")
    return {row.key: values.get(row.key, row.default_for(profile)) for row in table}


def _assembled(table: list[Setting], values: dict[str, Any]) -> Settings:
    classes = get_type_hints(Settings)
    parts: dict[str, dict[str, Any]] = {}
    for row in table:
        parts.setdefault(row.section, {})[row.name] = values[row.key]
    own = parts.pop("")
    return Settings(**own, **{section: classes[section](**fields) for section, fields in parts.items()})


def _nearest(name: str, known: set[str]) -> str:
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]}?" if nearest else "; docs/settings.md lists all settings"
