"""The quantile sketch: 1 % against exact quantiles, the same bytes for the same values, and clear errors."""

from contextlib import suppress
from decimal import Decimal
from math import inf, nan, nextafter
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.models.windows import buckets
from vigia.models.windows import sketch as module
from vigia.models.windows.buckets import LARGEST, RELATIVE_ERROR, SMALLEST, count_keys, key_of, value_of
from vigia.models.windows.bulk import totals_of_many
from vigia.models.windows.sketch import Sketch, SketchError, encoded_lone
from vigia.models.windows.totals import merged, plain_totals, sketch_in, totals_of

finite = st.floats(-1e280, 1e280, allow_nan=False)
tiny = st.floats(-1e-280, 1e-280, allow_nan=False)
usual = st.floats(-1e3, 1e3) | st.sampled_from([0.0, -0.0, 1.0, 0.5, 2.0])
value_lists = st.lists(finite | tiny | usual, min_size=1, max_size=200)


def exact(values, q):
    return sorted(values)[int(q * (len(values) - 1))]


@given(value_lists, st.floats(0, 1))
def test_a_quantile_is_within_one_percent_of_the_exact_one(values, q):
    true, found = exact(values, q), Sketch.of(values).quantile(q)
    assert abs(found - true) <= max(0.01 * abs(true), SMALLEST)


@pytest.mark.parametrize("distribution", ["lognormal", "uniform", "exponential", "two_peaks", "constant"])
def test_usual_quantiles_of_many_values_are_within_one_percent(distribution):
    draw = Random(7)
    sources = {
        "lognormal": lambda: draw.lognormvariate(3, 2),
        "uniform": draw.random,
        "exponential": lambda: draw.expovariate(0.1),
        "two_peaks": lambda: draw.gauss(5, 1) if draw.random() < 0.9 else draw.gauss(5_000, 10),
        "constant": lambda: 42.0,
    }
    values = [sources[distribution]() for _ in range(20_000)]
    sketch = Sketch.of(values)
    for q in (0.0, 0.01, 0.5, 0.95, 0.99, 0.999, 1.0):
        assert sketch.quantile(q) == pytest.approx(exact(values, q), rel=0.01)


@given(value_lists, st.randoms())
def test_the_bytes_depend_on_the_values_alone(values, random):
    shuffled = values.copy()
    random.shuffle(shuffled)
    parts = [shuffled[index::3] for index in range(3)]
    left = Sketch.of(parts[0]).merged(Sketch.of(parts[1])).merged(Sketch.of(parts[2]))
    right = Sketch.of(parts[2]).merged(Sketch.of(parts[1]).merged(Sketch.of(parts[0])))
    assert left.encode() == right.encode() == Sketch.of(values).encode()


@given(value_lists)
def test_encoded_and_decoded_it_is_the_same(values):
    sketch = Sketch.of(values)
    assert Sketch.decode(sketch.encode()) == sketch
    assert sketch.count == len(values)


@given(st.lists(st.lists(st.integers(-12, 12).map(lambda power: 1.5**power), max_size=30), max_size=4), st.randoms())
def test_collapsing_keeps_merging_exact_and_the_highest_buckets_true(groups, random):
    original = module.MAX_BUCKETS
    module.MAX_BUCKETS = 5
    try:
        whole = Sketch.of([value for group in groups for value in group])
        random.shuffle(groups)
        result = Sketch()
        for group in groups:
            result = result.merged(Sketch.of(group))
        assert result.encode() == whole.encode()
        assert len(whole.positive) <= 5
        if whole.count:
            values = [value for group in groups for value in group]
            assert whole.quantile(1.0) == pytest.approx(max(values), rel=0.01)
            # nothing comes out too small: what was folded went up
            assert whole.quantile(0.0) >= min(values) * 0.99
    finally:
        module.MAX_BUCKETS = original


@given(st.floats(SMALLEST, 1e281, exclude_max=True))
def test_numpy_and_python_give_the_same_key_and_it_stands_for_the_value(magnitude):
    key = key_of(magnitude)
    assert count_keys([magnitude] * 100) == {key: 100}
    assert 0 <= key <= 0xFFFF
    assert abs(value_of(key) - magnitude) <= RELATIVE_ERROR * magnitude * (1 + 1e-12)


def test_keys_rise_with_the_value_at_every_bucket_bound():
    keys = [key_of(2.0 ** (step / 350)) for step in range(-3_500, 3_500)]
    assert keys == sorted(keys)
    assert len(set(keys)) == 700
    assert key_of(1.0) == key_of(nextafter(1.0, 0.0)) + 1


