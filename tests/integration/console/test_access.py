"""Every page can be used by everybody: axe-core finds nothing, of any level, in any theme and language."""

import re

import pytest

from api.auth.principal import Principal
from api.web.navigation import SHELLS, Shell
from tests.support.console import LAPTOP, PEOPLE, PHONE, Console, barriers

LOOKS = (("dark", "id", LAPTOP), ("light", "en", PHONE))


def reader_of(shell: Shell) -> str:
    """The first person who may open a page."""
    return next(
        name for name, role in PEOPLE if Principal("user:x", roles=frozenset({role})).may(shell.action)
    )


def looked_at(console: Console, shell: Shell, *looks: tuple[str, str, tuple[int, int]]) -> list[str]:
    console.expected = ["404", "Failed to load resource"]  # "x" is nobody's id: the page says so
    found = []
    for theme, language, size in looks:
        with console.page_of(reader_of(shell), theme=theme, language=language, size=size) as page:
            page.goto(console.url + re.sub(r"{\w+}", "x", shell.path))
            page.wait_for_load_state("networkidle")
            found += [f"{theme} {language} {one}" for one in barriers(page)]
    return found


@pytest.mark.parametrize("number", range(len(SHELLS)), ids=[shell.path for shell in SHELLS])
def test_nobody_is_kept_out_of_a_page(console: Console, number: int) -> None:
    """Each page in one of the looks: parts that pages share are seen in both."""
    assert looked_at(console, SHELLS[number], LOOKS[number % len(LOOKS)]) == []


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS, ids=[shell.path for shell in SHELLS])
def test_nobody_is_kept_out_of_a_page_in_any_look(console: Console, shell: Shell) -> None:
    """The long form: ``make soak-access``."""
    assert looked_at(console, shell, *LOOKS) == []


@pytest.mark.parametrize(("theme", "language", "size"), LOOKS)
def test_nobody_is_kept_out_at_the_door(
    console: Console, theme: str, language: str, size: tuple[int, int]
) -> None:
    with console.page_of("", theme=theme, language=language, size=size) as page:
        page.goto(f"{console.url}/masuk")
        assert barriers(page) == []
