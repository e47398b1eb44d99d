"""Jars of the local stack are fetched once for a pom, and an interrupted download is not taken for a complete one."""

import pytest

from scripts.stack import jars, tools
from scripts.stack.errors import StackError


@pytest.fixture
def pom(tmp_path):
    path = tmp_path / "some.pom.xml"
    path.write_text("<project/>", encoding="utf-8")
    return path


@pytest.fixture
def maven(monkeypatch):
    """Stands for Maven: notes each run, and writes one jar."""
    runs = []

    def run(pom, into):
        runs.append(pom)
        into.mkdir()
        (into / f"{len(runs)}.jar").touch()

    monkeypatch.setattr(jars, "_run_maven", run)
    return runs


def test_jars_are_copied_once(pom, maven, tmp_path):
    jars.copy_jars(pom, tmp_path / "lib")
    jars.copy_jars(pom, tmp_path / "lib")
    assert len(maven) == 1
    assert jars.are_complete(pom, tmp_path / "lib")


def test_another_pom_replaces_them(pom, maven, tmp_path):
    jars.copy_jars(pom, tmp_path / "lib")
    pom.write_text("<project>changed</project>", encoding="utf-8")
    assert not jars.are_complete(pom, tmp_path / "lib")
    jars.copy_jars(pom, tmp_path / "lib")
    assert [path.name for path in (tmp_path / "lib").glob("*.jar")] == ["2.jar"]


def test_what_an_interrupted_download_left_is_thrown_away(pom, maven, tmp_path):
    (tmp_path / "lib.partial").mkdir()
    (tmp_path / "lib.partial" / "half.jar").touch()
    assert not jars.are_complete(pom, tmp_path / "lib")
    jars.copy_jars(pom, tmp_path / "lib")
    assert [path.name for path in (tmp_path / "lib").glob("*.jar")] == ["1.jar"]
    assert not (tmp_path / "lib.partial").exists()


def test_a_failing_maven_is_shown_with_what_to_do(pom, tmp_path, monkeypatch):
    fake = tmp_path / "mvn"
    fake.write_text("#!/bin/sh\necho no route to the repository\nexit 3\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr(tools, "find", lambda program: str(fake))
    with pytest.raises(StackError, match=r"(?s)exit 3.*no route to the repository.*run the command again"):
        jars.copy_jars(pom, tmp_path / "lib")
    assert not (tmp_path / "lib").exists()


@pytest.mark.parametrize(("program", "package"), [("mvn", "maven"), ("mariadbd", "mariadb-server")])
def test_a_missing_program_says_what_to_install(program, package, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    with pytest.raises(StackError, match=f"apt-get install {package}"):
        tools.find(program)


def test_another_java_is_refused_by_its_version(tmp_path, monkeypatch):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\" 2023-10-17' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    monkeypatch.setattr(tools, "_javas", lambda: [str(java)])
    with pytest.raises(StackError, match=r"is version 21.*openjdk-17"):
        tools.find_java()
