"""Deciding: another person, the entry that was read, one package; and the sealer's own checks."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from archive.cases.requests.book import RequestHead
from archive.cases.requests.facts import RequestReader
from archive.cases.requests.separation import check_approval
from archive.cases.requests.transitions import RequestAct
from archive.errors import ArchiveError, Conflict, IntegrityError, Refused
from archive.evidence import jobs
from archive.model.evidence import EvidenceStatus
from archive.model.evidence import to_state as package_state
from archive.model.request import KIND, RequestStatus, to_state
from archive.timespan import DAY, HOUR, format_instant
from tests.support.requesting import OFFICER, PDF, PNG, POLICE, Requesting, form, requesting, urgent


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Requesting]:
    with requesting(tmp_path) as made:
        yield made


def package_of(city: Requesting, head: RequestHead) -> jobs.Job:
    return jobs.find(city.site.ledger, head.request.evidence_id)


def follow(city: Requesting, head: RequestHead, status: EvidenceStatus) -> None:
    """Record the status of sealing in the package's stream, as the sealer does."""
    job = package_of(city, head)
    city.site.ledger.append(
        "evidence",
        head.request.evidence_id,
        package_state(replace(job.record, status=status)),
        expected=job.entry.version,
        actor="job:seal",
        action=f"evidence.{status.value}",
    )


def test_an_approval_binds_to_the_entry_that_was_read_and_asks_for_one_package(city: Requesting) -> None:
    filed = city.file()
    head = city.approve(filed)
    decision = head.request.decision
    assert decision is not None
    assert (decision.by, decision.name, decision.entry_sha256, decision.without_letter) == (
        OFFICER, "Citra", filed.entry.digest, False
    )  # fmt: skip
    asked = package_of(city, head).record.request
    assert (asked.request_id, asked.request_entry, asked.cameras, asked.span, asked.actor) == (
        head.request.id, filed.entry.digest, ("cam-1",), head.request.span, OFFICER
    )  # fmt: skip
    assert city.requests.following.run() == 0
    assert len(list(city.site.ledger.heads(jobs.KIND))) == 1


@pytest.mark.parametrize("decide", ["approve", "reject"])
def test_who_filed_or_amended_does_not_decide(city: Requesting, decide: str) -> None:
    filed = city.file()
    amended = city.requests.filing.amend(
        filed.request.id,
        form(letter_sha256=city.scan),
        replace(POLICE, id=OFFICER),
        expected=1,
        reason="for a colleague",
    )
    for person in (POLICE.id, OFFICER):
        with pytest.raises(Refused) as caught:
            getattr(city, decide)(amended, by=person)
        assert caught.value.code == "same_person"
    assert getattr(city, decide)(amended, by="user:budi").entry.version == 3


def test_nothing_is_approved_before_its_span_is_over_or_without_footage(city: Requesting) -> None:
    future = city.file(end=format_instant(city.clock.now() + HOUR))
    with pytest.raises(Conflict) as caught:
        city.approve(future)
    assert caught.value.code == "span_not_over"
    empty = city.file(cameras=("cam-2",))
    with pytest.raises(ArchiveError) as refused:
        city.approve(empty)
    assert refused.value.code == "no_footage"
    assert city.requests.book.request(empty.request.id).status is RequestStatus.SUBMITTED


