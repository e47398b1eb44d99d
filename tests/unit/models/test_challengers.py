"""Challengers: the same input gives the same model, and a file that is not ours is refused before it is built."""

import io
import json
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import ExtraTreesClassifier

from vigia.models.risk.challengers import files, fitting
from vigia.models.risk.challengers.files import Refused, digest_of, dump, load, types_in
from vigia.models.risk.encoding import COLUMNS


def history(deployments=300, seed=3):
    """Columns that lack some values everywhere and others now and then; big changes fail."""
    random = np.random.default_rng(seed)
    rows: list[list[float | None]] = [
        [float(random.random() < 0.3), 1.0, 1.0, 2.0, None, float(random.integers(1, 400)), float(number % 7)]
        for number in range(deployments)
    ]
    for row in rows[::9]:
        row[5] = None
    failed = np.array([(row[5] or 0.0) + random.normal(0, 60) > 250 for row in rows])
    return fitting.encoded([tuple(row) for row in rows]), failed


@pytest.fixture(scope="module", params=fitting.KINDS)
def trained(request):
    return fitting.fit(request.param, *history())


def test_a_model_is_the_same_again_and_knows_what_it_was_taught(trained):
    columns, failed = history()
    again = fitting.fit(trained.kind, columns, failed)
    said = fitting.probabilities(trained, columns)
    assert np.array_equal(said, fitting.probabilities(again, columns))
    assert said[failed].mean() > said[~failed].mean() + 0.2
    assert 0.0 <= said.min() <= said.max() <= 1.0
    assert trained.base_rate == failed.mean()


def test_what_nobody_told_in_training_may_be_told_later(trained):
    # the fifth feature is in no row of the history
    said = fitting.probabilities(trained, fitting.encoded([(1.0, 1.0, 1.0, 2.0, 0.7, 300.0, 1.0), ()]))
    assert np.isfinite(said).all()
    assert len(fitting.probabilities(trained, np.zeros((0, len(COLUMNS))))) == 0


def test_too_few_outcomes_of_a_kind_are_refused():
    columns, failed = history()
    few = failed & (np.cumsum(failed) < fitting.LEAST_FAILED)
    with pytest.raises(ValueError, match="9 failures and 291 clean deployments are too few"):
        fitting.fit("random_forest", columns, few)


def test_a_file_gives_back_a_model_that_says_the_same(trained):
    columns, _ = history(seed=8)
    body = dump(trained)
    assert len(body) < 2**20
    read = load(trained.kind, body, digest_of(body))
    assert np.array_equal(fitting.probabilities(read, columns), fitting.probabilities(trained, columns))
    assert (read.kind, read.base_rate) == (trained.kind, trained.base_rate)
    assert types_in(body) <= files.TRUSTED[trained.kind]


def test_every_flipped_byte_is_found(trained):
    body = dump(trained)
    for place in (0, len(body) // 2, len(body) - 1):
        damaged = bytearray(body)
        damaged[place] ^= 1
        with pytest.raises(Refused, match="was changed or is damaged"):
            load(trained.kind, bytes(damaged), digest_of(body))


@pytest.mark.parametrize("left", [0, 10, 0.5, 0.99])
def test_a_truncated_file_is_refused_even_when_its_digest_is_that_of_the_rest(trained, left):
    body = dump(trained)
    cut = body[: left if isinstance(left, int) else int(left * len(body))]
    with pytest.raises(Refused, match="was changed or is damaged"):
        load(trained.kind, cut, digest_of(body))
    with pytest.raises(Refused, match="cannot be read"):
        load(trained.kind, cut, digest_of(cut))


def repacked(trained, **changes):
    """A file with another content, whole in itself."""
    body = dump(trained)
    content = skops.io.loads(body, trusted=sorted(files.TRUSTED[trained.kind]))
    return skops.io.dumps(content | changes)


def test_a_type_that_is_not_written_down_is_refused_before_it_is_built(trained, monkeypatch):
    other = ExtraTreesClassifier(3).fit(*history())
    body = repacked(trained, estimator=other)
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("it was built"))
    with pytest.raises(Refused, match=r"types that a .* does not have: .*ExtraTreesClassifier"):
        load(trained.kind, body, digest_of(body))


def test_a_type_is_found_wherever_the_file_names_it(trained, monkeypatch):
    body = dump(trained)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as packed, zipfile.ZipFile(out, "w") as made:
        for name in packed.namelist():
            part = packed.read(name)
            if name == "schema.json":
                schema = json.loads(part)
                # scikit-learn's own, but a function: what it would call is not for a file to say
                schema["content"]["base_rate"] = {
                    "__class__": "function",
                    "__module__": "os",
                    "__loader__": "FunctionNode",
                    "content": {"module_path": "os", "function": "getcwd"},
                }
                part = json.dumps(schema).encode()
            made.writestr(name, part)
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("it was built"))
    with pytest.raises(Refused, match=r"os\.function"):
        load(trained.kind, out.getvalue(), digest_of(out.getvalue()))


def test_a_model_for_other_columns_is_refused(trained):
    for changes in ({"schema": files.COLUMNS_SCHEMA + 1}, {"columns": ["la"]}):
        body = repacked(trained, **changes)
        with pytest.raises(Refused, match="train it anew"):
            load(trained.kind, body, digest_of(body))


@pytest.mark.parametrize("changes", [{"kind": "other"}, {"base_rate": 2.0}, {"base_rate": "0.2"}, {"more": 1}])
def test_a_file_of_another_form_is_refused(trained, changes):
    body = repacked(trained, **changes)
    with pytest.raises(Refused, match=r"the file (is not|has no)"):
        load(trained.kind, body, digest_of(body))


def test_a_file_of_one_kind_is_none_of_the_other(trained):
    body = dump(trained)
    (other,) = set(fitting.KINDS) - {trained.kind}
    with pytest.raises(Refused, match="types that a"):
        load(other, body, digest_of(body))


def test_a_file_that_unpacks_to_more_than_any_model_is_refused(trained, monkeypatch):
    body = dump(trained)
    monkeypatch.setattr(files, "LARGEST_UNPACKED", 10_000)
    with pytest.raises(Refused, match="when it is unpacked"):
        load(trained.kind, body, digest_of(body))
    monkeypatch.setattr(files, "LARGEST", 1_000)
    with pytest.raises(Refused, match="at most"):
        dump(trained)
