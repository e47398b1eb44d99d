"""The simulation can fail: rules that are switched off in a scratch copy are missed within a few seeds.

`python -m tests.simulation.mutations` does this for every rule; here are some that are quickly found, of each part one.
"""

from pathlib import Path

import pytest

from tests.simulation.mutations import ROOT, apply, tried
from tests.simulation.rules import MUTATIONS, Mutation

QUICK = {
    "a commit compares and swaps the lane's version": "does not follow",
    "raw events are waited for": "before it was kept",
    "a batch is acknowledged after its commit": "not committed",
    "event ids are remembered": "seen are",
}
"""Rules, and how it is noticed that they are switched off."""
SEEDS = 5


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[one.rule for one in MUTATIONS])
def test_what_switches_a_rule_off_still_fits_the_code(mutation: Mutation, tmp_path: Path):
    for name in {name for name, _, _ in mutation.changes}:
        copy = tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((ROOT / name).read_text())
    for change in mutation.changes:
        apply(change, tmp_path)
        compile((tmp_path / change[0]).read_text(), change[0], "exec")


def test_no_rule_is_named_twice():
    assert len({one.rule for one in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("rule", QUICK)
def test_a_rule_that_is_switched_off_is_missed(rule: str):
    (mutation,) = (one for one in MUTATIONS if one.rule == rule)
    seeds, words = tried(mutation, SEEDS)
    assert seeds is not None
    assert QUICK[rule] in words


def test_nothing_is_missed_in_a_copy_without_a_change():
    assert tried(Mutation("nothing is switched off", []), SEEDS) == (None, "")
