"""The language of the command line: Indonesian or English, from ``--lang``, else from the locale.

``indonesian.toml`` has the help of every command and option in Indonesian, by its English text. Errors have
their Indonesian sentence from :mod:`api.described.languages`, and the English one below it, which names the
values.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from typer.core import TyperCommand, TyperGroup

from archive.errors import Malformed
from ops.cli.typed import metavar_of

_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
_FLAG = "--lang"

_FIXED = (
    (re.compile(r"^Usage:", re.MULTILINE), "Pemakaian:"),
    (re.compile(r"^Options:$", re.MULTILINE), "Pilihan:"),
    (re.compile(r"^Arguments:$", re.MULTILINE), "Argumen:"),
    (re.compile(r"^Commands:$", re.MULTILINE), "Perintah:"),
    (re.compile(r"\[OPTIONS\]"), "[PILIHAN]"),
    (re.compile(r"COMMAND \[ARGS\]\.\.\."), "PERINTAH [ARGUMEN]..."),
    (re.compile(r"\[required\]"), "[wajib]"),
    (re.compile(r"\[default:"), "[bawaan:"),
    (re.compile(r"Show this message and exit\."), "Tampilkan pesan ini, lalu keluar."),
)
"""What the library itself writes into every help."""


class Language(StrEnum):
    """A language of the command line."""

    INDONESIAN = "id"
    ENGLISH = "en"


def take_language(words: Sequence[str], environ: Mapping[str, str]) -> tuple[Language, list[str]]:
    """The language that a command asks for, and its words without ``--lang``, which may stand anywhere.

    Raises:
        Malformed: ``bad_language``.
    """
    rest: list[str] = []
    language = of_locale(environ)
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
        elif word == _FLAG or word.startswith(f"{_FLAG}="):
            language = _named(next(waiting, "") if word == _FLAG else word.partition("=")[2])
        else:
            rest.append(word)
    return language, rest


def of_locale(environ: Mapping[str, str]) -> Language:
    """The language of the locale: Indonesian for ``id_ID…``, else English."""
    locale = next((environ[name] for name in _LOCALE if environ.get(name)), "")
    is_indonesian = re.split(r"[_.@]", locale, maxsplit=1)[0] in {"id", "ind", "in"}
    return Language.INDONESIAN if is_indonesian else Language.ENGLISH


def _named(text: str) -> Language:
    try:
        return Language(text)
    except ValueError as error:
        raise Malformed(
            f"there is no language {text!r} here",
            code="bad_language",
            hint="Write --lang id or --lang en.",
        ) from error


@cache
def indonesian_help() -> Mapping[str, str]:
    """The help in Indonesian, by its English text on one line."""
    read: dict[str, str] = tomllib.loads((files("ops.cli") / "indonesian.toml").read_text("utf-8"))
    return read


class SpokenCommand(TyperCommand):
    """A command whose help is in one language."""

    language = Language.ENGLISH

    def get_help(self, ctx: Any) -> str:
        """The help, with the library's own words in the language too."""
        return _fixed(super().get_help(ctx), self.language)


class SpokenGroup(TyperGroup):
    """A group of commands whose help is in one language."""

    language = Language.ENGLISH

    def get_help(self, ctx: Any) -> str:
        """The help, with the library's own words in the language too."""
        return _fixed(super().get_help(ctx), self.language)


def speaking(command: Any, language: Language) -> Any:
    """The command tree with a name for every value, and its help in the language."""
    for one in every(command):
        one.language = language
        for parameter in one.params:
            if getattr(parameter, "is_flag", False):
                continue
            if parameter.metavar in {None, "TEXT"}:
                parameter.metavar = metavar_of(parameter.name)
        if language is Language.INDONESIAN:
            one.help = _said(one.help)
            for parameter in one.params:
                parameter.help = _said(parameter.help)
    return command


def every(command: Any) -> Iterator[Any]:
    """A command and all commands under it."""
    yield command
    for one in getattr(command, "commands", {}).values():
        yield from every(one)


def on_one_line(text: str) -> str:
    """A help text as the list of translations names it."""
    return " ".join(text.split())


def _said(text: str | None) -> str | None:
    return None if text is None else indonesian_help().get(on_one_line(text), text)


def _fixed(text: str, language: Language) -> str:
    if language is Language.INDONESIAN:
        for pattern, ours in _FIXED:
            text = pattern.sub(ours, text)
    return text