def test_after_a_crash_between_approval_and_asking_the_job_asks_once(
    city: Requesting, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Dead

    filed = city.file()
    with monkeypatch.context() as broken:
        broken.setattr(jobs, "request_seal", die)
        with pytest.raises(Dead):
            city.approve(filed)
    head = city.requests.book.request(filed.request.id)
    assert (head.status, head.evidence) == ("approved", None)
    city.clock.advance(2_000_000)
    assert city.requests.following.run() == 1
    city.clock.advance(2_000_000)
    assert city.requests.following.run() == 0
    found = [entry.id for entry in city.site.ledger.heads(jobs.KIND)]
    assert found == [head.request.evidence_id]


def test_the_status_follows_the_package(city: Requesting) -> None:
    head = city.approve(city.file())
    for status, shown in (
        (EvidenceStatus.SEALING, "sealing"),
        (EvidenceStatus.SEALED_UNTIMESTAMPED, "sealed_untimestamped"),
        (EvidenceStatus.SEALED, "sealed"),
    ):
        follow(city, head, status)
        assert city.requests.book.request(head.request.id).status == shown
        city.clock.advance(2_000_000)
        assert [one.status for one in city.requests.book.requests()] == [shown]
        for act in (RequestAct.AMEND, RequestAct.CANCEL, RequestAct.APPROVE, RequestAct.REJECT):
            with pytest.raises(Conflict) as caught:
                city.requests.stream.advance(head.request.id, act, by=OFFICER, expected=2, reason="x")
            assert caught.value.code == "request_state"
    done = city.requests.stream.advance(
        head.request.id, RequestAct.HAND_OVER, by="user:budi", expected=2, reason="BA/1"
    )
    assert (done.status, done.entry.version) == ("handed_over", 3)


def test_a_failed_sealing_may_be_amended_and_approved_again(city: Requesting) -> None:
    head = city.approve(city.file())
    follow(city, head, EvidenceStatus.SEAL_FAILED)
    amended = city.requests.filing.amend(
        head.request.id, form(letter_sha256=city.scan), POLICE, expected=2, reason="once more"
    )
    again = city.approve(amended)
    assert again.request.evidence_id not in ("", head.request.evidence_id)


# -- the sealer's own checks --------------------------------------------------------------------------


def test_an_approval_that_stands_lets_the_package_be_sealed(city: Requesting) -> None:
    filed = city.file()
    head = city.approve(filed)
    ledger, name, digest = city.site.ledger, head.request.id, filed.entry.digest
    assert check_approval(ledger, name, digest, evidence_id=head.request.evidence_id) == head.request
    city.requests.stream.comment(name, text="terima kasih", by=POLICE.id, expected=2)
    assert check_approval(ledger, name, digest) == head.request
    facts = RequestReader(ledger, city.site.stores.records).facts_of(package_of(city, head).record.request)
    assert facts is not None
    assert (facts.id, facts.entry_sha256, facts.letter_sha256, facts.approvals[0].by) == (
        name, digest, city.scan, OFFICER
    )  # fmt: skip
    reader = RequestReader(ledger, city.site.stores.records)
    papers = list(reader.attachments_of(package_of(city, head).record.request))
    assert [paper.content for paper in papers] == [PDF]


def test_a_package_begun_again_says_the_same_whatever_followed_the_approval(city: Requesting) -> None:
    head = city.approve(city.requests.filing.file(urgent(), POLICE))
    asked = package_of(city, head).record.request
    reader = RequestReader(city.site.ledger, city.site.stores.records)
    first = reader.facts_of(asked), list(reader.attachments_of(asked))
    city.requests.filing.add_letter(
        head.request.id, number="B/9", date="2026-11-24", sha256=city.scan, by=POLICE, expected=2
    )
    png = city.upload(content=PNG)
    city.requests.filing.attach(head.request.id, sha256=png, name="foto", by=POLICE, expected=3)
    assert (reader.facts_of(asked), list(reader.attachments_of(asked))) == first
    assert first[1] == []


def refused(city: Requesting, head: RequestHead, digest: str, evidence_id: str = "") -> str:
    with pytest.raises(ArchiveError) as caught:
        check_approval(city.site.ledger, head.request.id, digest, evidence_id=evidence_id)
    return caught.value.code


def test_what_nobody_approved_is_not_sealed(city: Requesting) -> None:
    head = city.file()
    assert refused(city, head, head.entry.digest) == "approval_missing"
    assert refused(city, head, "0" * 64) == "approval_missing"
    rejected = city.reject(city.file())
    assert refused(city, rejected, rejected.request.decision.entry_sha256) == "approval_missing"  # type: ignore[union-attr]


def test_an_approval_of_something_else_is_void(city: Requesting) -> None:
    filed = city.file()
    head = city.approve(filed)
    assert refused(city, head, head.entry.digest) == "approval_missing"
    assert refused(city, head, filed.entry.digest, "EVD-2026-0123456789") == "approval_void"
    amended = city.requests.filing.amend(
        head.request.id, form(letter_sha256=city.scan), POLICE, expected=2, reason="less"
    )
    assert refused(city, amended, filed.entry.digest) == "approval_void"
    again = city.approve(amended)
    assert refused(city, again, filed.entry.digest) == "approval_void"
    assert check_approval(city.site.ledger, head.request.id, amended.entry.digest)
    city.requests.filing.cancel(head.request.id, by=POLICE.id, expected=4, reason="found")
    assert refused(city, again, amended.entry.digest) == "approval_void"


def test_an_approval_written_past_the_service_by_who_asked_is_seen(city: Requesting) -> None:
    filed = city.file()
    forged = replace(city.approve(city.file()).request, id=filed.request.id)
    decision = replace(forged.decision, entry_sha256=filed.entry.digest)  # type: ignore[type-var]
    for actor, by, code in (
        (POLICE.id, POLICE.id, "same_person"),
        (POLICE.id, OFFICER, "approval_missing"),
    ):
        target = city.file()
        state = to_state(
            replace(
                target.request,
                status=RequestStatus.APPROVED,
                decision=replace(decision, by=by, entry_sha256=target.entry.digest),  # type: ignore[type-var]
                evidence_id="EVD-2026-0123456789",
            )
        )
        city.site.ledger.append(
            KIND, target.request.id, state, expected=1, actor=actor, action="request.approved"
        )
        assert refused(city, target, target.entry.digest) == code


def test_a_substance_changed_under_the_approval_is_seen(city: Requesting) -> None:
    filed = city.file()
    head = city.approve(filed)
    wider = replace(head.request, cameras=("cam-1", "cam-2"))
    city.site.ledger.append(
        KIND, head.request.id, to_state(wider), expected=2, actor="user:x", action="request.commented"
    )
    assert refused(city, head, filed.entry.digest) == "approval_void"


def test_an_amendment_written_past_the_service_voids_the_approval_that_it_kept(city: Requesting) -> None:
    filed = city.file()
    head = city.approve(filed)
    city.site.ledger.append(
        KIND, head.request.id, to_state(head.request), expected=2, actor="user:x", action="request.amended"
    )
    assert refused(city, head, filed.entry.digest) == "approval_void"


def test_an_altered_paper_does_not_go_into_a_package(city: Requesting) -> None:
    head = city.approve(city.file())
    reader = RequestReader(city.site.ledger, _Altered())  # type: ignore[arg-type]
    with pytest.raises(IntegrityError) as caught:
        list(reader.attachments_of(package_of(city, head).record.request))
    assert caught.value.code == "attachment_altered"


class _Altered:
    def get(self, _key: str) -> bytes:
        return PDF + b"\n"


# -- races --------------------------------------------------------------------------------------------


def test_of_a_thousand_parallel_acts_each_step_has_exactly_one_winner(city: Requesting) -> None:
    filed = city.file()
    name, requests = filed.request.id, city.requests

    def acts(version: int) -> list[Callable[[], RequestHead]]:
        def approve() -> RequestHead:
            return requests.deciding.approve(name, by=OFFICER, name="Citra", expected=version)

        def reject() -> RequestHead:
            return requests.deciding.reject(name, by=OFFICER, name="Citra", expected=version, reason="x")

        def cancel() -> RequestHead:
            return requests.filing.cancel(name, by=POLICE.id, expected=version, reason="x")

        def comment() -> RequestHead:
            return requests.stream.comment(name, text="x", by=OFFICER, expected=version)

        return [approve, reject, cancel, comment]

    version, tried = 1, 0
    with ThreadPoolExecutor(32) as pool:
        while True:
            start = threading.Barrier(32, timeout=60)

            def race(number: int, version: int = version, start: threading.Barrier = start) -> str:
                act = acts(version)[3 if version < 32 else number % 4]
                start.wait()
                try:
                    return act().entry.digest
                except Conflict as lost:
                    return "" if lost.code in {"ledger_conflict", "request_state"} else lost.code

            winners = [won for won in pool.map(race, range(32)) if won]
            tried += 32
            head = requests.book.request(name)
            if not winners:
                break
            assert winners == [head.entry.digest]
            version += 1
            assert head.entry.version == version
    assert tried >= 1000
    assert requests.book.request(name).entry.action != "request.commented"
    history = requests.stream.history(name)
    assert [entry.version for entry in history] == list(range(1, version + 1))


def test_of_parallel_filings_each_has_its_own_hold(city: Requesting) -> None:
    with ThreadPoolExecutor(8) as pool:
        heads = list(pool.map(lambda _: city.file(), range(8)))
    assert len({head.request.hold_id for head in heads}) == 8
    assert all(city.hold_in_force(head) for head in heads)
    city.clock.advance(DAY)
    city.requests.following.run()
    assert all(city.hold_in_force(head) for head in heads)
