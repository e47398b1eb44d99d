"""The features of Kamei et al.: known answers, and a plain recomputation over random histories."""

import math
from random import Random

import pytest

from tests.support.repositories import HOUR, Repository, numbered
from vigia.feeds.git.changes import Change, FileChange, between
from vigia.feeds.git.command import Git
from vigia.feeds.git.kamei import Past, repairs

DAY = 86_400.0
WEEK = 7 * DAY


def change(sha, at, author="Ada", files=(), message="a change"):
    return Change(sha, (), at, at, author, message, tuple(files))


def touched(path, added=1, deleted=0, before=None, **more):
    return FileChange(path, before or path, added, deleted, **more)


def features_of(*changes):
    past = Past()
    for each in changes[:-1]:
        past.record(each)
    return past.features(changes[-1])


def test_what_a_change_touches_is_counted_by_file_folder_and_subsystem():
    one = change("1", 0, files=[touched("a/b/c.py", 6, 2), touched("a/d.py", 0, 8), touched("top.py", 4, 12)])
    found = features_of(one)
    assert (found.nf, found.nd, found.ns, found.la, found.ld) == (3, 3, 2, 10, 22)
    shares = [8 / 32, 8 / 32, 16 / 32]
    assert found.entropy == pytest.approx(-sum(share * math.log2(share) for share in shares))


def test_a_new_author_on_new_files_has_no_past():
    found = features_of(change("1", 100, files=[touched("a.py")]))
    assert (found.lt, found.ndev, found.age, found.nuc, found.exp, found.rexp, found.sexp) == (0, 0, 0, 0, 0, 0, 0)


def test_the_past_of_files_counts_developers_days_lines_and_last_changes():
    found = features_of(
        change("1", 0, "Ada", [touched("a.py", 10), touched("b.py", 20)]),
        change("2", 2 * DAY, "Bob", [touched("a.py", 5, 1)]),
        change("3", 3 * DAY, "Cy", [touched("a.py"), touched("b.py"), touched("new.py")]),
    )
    assert found.lt == pytest.approx((14 + 20 + 0) / 3)
    assert found.ndev == 2
    assert found.age == pytest.approx((1 + 3 + 0) / 3)
    # the last change of a.py is the second, that of b.py the first
    assert found.nuc == 2


def test_two_files_last_changed_together_have_one_last_change():
    both = [touched("a.py"), touched("b.py")]
    assert features_of(change("1", 0, files=both), change("2", DAY, files=both)).nuc == 1


def test_experience_is_counted_whole_by_recency_and_in_the_subsystem():
    found = features_of(
        change("1", 0, files=[touched("web/a.py")]),
        change("2", 2.5 * WEEK, files=[touched("db/a.py"), touched("web/b.py")]),
        change("3", 2.6 * WEEK, "Bob", [touched("web/a.py")]),
        change("4", 3.2 * WEEK, files=[touched("db/c.py")]),
        change("5", 3.4 * WEEK, files=[touched("web/c.py")]),
    )
    assert (found.exp, found.sexp) == (3, 2)
    assert found.rexp == pytest.approx(1 / 4 + 1 / 1 + 1 / 1)


def test_what_lies_ahead_by_a_wrong_clock_is_as_if_it_were_now():
    found = features_of(change("1", 900 * WEEK, files=[touched("a.py")]), change("2", 0, files=[touched("a.py")]))
    assert (found.age, found.exp, found.rexp) == (0, 1, 1)


def test_a_renamed_file_has_the_past_of_its_old_name():
    found = features_of(
        change("1", 0, files=[touched("old.py", 7)]), change("2", DAY, files=[touched("new.py", 1, 1, before="old.py")])
    )
    assert (found.lt, found.ndev, found.age, found.nuc) == (7, 1, 1, 1)


def test_binary_files_are_left_out():
    found = features_of(change("1", 0, files=[touched("picture.png", 0, 0, is_text=False), touched("a/b.py", 3)]))
    assert (found.nf, found.nd, found.ns, found.la) == (1, 1, 1, 3)


def test_what_is_not_known_of_the_past_is_missing_and_not_zero():
    past = Past(lines_known=False, files_known=False, authors_known=False)
    found = past.features(change("1", 0, files=[touched("a.py", 2)]))
    assert (found.la, found.nf) == (2, 1)
    assert {found.lt, found.ndev, found.age, found.nuc, found.exp, found.rexp, found.sexp} == {None}


