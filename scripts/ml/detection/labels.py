"""What is known of a folder of labelled series: the two layouts in which such series are published."""

import json
from dataclasses import dataclass
from pathlib import Path

from scripts.ml.detection.nab import Window
from scripts.ml.detection.series import Series, SeriesError, epoch_seconds, read_series


@dataclass(frozen=True, slots=True)
class WindowedSet:
    """Series whose anomalies are windows of time, by the series' name."""

    series: list[Series]
    windows: dict[str, list[Window]]


def read_windowed(folder: Path) -> WindowedSet:
    """Return the series that `windows.json` (or the benchmark's `combined_windows.json`) in `folder` names and that
    are there. Raises SeriesError.
    """
    path = labels_file(folder)
    if path is None:
        raise SeriesError(f"{folder}: no windows.json")
    try:
        named = json.loads(path.read_text(encoding="utf-8"))
        windows = {
            name: [(epoch_seconds(first), epoch_seconds(last)) for first, last in spans]
            for name, spans in named.items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise SeriesError(f"{path}: {error}") from error
    places = {name: folder / name for name in sorted(windows)}
    series = [read_series(place, name) for name, place in places.items() if place.is_file()]
    if not series:
        raise SeriesError(f"{path}: none of the {len(windows)} series that it names is in {folder}")
    return WindowedSet(series, windows)


def labels_file(folder: Path) -> Path | None:
    """Return the file with the windows, if the folder has one."""
    found = (folder / name for name in ("windows.json", "combined_windows.json"))
    return next((path for path in found if path.is_file()), None)


def read_labelled(folder: Path) -> list[Series]:
    """Return all series below `folder` that have a label a row. Raises SeriesError when there are none."""
    found = [read_series(path, str(path.relative_to(folder))) for path in sorted(folder.rglob("*.csv"))]
    series = [one for one in found if one.labels]
    if not series:
        raise SeriesError(f"{folder}: no CSV file with a column `label`, and no windows.json")
    return series
