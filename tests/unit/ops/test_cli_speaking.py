"""The command line in two languages, its values by name, and what it says when parts are missing."""

import os
import re
import shlex
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import typer

from archive.errors import Malformed
from ops.cli import tree
from ops.cli.refusing import in_zone, zone_of
from ops.cli.speaking import Language, every, indonesian_help, on_one_line, take_language
from ops.cli.typed import example_line
from tests.support import preloaded
from tests.support.command_line import Answer, CommandLine

INDONESIAN, ENGLISH = Language.INDONESIAN, Language.ENGLISH


def paths(command: Any, path: str = "saksi") -> list[tuple[str, Any]]:
    found = [(path, command)]
    for name, one in getattr(command, "commands", {}).items():
        found += paths(one, f"{path} {name}")
    return found


@pytest.fixture(scope="module")
def commands() -> list[tuple[str, Any]]:
    return paths(tree(ENGLISH))


def run(home: Path, *words: str, **environ: str) -> Answer:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SAKSI_", "LC_", "LANG"))
    }
    done = preloaded.run("ops", words, kept | {"SAKSI_HOME": str(home)} | environ, timeout=60)
    return Answer(done.code, done.out, done.err)


def test_every_help_text_has_its_indonesian(commands: list[tuple[str, Any]]) -> None:
    texts = {one.help for _, one in commands}
    texts |= {getattr(parameter, "help", None) for _, one in commands for parameter in one.params}
    wanted = {on_one_line(text) for text in texts if text}
    assert wanted - set(indonesian_help()) == set()
    assert set(indonesian_help()) - wanted == set()


def test_every_value_has_a_name(commands: list[tuple[str, Any]]) -> None:
    nameless = [
        (path, parameter.name)
        for path, one in commands
        for parameter in one.params
        if not getattr(parameter, "is_flag", False) and parameter.metavar in {None, "", "TEXT", "INTEGER"}
    ]
    assert nameless == []
    for path, one in commands:
        with typer.Context(one, info_name=path) as context:
            options = one.get_help(context).partition("Options:")[2]
        assert "<str>" not in options, path
        assert "<int>" not in options, path


def test_every_incomplete_command_is_told_all_that_is_missing(commands: list[tuple[str, Any]]) -> None:
    """And the example line is one that the command itself accepts."""
    for path, one in commands:
        required = [parameter for parameter in one.params if parameter.required]
        if not required:
            continue
        line = example_line(path, required)
        words = shlex.split(line)[len(path.split()) :]
        with typer.Context(one, info_name=path) as context:
            one.parse_args(context, words)
            assert all(context.params[parameter.name] for parameter in required), line


def test_all_missing_parts_are_named_at_once(tmp_path: Path) -> None:
    refused = run(tmp_path, "camera", "add", "x", "--lat", "1")
    assert refused.code == 2
    first = refused.err.splitlines()[0]
    for name in ("--name NAME", "--lon DEGREES", "--kecamatan CODE", "--owner", "--view"):
        assert name in first
    for given in (" ID", "--lat"):
        assert given not in first
    assert "Example: saksi camera add alun-alun --source rtsp://" in refused.err


@pytest.mark.parametrize(
    ("words", "environ", "language", "rest"),
    [
        (["camera", "list"], {}, ENGLISH, ["camera", "list"]),
        (["--lang", "id", "camera"], {}, INDONESIAN, ["camera"]),
        (["camera", "--lang=id", "list"], {}, INDONESIAN, ["camera", "list"]),
        (["camera"], {"LANG": "id_ID.UTF-8"}, INDONESIAN, ["camera"]),
        (["camera", "--lang", "en"], {"LANG": "id_ID.UTF-8"}, ENGLISH, ["camera"]),
        (["camera"], {"LANG": "id_ID.UTF-8", "LC_ALL": "C"}, ENGLISH, ["camera"]),
        (["camera"], {"LANG": "idx"}, ENGLISH, ["camera"]),
        (["x", "--", "--lang", "id"], {}, ENGLISH, ["x", "--", "--lang", "id"]),
    ],
)
def test_the_language_is_the_flag_s_else_the_locale_s(
    words: list[str], environ: dict[str, str], language: Language, rest: list[str]
) -> None:
    assert take_language(words, environ) == (language, rest)


