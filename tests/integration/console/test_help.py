"""The help page: the one-page guides for everybody with a session, and for nobody else."""

import pytest
from playwright.sync_api import expect

from api.web.guides import GUIDES, PRINTED, PrintedGuides
from tests.support.api_site import Caller
from tests.support.console import PHONE, Console
from tests.support.people import caller

OWN = {
    "dewi": "petugas", "sari": "petugas", "citra": "operator", "erna": "operator", "ada": "admin",
    "indra": "",
}  # fmt: skip
"""The guide of each person's role; the auditor has none, and may read all."""


@pytest.mark.parametrize("person", OWN)
def test_everybody_finds_the_guides_with_their_own_first(console: Console, person: str) -> None:
    with console.page_of(person, size=PHONE if person == "dewi" else (1366, 768)) as page:
        page.goto(f"{console.url}/")
        page.locator(".reader summary").click()
        page.locator(".reader").get_by_role("link", name="Bantuan").click()
        expect(page.locator(".guide")).to_have_count(len(GUIDES))
        own = [one.get_attribute("data-guide") for one in page.locator(".guide:has(.badge)").all()]
        assert own == [OWN[person]] * bool(OWN[person])
        if OWN[person]:
            assert page.locator(".guide").first.get_attribute("data-guide") == OWN[person]
        for one in page.locator(".guide").all():
            name = f"panduan-{one.get_attribute('data-guide')}.pdf"
            answer = page.request.get(f"{console.url}{one.get_by_role('link').get_attribute('href')}")
            assert answer.headers["content-type"] == "application/pdf"
            assert "immutable" in answer.headers["cache-control"]
            assert answer.body() == (PRINTED / name).read_bytes()


def test_a_guide_is_for_those_who_are_signed_in(console: Console) -> None:
    path = f"/panduan/{PrintedGuides().version}/panduan-admin.pdf"
    stranger = Caller(console.site.app, {})
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert b"%PDF" not in answer.content
    reader = caller(console.site, "indra")
    assert reader.get(path).content.startswith(b"%PDF")
    for other in ("/panduan/0/panduan-admin.pdf", path.replace("admin", "..%2f..%2ffiles")):
        assert reader.get(other).status_code == 404