@pytest.mark.parametrize(
    "message", ["Fix it", "fixes #12", "This fixed a Bug.", "defect in the parser", "hotfix", "patched"]
)
def test_a_repair_says_so(message):
    assert repairs(message)


@pytest.mark.parametrize("message", ["Add a prefix", "suffix", "debug output", "dispatch", "Refactor", ""])
def test_other_words_are_no_repair(message):
    assert not repairs(message)


def random_repository(folder, seed, commits=30):
    """A linear history: files come, change, are renamed, deleted and turn binary; times jump, some back."""
    random = Random(seed)
    repository = Repository(folder)
    content: dict[str, list[str]] = {}
    at = 1_600_000_000.0
    for number in range(commits):
        at += random.choice([0, HOUR, 5 * HOUR, 9 * DAY, -HOUR])
        files: dict[str, str | bytes | None] = {}
        renames = {}
        for _ in range(random.randint(1, 4)):
            path = f"{random.choice(['web/', 'web/deep/', 'db/', ''])}{random.choice('abc')}.py"
            kind = random.random()
            if path in content and kind < 0.15 and path not in files:
                del content[path]
                files[path] = None
            elif path in content and kind < 0.3 and path not in files and (new := f"moved/{number}.py") not in content:
                content[new] = content.pop(path)
                renames[path] = new
            elif path not in files and path not in renames:
                old = content.setdefault(path, [])
                for _ in range(random.randint(1, 6)):
                    old.insert(random.randint(0, len(old)), f"line {random.random()}")
                del old[: random.randint(0, 2)]
                files[path] = numbered(*old)
        if random.random() < 0.2:
            files[f"picture{random.randint(0, 1)}.png"] = b"\0" + random.randbytes(10)
        repository.commit(
            files,
            random.choice(["Fix it", "Add more"]),
            author=random.choice(["Ada", "Bob", "B. (ob)* [x]", "Ada Bob"]),
            at=at,
            renames=renames,
        )
    return repository


def history(repository):
    return list(between(Git(repository.folder), ["--topo-order", "--reverse", "HEAD"]))


def names(change):
    return {name for each in change.files for name in (each.path, each.before)}


def plain(changes, index):
    """The features of one change by their definitions, looking at everything before anew."""
    this, before = changes[index], changes[:index]
    files = [each for each in this.files if each.is_text]

    def touching(path):
        return [each for each in before if path in names(each)]

    changed = [file.added + file.deleted for file in files]
    own = [each for each in before if each.author == this.author]
    subsystems = {file.path.split("/")[0] if "/" in file.path else "" for file in files}
    ages = [
        max(0.0, this.authored_at - touching(file.before)[-1].authored_at) / DAY if touching(file.before) else 0.0
        for file in files
    ]
    return {
        "nf": len(files),
        "la": sum(file.added for file in files),
        "entropy": -sum(each / sum(changed) * math.log2(each / sum(changed)) for each in changed if each),
        "ndev": len({each.author for file in files for each in touching(file.before)}),
        "age": sum(ages) / len(files) if files else 0.0,
        "nuc": len({touching(file.before)[-1].sha for file in files if touching(file.before)}),
        "exp": len(own),
        "rexp": sum(1 / (1 + math.floor(max(0.0, this.authored_at - each.authored_at) / WEEK)) for each in own),
        "sexp": sum(
            bool(subsystems & {name.split("/")[0] if "/" in name else "" for name in names(each)}) for each in own
        ),
    }


@pytest.mark.parametrize("seed", range(3))
def test_features_of_any_history_equal_a_plain_recomputation(tmp_path, seed):
    changes = history(random_repository(tmp_path / "r", seed))
    past = Past()
    for index, each in enumerate(changes):
        found = past.features(each)
        for name, value in plain(changes, index).items():
            assert getattr(found, name) == pytest.approx(value), (index, name)
        past.record(each)


@pytest.mark.parametrize("seed", range(3))
def test_lines_before_a_change_are_those_that_git_has(tmp_path, seed):
    repository = random_repository(tmp_path / "r", seed)
    past = Past()
    for each in history(repository):
        texts = [file for file in each.files if file.is_text]
        blobs = [
            repository.git("cat-file", "-p", f"{each.sha}^:{file.before}")
            for file in texts
            if old(repository, each, file)
        ]
        assert past.features(each).lt == pytest.approx(sum(map(counted, blobs)) / len(texts) if texts else 0)
        past.record(each)


def old(repository, change, file):
    return change.parents and repository.git("ls-tree", f"{change.sha}^", file.before)


def counted(text):
    return len(text.splitlines())
