from pathlib import Path

import pytest

from archive.errors import Unavailable
from ops.stack import jdk


def install(home: Path, *modules: str) -> Path:
    java = home / "bin/java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(modules) + "\nEND\n")
    java.chmod(0o755)
    return home


def good(home: Path, version: str = "25.0.3") -> Path:
    return install(home, f"java.base@{version}", f"jdk.incubator.vector@{version}")


def find(root: Path, **environ: str) -> Path:
    return jdk.find(environ={"PATH": "/nowhere", **environ}, roots=(root,))


def test_variables_come_first_and_es_java_home_before_java_home(tmp_path: Path) -> None:
    root, mine, other = tmp_path / "jvm", good(tmp_path / "mine"), good(tmp_path / "other")
    good(root / "jdk-25")
    assert find(root, JAVA_HOME=str(other)) == other
    assert find(root, JAVA_HOME=str(other), ES_JAVA_HOME=str(mine)) == mine


def test_unusable_variable_does_not_hide_an_installed_jdk(tmp_path: Path) -> None:
    old = install(tmp_path / "old", "java.base@17.0.15", "jdk.incubator.vector@17.0.15")
    new = good(tmp_path / "jvm/jdk-21", "21.0.2")
    assert find(tmp_path / "jvm", JAVA_HOME=str(old)) == new


def test_java_on_the_path_comes_last(tmp_path: Path) -> None:
    home = good(tmp_path / "sdk")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/java").symlink_to(home / "bin/java")
    assert find(tmp_path / "none", PATH=str(tmp_path / "bin")) == home


def test_early_access_version_without_minor(tmp_path: Path) -> None:
    home = good(tmp_path / "jvm/jdk", "26-ea")
    assert find(tmp_path / "jvm") == home


def test_account_that_cannot_enter_it_turns_it_down(tmp_path: Path) -> None:
    closed, opened = good(tmp_path / "jvm/b"), good(tmp_path / "jvm/a")
    found = jdk.find(environ={"PATH": ""}, roots=(tmp_path / "jvm",), usable=lambda home: home != closed)
    assert found == opened


def test_sentence_says_what_was_found_and_how_to_get_one(tmp_path: Path) -> None:
    root = tmp_path / "jvm"
    install(root / "debian-17", "java.base@17.0.15", "jdk.incubator.vector@17.0.15")
    install(root / "jre-25", "java.base@25")
    install(root / "java-8")
    (root / "leftover").mkdir()
    with pytest.raises(Unavailable) as caught:
        find(root)
    assert caught.value.code == "stack_jdk_missing"
    message = caught.value.message
    assert "JDK >= 21" in message
    assert "debian-17: version 17, too old" in message
    assert "jre-25: version 25, without jdk.incubator.vector" in message
    assert "java-8: does not list its modules" in message
    assert "leftover" not in message
    assert "ES_JAVA_HOME" in caught.value.hint


def test_sentence_when_there_is_no_java_at_all(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="found no JDK"):
        find(tmp_path)
