import os
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.errors import Unavailable
from ops.stack import build, golang
from ops.stack.cache import Cache


def fake_go(folder: Path, answer: str) -> Path:
    go = folder / "go"
    folder.mkdir(exist_ok=True)
    go.write_text(f"#!/bin/sh\necho '{answer}'\n")
    go.chmod(0o755)
    return go


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    return lambda folder: monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.defpath}")


def test_go_on_the_path_is_used(tmp_path: Path, on_path: Callable[[Path], None]) -> None:
    go = fake_go(tmp_path / "bin", "go version go1.26.8 linux/amd64")
    on_path(tmp_path / "bin")
    assert golang.find(Cache(tmp_path / "cache"), lambda line: None) == go


@pytest.mark.parametrize("answer", ["go version go1.19.8 linux/amd64", "no version"])
def test_go_too_old_gives_way_to_the_cached_one(
    tmp_path: Path, on_path: Callable[[Path], None], answer: str
) -> None:
    fake_go(tmp_path / "bin", answer)
    on_path(tmp_path / "bin")
    kept = tmp_path / "cache/go" / golang.FALLBACK
    kept.mkdir(parents=True)
    assert golang.find(Cache(tmp_path / "cache"), lambda line: None) == kept / "go/bin/go"


def test_sentence_when_go_is_missing_and_cannot_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(golang, "find_spec", lambda name: None)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(Unavailable) as caught:
        golang.find(Cache(tmp_path / "cache"), lambda line: None)
    assert caught.value.code == "stack_go_missing"
    assert "Go >= 1.24" in caught.value.message
    assert "install Go 1.24 or newer" in caught.value.hint
    assert list((tmp_path / "cache/go").iterdir()) == []


def test_failed_build_says_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"building it failed: one \| two") as caught:
        build.run(
            ["sh", "-c", "echo one >&2; echo two >&2; exit 3"],
            what="building it", cwd=tmp_path, progress=lambda line: None,
        )  # fmt: skip
    assert caught.value.code == "stack_build_failed"


def test_build_returns_what_it_printed_and_leaves_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    output = build.run(
        ["sh", "-c", 'echo "$WORD"; echo noise >&2'],
        what="asking", cwd=tmp_path, progress=said.append, environ={"WORD": "yes"},
    )  # fmt: skip
    assert output == "yes\n"
    assert said == ["asking…"]
    assert list(tmp_path.iterdir()) == []


def test_build_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="not done after 0 s"):
        build.run(["sleep", "60"], what="waiting", cwd=tmp_path, progress=lambda line: None, limit=0.2)
