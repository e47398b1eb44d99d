"""How a challenger is kept: a skops file, which is data and no pickle, and is believed in nothing that it says.

Before anything of it is built, its digest must be the one in the registry, and every type it names must be among those
that are written down here. What a file calls trusted does not count.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from vigia.models.risk.challengers.fitting import KINDS, Challenger, Kind
from vigia.models.risk.encoding import COLUMNS

COLUMNS_SCHEMA = 1
"""Of what the columns mean: raise it whenever `encoding.py` or `features.py` makes other numbers of the same event."""

LARGEST = 8 * 2**20
"""Bytes of a file; one of 100 full trees has about 1.5 MB."""

LARGEST_UNPACKED = 64 * 2**20

_ESTIMATORS: dict[Kind, type] = {
    "random_forest": RandomForestClassifier,
    "hist_gradient_boosting": HistGradientBoostingClassifier,
}

_PLAIN = frozenset(
    {
        "builtins.dict",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.ndarray",
        "numpy.int64",
        "numpy.uint64",
        "numpy.float64",
    }
)

TRUSTED: dict[Kind, frozenset[str]] = {
    "random_forest": _PLAIN
    | {
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.tree._classes.DecisionTreeClassifier",
        "sklearn.tree._tree.Tree",
    },
    "hist_gradient_boosting": _PLAIN
    | {
        "numpy.random._generator.Generator",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.preprocessing._label.LabelEncoder",
    },
}
"""Every type that a file of each kind may name."""


class Refused(ValueError):
    """The file is not used; says why."""


def dump(challenger: Challenger) -> bytes:
    """Return the file of a model; raises Refused when it would be too large to be kept."""
    content = {
        "schema": COLUMNS_SCHEMA,
        "columns": [column.name for column in COLUMNS],
        "kind": challenger.kind,
        "base_rate": challenger.base_rate,
        "estimator": challenger.estimator,
    }
    body: bytes = skops.io.dumps(content, compression=zipfile.ZIP_DEFLATED)
    if len(body) > LARGEST:
        raise Refused(f"the model has {len(body):,} bytes, and at most {LARGEST:,} are kept")
    return body


def digest_of(body: bytes) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return sha256(body).hexdigest()


def types_in(body: bytes) -> frozenset[str]:
    """Return the name of every type in a file, without building any of it; raises Refused when it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(each.file_size for each in packed.infolist()) > LARGEST_UNPACKED:
                raise Refused(f"the file is larger than {LARGEST_UNPACKED:,} bytes when it is unpacked")
            schema = json.loads(packed.read("schema.json"))
        return frozenset(_types(schema))
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RecursionError) as error:
        raise error if isinstance(error, Refused) else Refused(f"the file cannot be read: {error}") from error


def load(kind: Kind, body: bytes, digest: str) -> Challenger:
    """Return the model of a file, whose digest in the registry is `digest`.

    Raises Refused for a file that was changed, is cut short, names another type, or is for other columns.
    """
    if kind not in KINDS:
        raise Refused(f"{kind!r} is no kind of model that this version knows")
    if len(body) > LARGEST:
        raise Refused(f"the file has {len(body):,} bytes: more than any model of ours")
    if digest_of(body) != digest:
        raise Refused(f"the file was changed or is damaged: its SHA-256 is {digest_of(body)}, not {digest}")
    others = types_in(body) - TRUSTED[kind]
    if others:
        raise Refused(f"the file names types that a {kind} does not have: {', '.join(sorted(others))}")
    try:
        content = skops.io.loads(body, trusted=sorted(TRUSTED[kind]))
    except Exception as error:  # whatever a file makes its reader do, it is the file that is refused
        raise Refused(f"the file cannot be read: {type(error).__name__}: {error}") from error
    return _checked(kind, content)


def _checked(kind: Kind, content: Any) -> Challenger:
    wanted = {"schema", "columns", "kind", "base_rate", "estimator"}
    if not isinstance(content, dict) or set(content) != wanted or content["kind"] != kind:
        raise Refused(f"the file is not of a {kind}")
    if content["schema"] != COLUMNS_SCHEMA or content["columns"] != [column.name for column in COLUMNS]:
        raise Refused(
            f"the model reads columns of version {content['schema']!r}, this version of Vigia makes {COLUMNS_SCHEMA}: "
            "train it anew"
        )
    estimator: Any = content["estimator"]
    base_rate = content["base_rate"]
    if type(estimator) is not _ESTIMATORS[kind] or getattr(estimator, "n_features_in_", None) != len(COLUMNS):
        raise Refused(f"the file has no trained {kind} over {len(COLUMNS)} columns")
    if not isinstance(base_rate, float) or not 0.0 < base_rate < 1.0 or _classes(estimator) != [False, True]:
        raise Refused("the file has no model that tells failures from clean deployments")
    return Challenger(kind, estimator, base_rate)


def _classes(estimator: Any) -> list[Any]:
    return list(getattr(estimator, "classes_", ()))


def _types(node: Any) -> Iterator[str]:
    """Yield the types that a node of a file's schema names, and all nodes in it."""
    if isinstance(node, dict):
        if "__class__" in node or "__module__" in node or "__loader__" in node:
            yield f"{node.get('__module__')}.{node.get('__class__')}"
        for value in node.values():
            yield from _types(value)
    elif isinstance(node, list):
        for value in node:
            yield from _types(value)
