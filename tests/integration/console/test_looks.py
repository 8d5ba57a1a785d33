"""Every page of a furnished city, in every look: for everybody, no wider than its window, and in plain words.

``SAKSI_LOOKS`` names a folder that gets a picture of each page in each look.
"""

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser

from api.web.navigation import SHELLS, Shell
from tests.integration.api.test_server import serving
from tests.support.console import DESKTOP, LAPTOP, PHONE, SIZES, Console, barriers
from tests.support.furnished import NAMES, Furnished, furnished_city
from tests.support.looks import faults, keep_picture, settled

Look = tuple[str, str, tuple[int, int]]
"""Theme, language, and size of the window."""
LOOKS: tuple[Look, ...] = (("dark", "id", LAPTOP), ("light", "en", PHONE), ("light", "id", DESKTOP))
EVERY_LOOK: tuple[Look, ...] = (
    *((theme, "id", size) for theme, size in product(("dark", "light"), SIZES)),
    ("dark", "en", LAPTOP),
)
PATHS = tuple(shell.path for shell in SHELLS)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    with furnished_city(tmp_path_factory.mktemp("city")) as found:
        yield found


@pytest.fixture(scope="module")
def console(browser: Browser, city: Furnished) -> Iterator[Console]:
    with serving(city.site) as port:
        yield Console(city.site, f"http://127.0.0.1:{port}", browser)


def looked_at(console: Console, person: str, address: str, *looks: Look) -> list[str]:
    """What is wrong with a page in some looks; each is kept as a picture where somebody wants them."""
    found = []
    for theme, language, size in looks:
        with console.page_of(person, theme=theme, language=language, size=size) as page:
            page.goto(console.url + address)
            settled(page)
            name = f"{address.partition('?')[0]} {person} {size[0]} {theme} {language}"
            keep_picture(page, name)
            found += [f"{name}: {one}" for one in faults(page, NAMES, size)]
    return found


def test_every_page_has_an_address_with_something_to_show(city: Furnished) -> None:
    assert set(city.addresses) == set(PATHS)


@pytest.mark.parametrize("number", range(len(SHELLS)), ids=PATHS)
def test_a_page_looks_right(console: Console, city: Furnished, number: int) -> None:
    """Each page in one of the looks: parts that pages share are seen in all of them."""
    person, address = city.addresses[SHELLS[number].path]
    assert looked_at(console, person, address, LOOKS[number % len(LOOKS)]) == []


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS, ids=PATHS)
def test_a_page_looks_right_in_every_look(console: Console, city: Furnished, shell: Shell) -> None:
    """The long form: ``make soak-looks``."""
    assert looked_at(console, *city.addresses[shell.path], *EVERY_LOOK) == []


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS, ids=["laptop", "phone", "desktop"])
def test_further_views_look_right(console: Console, city: Furnished, look: Look) -> None:
    """Requests in every state, other readers, questions that nobody has asked yet."""
    found = [one for person, address in city.more for one in looked_at(console, person, address, look)]
    assert found == []


@pytest.mark.parametrize(("theme", "language", "size"), LOOKS[:2])
def test_nobody_is_kept_out_at_the_door(
    console: Console, theme: str, language: str, size: tuple[int, int]
) -> None:
    with console.page_of("", theme=theme, language=language, size=size) as page:
        page.goto(f"{console.url}/masuk")
        assert barriers(page) == []