def test_the_bounds_are_the_correctly_rounded_roots_of_two():
    for step, bound in enumerate(buckets._BOUNDS):
        below, above = (Decimal(nextafter(bound, toward)) * 2 for toward in (0.0, 2.0))
        target = Decimal(2) ** step
        assert below**35 < target < above**35


@given(st.lists(st.lists(finite | tiny | usual, min_size=1, max_size=80), min_size=1, max_size=12))
def test_totals_in_bulk_are_the_same_bytes_as_one_by_one(groups):
    groups = [*groups, [1.0] * 300, [0.0] * 300, [1e-200, 1e200, -1e100, -1e-100]]
    assert totals_of_many(groups) == [totals_of(group) for group in groups]


@given(finite | tiny | usual)
def test_a_lone_value_has_the_sketch_of_a_list_of_it(value):
    assert encoded_lone(value) == Sketch.of([value]).encode()


def test_a_lone_negative_zero_gives_the_bytes_of_zero():
    for made in (totals_of, plain_totals):
        assert msgspec.msgpack.encode(made([-0.0])) == msgspec.msgpack.encode(made([0.0]))


@given(value_lists, st.randoms())
def test_merged_totals_equal_the_totals_of_all_values(values, random):
    random.shuffle(values)
    parts = [part for part in (values[::3], values[1::3], values[2::3]) if part]
    result = totals_of(parts[-1])
    for part in parts[-2::-1]:
        result = merged(result, totals_of(part))
    assert result == totals_of(sorted(values))
    assert sketch_in(result.digest) == Sketch.of(values)


def test_zeros_of_both_signs_give_the_same_bytes():
    assert {msgspec.msgpack.encode(totals_of(values)) for values in ([0.0, -0.0], [-0.0, 0.0], [-0.0, -0.0])} == {
        msgspec.msgpack.encode(totals_of([0.0, 0.0]))
    }


def test_the_smallest_magnitudes_share_the_lowest_bucket_that_is_kept(monkeypatch):
    monkeypatch.setattr(module, "MAX_BUCKETS", 3)
    sketch = Sketch.of([1.0, 2.0, 4.0, 8.0, 16.0, -1.0])
    assert sketch.positive == {key_of(4.0): 3, key_of(8.0): 1, key_of(16.0): 1}
    assert sketch.negative == {key_of(1.0): 1}


def test_no_values_have_no_quantile_and_quantiles_lie_in_0_to_1():
    with pytest.raises(ValueError, match="of 0 values"):
        Sketch().quantile(0.5)
    with pytest.raises(ValueError, match=r"quantile 1\.5"):
        Sketch.of([1.0]).quantile(1.5)


@pytest.mark.parametrize("value", [inf, -inf, LARGEST])
def test_values_without_a_bucket_are_refused(value):
    with pytest.raises(ValueError, match="magnitudes"):
        Sketch.of([1.0, value])
    with pytest.raises(ValueError, match="magnitudes"):
        totals_of_many([[1.0] * 200, [value]])


def test_nan_is_refused_wherever_it_stands():
    for values in ([nan], [1.0, nan], [nan, 1.0], [1.0] * 300 + [nan]):
        with pytest.raises(ValueError, match=r"NaN|nan"):
            totals_of(values)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "at least 10 bytes, this one 0"),
        (b"\x01\x01", "at least 10 bytes, this one 2"),
        (b"\x07" + Sketch.of([1.0]).encode()[1:], "version 7"),
        (b"\x01\x33" + Sketch.of([1.0]).encode()[2:], "widths or numbers"),
        (Sketch.of([1.0]).encode()[:-1], "has 12 bytes, this one 11"),
        (Sketch.of([1.0]).encode() + b"x", "has 12 bytes, this one 13"),
        (Sketch.of([1.0]).encode()[:-1] + b"\0", "no empty"),
        (Sketch.of([1.0, 1.1]).encode()[:8] + b"\xff\xff" + Sketch.of([1.0, 1.1]).encode()[10:], "keys end at"),
    ],
)
def test_bytes_that_are_no_sketch_are_refused_with_a_reason(data, message):
    with pytest.raises(SketchError, match=message):
        Sketch.decode(data)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_sketch_or_a_sketch_error(data):
    for read in (Sketch.decode, sketch_in):
        with suppress(SketchError):
            read(data)


def test_a_window_of_ordinary_values_is_small():
    assert len(totals_of([100.0 + index % 17 for index in range(60)]).digest) < 70
