"""`make run REPO=path ONCE=1`, twice: a repository's history trains its team's model once, and is no delivery."""

import sqlite3
from contextlib import closing

import pytest

from tests.integration.test_run_once import report_of, run_once
from tests.support.repositories import START, Repository, numbered

DAY = 86_400
STEPS = 12


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The reports of two runs, and the rows of deployments by external id."""
    folder = tmp_path_factory.mktemp("repository")
    repository = Repository(folder / "till")
    for number in range(STEPS):
        message = "fix" if number in {5, 8} else "add"
        repository.commit({"a.py": numbered(*range(number % 5), number)}, message, at=START + 30 * DAY * number)
    runs = [
        report_of(run_once("--repo", str(repository.folder), "--newest", "10", VIGIA_DATA_DIR=str(folder / "data")))
        for _ in range(2)
    ]
    with closing(sqlite3.connect(folder / "data" / "summaries.db")) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM deployments WHERE service = 'till'")]
    return runs, {row["external_id"]: row for row in rows}, repository.git("rev-list", "--reverse", "HEAD").split()


def test_its_newest_steps_are_scored_deployments_of_the_team_that_owns_it(played):
    _, rows, shas = played
    assert set(rows) == set(shas[-10:])
    assert {(row["environment"], row["scope"], row["commits"]) for row in rows.values()} == {
        ("history", "unassigned", 1)
    }
    assert all(0 < row["risk"] < 1 for row in rows.values())


def test_what_was_repaired_is_known_as_defective_and_the_rest_as_clean_or_not_at_all(played):
    _, rows, shas = played
    found = {sha: (rows[sha]["outcome"], rows[sha]["outcome_label"]) for sha in shas[-10:]}
    assert ("failed", "defect") in found.values()
    assert ("succeeded", "defect") in found.values()
    # the last steps have not been out for 90 days when the history ends
    assert {found[sha] for sha in shas[-2:]} == {("", "")}


def test_played_again_all_of_it_is_a_duplicate(played):
    (first, second), _, _ = played
    assert first["topics"]["deployments"]["duplicate"] == 0
    assert second["topics"]["deployments"]["duplicate"] == 10
    assert second["sent"] == first["sent"]
    # the made-up incident is another one in each run
    assert (first["deployments_scored"], second["deployments_scored"]) == (11, 1)


def test_a_folder_that_is_no_repository_ends_with_78_and_says_so(tmp_path):
    done = run_once("--repo", str(tmp_path), VIGIA_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 78
    assert f"the history of {tmp_path} cannot be played back" in done.stderr
    assert "not a git repository" in done.stderr