@pytest.mark.parametrize("words", [["--lang"], ["--lang", "xx"], ["--lang="]])
def test_a_language_that_is_none_is_refused(words: list[str]) -> None:
    with pytest.raises(Malformed) as caught:
        take_language(words, {})
    assert caught.value.code == "bad_language"


def test_help_and_errors_in_indonesian(tmp_path: Path) -> None:
    told = run(tmp_path, "camera", "add", "--help", LANG="id_ID.UTF-8").out
    for text in (
        "Pemakaian: saksi camera add [PILIHAN]",
        "Pilihan:",
        "[wajib]",
        "Kecamatan menurut kode atau nama",
        "lalu keluar.",
    ):
        assert text in told
    for text in ("Usage", "Options", "required", "Register", "Show this message"):
        assert text not in told
    refused = run(tmp_path / "mistyped", "camera", "list", "--lang", "id").err
    assert refused.startswith("saksi: Di sana tidak ada pemasangan Saksi. [no_installation]\n")
    assert "there is no Saksi installation in" in refused
    assert run(tmp_path, "--lang", "id", "camera").code == 2
    assert "Perintah:" in run(tmp_path, "--lang", "id", "camera").err


def test_every_help_is_made_in_both_languages() -> None:
    for language in Language:
        for one in every(tree(language)):
            with typer.Context(one, info_name="saksi") as context:
                assert one.get_help(context)


ASKED = ["recordings", "--from", "2026-11-24T14:00:00+08:00"]


def test_an_error_answers_in_the_offset_of_the_question(tmp_path: Path) -> None:
    saksi = CommandLine(tmp_path / "home")
    saksi.add_camera("alun-alun", "test://?size=320x240")
    span = ("--from", "2026-11-24T14:00:00+08:00", "--to", "2026-11-24T14:00:10+08:00")
    clip = ("clip", "--camera", "alun-alun", *span, "-o", str(tmp_path / "clip.mp4"))
    for more in ((), ("--json",)):
        refused = saksi(*clip, *more)
        assert refused.code == 1
        assert "2026-11-24T14:00:00+08:00" in refused.err
        assert not re.search(r"\dZ", refused.err)
    backwards = saksi("recordings", "--from", span[3], "--to", "2026-11-24T05:00:00Z")
    assert "2026-11-24T13:00:00+08:00" in backwards.err


@pytest.mark.parametrize(
    ("words", "offset"),
    [
        (ASKED, timedelta(hours=8)),
        (["--from=2026-11-24T14:00:00-03:30"], -timedelta(hours=3, minutes=30)),
        (["--from", "2026-11-24T14:00:00Z"], timedelta()),
    ],
)
def test_the_zone_of_a_question(words: list[str], offset: timedelta) -> None:
    assert zone_of(words).utcoffset(None) == offset


def test_without_a_time_in_the_question_it_is_the_installation_s(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SAKSI_HOME", str(tmp_path))
    assert str(zone_of(["doctor"])) == "Asia/Makassar"
    monkeypatch.setenv("SAKSI_TIME_ZONE", "Nowhere/Here")
    assert zone_of(["doctor"]) is UTC
    monkeypatch.setenv("SAKSI_NO_SUCH", "x")
    assert zone_of(["doctor"]) is UTC


def test_only_times_are_rewritten() -> None:
    zone = timezone(timedelta(hours=8))
    assert in_zone("at 2026-11-24T06:00:00.500000Z.", zone) == "at 2026-11-24T14:00:00.500000+08:00."
    for text in ("2026-13-24T06:00:00Z", "9999-12-31T23:59:59Z", "segments/20261124T060000.000000Z_a", "Z"):
        assert in_zone(text, zone) == text
