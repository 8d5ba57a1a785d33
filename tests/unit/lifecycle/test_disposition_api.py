"""``/v1/dispositions`` lists what was destroyed and returns the signed record; it changes nothing."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest

from archive import keys as names
from archive.lifecycle.disposition.listing import RECORD
from archive.model import leaf as leaves
from archive.model.retention import KIND as POLICY
from archive.model.retention import Policy, Scope, Terms, to_state
from archive.ports import Content, IndexEntry
from archive.timespan import DAY
from ops.disposition import Dispositions
from tests.support.api_site import Caller, Site, open_site
from tests.support.leaves import T0
from tests.support.leaves import segment as a_segment

ROOT = "/v1/dispositions"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation with one closed disposition and one open one."""
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        work = Dispositions(made.evidence.site)
        services = made.services
        terms = Terms(keep_days_min=30, keep_days_max=60, basis="Perwali 4/2017", effective_from=T0)
        services.ledger.append(
            POLICY,
            "default",
            to_state(Policy(scope=Scope.parse("default"), terms=(terms,))),
            expected=0,
            actor="os:kadis",
            action="policy.adopted",
        )
        for number in (0, 8640 * 10):
            content = f"footage {number}".encode()
            leaf = a_segment(number, start=T0 + number * 10_000_000)
            leaf = replace(leaf, sha256=sha256(content).hexdigest(), size=len(content))
            services.stores.footage.put(
                leaf.key,
                Content.of_bytes(content),
                metadata={"leaf": leaves.encode(leaf).decode("ascii")},
            )
            services.index.add([IndexEntry(leaf=leaf, place=None)])
        made.clock.advance(61 * DAY)
        assert len(work.apply(actor="os:tester")) == 1
        made.clock.advance(10 * DAY)
        assert work.disposer.begin(work.due(), actor="os:tester") is not None
        yield made


def test_the_newest_comes_first_and_the_list_goes_on(site: Site) -> None:
    found = site.call.get(ROOT).json()
    assert [one["status"] for one in found["dispositions"]] == ["started", "stamped"]
    assert found["next"] is None
    first = site.call.get(ROOT, params={"limit": 1}).json()
    second = site.call.get(ROOT, params={"limit": 1, "cursor": first["next"]}).json()
    assert first["dispositions"] + second["dispositions"] == found["dispositions"]
    done = site.call.get(ROOT, params={"status": "stamped"}).json()["dispositions"]
    assert done == found["dispositions"][1:]
    assert site.call.get(ROOT, params={"cause": "pressure"}).json()["dispositions"] == []
    assert site.call.get(ROOT, params={"cursor": "dsp-0"}).json()["code"] == "bad_cursor"


def test_one_disposition_names_its_policies_and_its_outcome(site: Site) -> None:
    done = site.call.get(ROOT, params={"status": "stamped"}).json()["dispositions"][0]
    one = site.call.get(f"{ROOT}/{done['id']}")
    assert one.json() == done
    assert done["policies"][0]["basis"] == "Perwali 4/2017"
    assert done["outcome"]["destroyed"] == 1
    missing = site.call.get(f"{ROOT}/dsp-0")
    assert (missing.status_code, missing.json()["code"]) == (404, "disposition_not_found")
    assert site.call.get(f"{ROOT}/_").status_code == 422


def test_the_record_comes_byte_for_byte_and_on_paper(site: Site) -> None:
    done = site.call.get(ROOT, params={"status": "stamped"}).json()["dispositions"][0]
    record = site.call.get(f"{ROOT}/{done['id']}/record.json")
    key = names.disposition_prefix(done["id"]) + RECORD
    assert record.content == site.services.stores.records.get(key)
    assert sha256(record.content).hexdigest() == done["outcome"]["record_sha256"]
    paper = site.call.get(f"{ROOT}/{done['id']}/record.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert sha256(paper.content).hexdigest() == done["outcome"]["pdf_sha256"]


def test_one_that_goes_on_has_no_record_yet(site: Site) -> None:
    going = site.call.get(ROOT, params={"status": "started"}).json()["dispositions"][0]
    answer = site.call.get(f"{ROOT}/{going['id']}/record.pdf")
    assert (answer.status_code, answer.json()["code"]) == (409, "disposition_open")


def test_nothing_here_can_be_changed_and_no_stranger_reads_it(site: Site) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert site.call(method, ROOT).status_code == 405
    assert Caller(site.app).get(ROOT).status_code == 401
