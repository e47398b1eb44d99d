"""Files of the stack: templates filled in, and files whose content only their owner may read."""

import os
from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).resolve().parent / "templates"
TAIL_BYTES = 64 * 1024


def render(template: str, **values: object) -> str:
    """Fill in a template; a name it uses and nobody gave is a KeyError, not an empty string."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return Template(text).substitute({name: str(value) for name, value in values.items()})


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only from its first byte."""
    make_private_folder(path.parent)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def make_private_folder(path: Path) -> None:
    """Create a folder (and those above it) that only its owner may enter."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def tail(path: Path, lines: int, start: int = 0) -> str:
    """The last lines of a log, none of them from before byte ``start``."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start if start <= end else 0, end - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
