"""An insider who seals packages that contradict themselves: each is found, and by its right finding.

Every row changes a copy of one true package and seals it again with the sealing key. What the row says first
is how the insider would tell it.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from archive import canonical
from archive.evidence import paths
from archive.evidence.verifier import command, findings
from archive.evidence.verifier.findings import UNLOGGED
from archive.evidence.verifier.openssl import Openssl
from archive.model.evidence import PackageKind
from archive.records.ledger import wire
from tests.support.insider import (
    R1,
    R2,
    Change,
    Forgery,
    InsiderSite,
    at,
    each,
    insider_site,
    stated,
)
from tests.support.verifying import AskedOnce, verified


@pytest.fixture(scope="module")
def program() -> Iterator[Openssl]:
    made = AskedOnce()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> InsiderSite:
    return insider_site(tmp_path_factory.mktemp("insider"))


@pytest.fixture(scope="module")
def absence(tmp_path_factory: pytest.TempPathFactory) -> InsiderSite:
    return insider_site(tmp_path_factory.mktemp("absence"), PackageKind.NO_FOOTAGE)


def found(
    site: InsiderSite, package: Path, program: Openssl, allowed: frozenset[str] = frozenset()
) -> set[str]:
    """The codes of all errors, the signer and the log pinned."""
    notebook = verified(site.world, package, site.world.pinned(), "now", program, allowed)
    return {one.code for one in notebook.findings if one.severity == findings.ERROR}


# What an insider does --------------------------------------------------------------------------------


def without(camera: str, run: str, number: int, *gaps: tuple[float, float, str], batch: int = 0) -> Change:
    """Leave an original out, tell gaps in its place, and leave the batch with its line out."""

    def made(forgery: Forgery) -> None:
        (one,) = (part for part in forgery.originals(camera, run) if part["seq"] == number)
        forgery.leave_out(one)
        for start, end, cause in gaps:
            forgery.state_gap(camera, start, end, cause)
        if batch:
            forgery.drop_batch(batch)

    return made


def cause(camera: str, start: int, said: str) -> Change:
    return lambda forgery: forgery.gap(camera, start).update(cause=said)


def moved(camera: str, start: int, **edges: float) -> Change:
    """Another ``from`` or ``to`` of a gap; ``begin`` and ``end`` in seconds of the story."""
    names = {"begin": "from", "end": "to"}
    return lambda forgery: forgery.gap(camera, start).update(
        {names[name]: at(seconds) for name, seconds in edges.items()}
    )


def more(camera: str, start: float, end: float, said: str) -> Change:
    return lambda forgery: forgery.state_gap(camera, start, end, said)


def no_gap(camera: str, start: int) -> Change:
    return lambda forgery: forgery.stated["gaps"].remove(forgery.gap(camera, start))


def no_batch(number: int) -> Change:
    return lambda forgery: forgery.drop_batch(number)


def two_causes(forgery: Forgery) -> None:
    forgery.gap("cam-1", 40).update(to=at(45))
    forgery.state_gap("cam-1", 45, 50, "stalled")


def whole_run(forgery: Forgery) -> None:
    for one in forgery.originals("cam-1", R2):
        forgery.leave_out(one)
    forgery.gap("cam-1", 70).update({"from": at(50)})


def silent_run(forgery: Forgery) -> None:
    """The late run and its batch are left out, and nobody knows why there is no footage."""
    for one in forgery.originals("cam-1", R2):
        forgery.leave_out(one)
    forgery.state_gap("cam-1", 50, 70, "unknown")
    forgery.drop_batch(4)


def no_destruction(forgery: Forgery) -> None:
    (one,) = forgery.stated.pop("dispositions")
    (forgery.package / one["path"]).unlink()
    (forgery.package / one["opened"]).unlink()
    (forgery.package / paths.DISPOSITION_PROOFS).unlink()


def wide_destruction(forgery: Forgery) -> None:
    """A destruction that excuses everything, in an entry of the insider's own."""
    (one,) = forgery.stated["dispositions"]
    entry, opened = (
        canonical.decode((forgery.package / one[name]).read_bytes()) for name in ("path", "opened")
    )
    for name, value in (("state.from", at(0)), ("state.to", at(80))):
        opened["opens"][name][1] = value
        entry["commits"][name] = wire.commitment(name, opened["opens"][name][0], value)
    data = canonical.encode(entry)
    (forgery.package / one["path"]).write_bytes(data)
    (forgery.package / one["opened"]).write_bytes(canonical.encode(opened))
    one.update({"from": at(0), "to": at(80), "sha256": sha256(data).hexdigest()})
    without("cam-1", R1, 1, (10, 20, "disposed"))(forgery)


def forged_gap(forgery: Forgery) -> None:
    """The recorder's own batch, with a gap in the place of a segment, under the insider's key."""

    def lines(old: list[bytes]) -> list[bytes]:
        return [line.replace(b'"cause":"unreachable"', b'"cause":"disabled"') for line in old]

    forgery.forge_batch(1, lines)
    forgery.gap("cam-1", 40).update(cause="disabled")


def forged_absence(forgery: Forgery) -> None:
    (one,) = (part for part in forgery.originals("cam-1", R1) if part["seq"] == 1)
    forgery.leave_out(one)
    forgery.state_gap("cam-1", 10, 20, "stalled")

    def lines(old: list[bytes]) -> list[bytes]:
        gap = next(line for line in old if b'"cause":"unreachable"' in line)
        gap = gap.replace(b'"cause":"unreachable"', b'"cause":"stalled"')
        gap = gap.replace(at(40).encode(), at(10).encode()).replace(at(50).encode(), at(20).encode())
        return [gap if one["key"].encode() in line else line for line in old]

    forgery.forge_batch(1, lines)


def altered_batch(forgery: Forgery) -> None:
    one = forgery.stated["journals"][0]
    path = forgery.package / one["path"]
    data = path.read_bytes().replace(b'"cause":"unreachable"', b'"cause":"disabled"')
    path.write_bytes(data)
    one["sha256"] = sha256(data).hexdigest()
    forgery.gap("cam-1", 40).update(cause="disabled")


def batch_twice(forgery: Forgery) -> None:
    forgery.stated["journals"].append(dict(forgery.stated["journals"][0]))


def other_proof(forgery: Forgery) -> None:
    first, second = forgery.stated["journals"][:2]
    first["log"] = dict(second["log"])


def nothing_logged(forgery: Forgery) -> None:
    """Fabricated footage: the insider leaves out all that the log and the recorder would have to say."""
    for one in forgery.stated["originals"]:
        del one["log"]
        one["logged"] = {}
    for one in forgery.stated["dispositions"]:
        del one["log"]
    for one in forgery.stated.pop("records"):
        (forgery.package / one["path"]).unlink()
        (forgery.package / one["opened"]).unlink()
    (forgery.package / paths.ENTRY_PROOFS).unlink()
    forgery.stated["journals"] = []
    del forgery.stated["checkpoints"], forgery.stated["superseded"]
    told = canonical.encode(forgery.stated)
    for path in sorted((forgery.package / "data/proofs").rglob("*")):
        if path.is_file() and path.relative_to(forgery.package).as_posix().encode() not in told:
            path.unlink()


def fabricated(forgery: Forgery) -> None:
    """One more original over the gap, with a leaf that no recorder wrote."""
    source = forgery.originals("cam-1", R2)[0]
    data = (forgery.package / source["path"]).read_bytes()[:-1] + b"x"
    digest = sha256(data).hexdigest()
    leaves = forgery.package / source["leaf"]
    old = leaves.read_bytes().split(b"\n")[source["leaf_line"] - 1]
    value = canonical.decode(old)
    value.update(seq=7, sha256=digest, start=at(40), end=at(50))
    day = at(40)
    stamp = day[:19].replace("-", "").replace(":", "") + day[19:]
    name = f"{stamp}_{R2}_000007_{digest[:16]}.mp4"
    value["key"] = f"segments/cam-1/{day[:4]}/{day[5:7]}/{day[8:10]}/{day[11:13]}/{name}"
    line = canonical.encode(value)
    leaves.write_bytes(leaves.read_bytes() + line + b"\n")
    path = f"data/original/cam-1/{name}"
    (forgery.package / path).write_bytes(data)
    made = dict(source)
    del made["log"]
    made.update(
        {
            "path": path, "seq": 7, "sha256": digest, "key": value["key"], "from": at(40), "to": at(50),
            "leaf_line": leaves.read_bytes().count(b"\n"), "leaf_sha256": sha256(line).hexdigest(),
            "logged": {},
        }
    )  # fmt: skip
    forgery.stated["originals"].append(made)
    forgery.stated["gaps"].remove(forgery.gap("cam-1", 40))
    forgery.drop_clips()


def claims(run: str, **said: str) -> Change:
    """Say of a run's originals that they were on record at another time."""

    def made(forgery: Forgery) -> None:
        for one in forgery.originals("cam-1", run):
            one["logged"].update(said)

    return made


def no_claims(forgery: Forgery) -> None:
    for one in forgery.stated["originals"]:
        one["logged"] = {}


def no_log(forgery: Forgery) -> None:
    del forgery.originals("cam-1", R1)[0]["log"]


UNEXPLAINED, OVER, PLACE = "unexplained_stretch", "gap_over_footage", "gap_out_of_place"
LEFT_OUT, CAUSE, GAP, UNSIGNED = "original_left_out", "gap_cause_differs", "gap_left_out", "gap_not_signed"

PACKAGES: list[tuple[str, Change, str]] = [
    # an original left out
    ("the first segment never was", without("cam-1", R1, 0), LEFT_OUT),
    ("the camera was away then", without("cam-1", R1, 0, (0, 10, "unreachable")), LEFT_OUT),
    ("nobody knows", without("cam-1", R1, 1, (10, 20, "unknown")), LEFT_OUT),
    ("it may still come", without("cam-1", R1, 1, (10, 20, "pending")), LEFT_OUT),
    ("it was destroyed by a rule", without("cam-1", R1, 1, (10, 20, "disposed")), LEFT_OUT),
    ("it was set aside", without("cam-1", R1, 1, (10, 20, "set_aside")), LEFT_OUT),
    ("the camera was not registered yet", without("cam-1", R1, 0, (0, 10, "not_registered")), LEFT_OUT),
    ("it had not happened yet", without("cam-1", R2, 1, (60, 70, "not_yet")), LEFT_OUT),
    ("the outage began earlier",
     each(without("cam-1", R1, 3), moved("cam-1", 40, begin=30)), LEFT_OUT),
    ("the outage went on", each(without("cam-1", R2, 0), moved("cam-1", 40, end=60)), LEFT_OUT),
    ("it stalled earlier", each(without("cam-1", R2, 1), moved("cam-1", 70, begin=60)), LEFT_OUT),
    ("it stalled much earlier", whole_run, LEFT_OUT),
    ("a segment of the other camera", without("cam-2", "6a1500000000000c", 3, (30, 40, "unknown")), LEFT_OUT),
    ("destroyed with its neighbour",
     each(without("cam-2", "6a1500000000000c", 3), moved("cam-2", 40, begin=30)), LEFT_OUT),
    ("a number that the batch would name", without("cam-1", R1, 2, (20, 30, "unknown"), batch=2),
     "run_incomplete"),
    ("a number that the batch would name, the camera away",
     without("cam-1", R1, 2, (20, 30, "stalled"), batch=2), "run_incomplete"),
    ("a whole run, and the batch with it", silent_run, UNSIGNED),
    # a gap of another cause
    ("not away, but stalled", cause("cam-1", 40, "stalled"), CAUSE),
    ("switched off", cause("cam-1", 40, "disabled"), CAUSE),
    ("a cause that does not exist", cause("cam-1", 40, "hujan"), CAUSE),
    ("two causes", two_causes, CAUSE),
    ("lost, not set aside", cause("cam-2", 20, "upload_lost"), CAUSE),
    ("stalled, but the network", cause("cam-1", 70, "unreachable"), CAUSE),
    ("the gap has no known cause", cause("cam-1", 40, "unknown"), GAP),
    ("the gap is pending", cause("cam-1", 70, "pending"), GAP),
    ("not registered during the gap", cause("cam-1", 40, "not_registered"), GAP),
    ("the gap is in the future", cause("cam-1", 70, "not_yet"), GAP),
    ("the gap was destroyed", cause("cam-1", 40, "disposed"), GAP),
    ("set aside, but unknown", cause("cam-2", 20, "unknown"), GAP),
    ("prepared before the end",
     each(stated(lambda v: v.update(prepared_at=at(72))), moved("cam-1", 70, end=72),
          more("cam-1", 72, 75, "not_yet")), GAP),
    ("destroyed, but away", cause("cam-2", 40, "unreachable"), UNSIGNED),
    ("destroyed, but unknown", cause("cam-2", 40, "unknown"), LEFT_OUT),
    ("destroyed without a record", no_destruction, "gap_impossible"),
    ("away before its registration", cause("cam-1", -5, "unreachable"), UNSIGNED),
    ("switched off before its registration", cause("cam-2", -5, "disabled"), UNSIGNED),
    ("unknown before its registration", cause("cam-1", -5, "unknown"), "gap_impossible"),
    ("registered earlier", stated(lambda v: v["cameras"][0].update(registered_at=at(-9))), "gap_impossible"),
    # a gap over footage, a gap left out
    ("the gap is not told", no_gap("cam-1", 40), UNEXPLAINED),
    ("the gap is told shorter", moved("cam-1", 40, end=45), UNEXPLAINED),
    ("no gap is told", stated(lambda v: v.update(gaps=[])), UNEXPLAINED),
    ("the destruction is not told", no_gap("cam-2", 40), UNEXPLAINED),
    ("the gap is told longer", moved("cam-1", 40, end=55), OVER),
    ("the gap began earlier", moved("cam-1", 40, begin=35), OVER),
    ("a gap in the footage", more("cam-1", 3, 4, "unreachable"), OVER),
    ("a gap of one microsecond", more("cam-2", 35, 35.000001, "stalled"), OVER),
    ("the signed gap under footage is told as one", more("cam-1", 18, 22, "stream_error"), OVER),
    ("a gap told twice", more("cam-1", 40, 50, "unreachable"), PLACE),
    ("a gap that overlaps another", more("cam-2", 45, 52, "unreachable"), PLACE),
    ("a gap after the span", more("cam-1", 75, 80, "stalled"), PLACE),
    ("a gap before the span", more("cam-2", -9, -5, "not_registered"), PLACE),
    ("a camera told twice", stated(lambda v: v["cameras"].append(dict(v["cameras"][1]))),
     "statement_contradicts"),
    # gaps that footage superseded
    ("nothing was superseded", stated(lambda v: v.pop("superseded")), "superseded_differs"),
    ("superseded for another cause", stated(lambda v: v["superseded"][0].update(cause="stalled")),
     "superseded_differs"),
    ("superseded in part", stated(lambda v: v["superseded"][0].update(to=at(20))), "superseded_differs"),
    ("superseded twice", stated(lambda v: v["superseded"].append(dict(v["superseded"][0]))),
     "superseded_differs"),
    ("more was superseded",
     stated(lambda v: v["superseded"].append(
         {"camera": "cam-2", "cause": "stalled", "from": at(1), "to": at(2)})), "superseded_differs"),
    # destructions
    ("the destruction took more", stated(lambda v: v["dispositions"][0].update(to=at(60))),
     "statement_contradicts"),
    ("it was destroyed for another reason", stated(lambda v: v["dispositions"][0].update(cause="pressure")),
     "statement_contradicts"),
    ("a destruction of the insider's own", wide_destruction, "not_included"),
    # recorders' batches
    ("the batch of the late run is left out", no_batch(4), "proof_left_out"),
    ("the batch of the gaps is left out", no_batch(3), UNSIGNED),
    ("the batch of one segment is left out", no_batch(2), "proof_left_out"),
    ("a batch says another cause, under another key", forged_gap, "not_included"),
    ("a batch says there was a gap, under another key", forged_absence, "not_included"),
    ("a batch was altered", altered_batch, "journal_part_unsigned"),
    ("a batch is named twice", batch_twice, "statement_contradicts"),
    ("a batch with the proof of another", other_proof, "not_included"),
    ("a batch without its proof", stated(lambda v: v["journals"][0].pop("log")), "bad_statement"),
    # the log
    ("footage without any proof", nothing_logged, "leaf_not_logged"),
    ("one more segment that no recorder signed", fabricated, "leaf_not_journalled"),
    ("one proof is left out", no_log, "proof_left_out"),
    # when it was on record
    ("the late run was signed before the request", claims(R2, journal="before"), "logged_differs"),
    ("the late run was logged before the request", claims(R2, checkpoint="before"), "logged_differs"),
    ("the first run was signed after the request", claims(R1, journal="after"), "logged_differs"),
    ("nothing is said about it", no_claims, "logged_differs"),
    ("the request came earlier", stated(lambda v: v["request"].update(filed_at=at(10))), "logged_differs"),
    ("the request came later", stated(lambda v: v["request"].update(filed_at=at(4.5 * 3600))),
     "logged_differs"),
]  # fmt: skip

ABSENCE: list[tuple[str, Change, str]] = [
    ("no log at all", stated(lambda v: (v.pop("checkpoints"), v.update(journals=[]))), "log_missing"),
    ("no recorder says so", stated(lambda v: v.update(journals=[])), UNSIGNED),
    ("another cause", cause("cam-1", 71, "disabled"), CAUSE),
    ("a gap is not told", stated(lambda v: v["gaps"].pop()), UNEXPLAINED),
]


def test_there_are_sixty_at_least() -> None:
    assert len({name for name, _, _ in PACKAGES + ABSENCE}) == len(PACKAGES + ABSENCE) >= 60


def test_the_true_package_is_valid_and_says_what_was_on_record_before_the_request(
    site: InsiderSite, program: Openssl
) -> None:
    notebook = verified(site.world, site.package, site.world.pinned(), "now", program)
    assert (notebook.verdict, notebook.findings) == ("valid", [])
    assert notebook.statement is not None
    told = {one["run"]: one["logged"] for one in notebook.statement["originals"]}
    assert told[R1] == {"journal": "before", "checkpoint": "before"}
    assert told[R2] == {"journal": "after", "checkpoint": "after"}
    superseded = [(one["camera"], one["cause"]) for one in notebook.statement["superseded"]]
    assert superseded == [("cam-1", "stream_error")]
    causes = [one["cause"] for one in notebook.statement["gaps"] if one["camera"] == "cam-2"]
    assert causes == ["not_registered", "set_aside", "disposed", "unreachable"]


def test_the_papers_say_what_was_on_record_before_the_request(site: InsiderSite) -> None:
    readme = (site.package / paths.README).read_text()
    assert "7 dari 9 sudah ditandatangani perekam" in readme
    assert "7 of 9 were covered by a time-stamped checkpoint of the log" in readme
    assert "long before" not in readme
    assert "jauh sebelum" not in readme


def test_the_true_absence_is_valid(absence: InsiderSite, program: Openssl) -> None:
    assert verified(absence.world, absence.package, absence.world.pinned(), "now", program).findings == []


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in PACKAGES], ids=[row[0] for row in PACKAGES])
def test_a_package_that_contradicts_itself_is_found_by_the_right_finding(
    site: InsiderSite, tmp_path: Path, program: Openssl, change: Change, code: str
) -> None:
    assert code in sealed(site, tmp_path, change, program)


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in ABSENCE], ids=[row[0] for row in ABSENCE])
def test_a_statement_of_absence_that_contradicts_itself_is_found(
    absence: InsiderSite, tmp_path: Path, program: Openssl, change: Change, code: str
) -> None:
    assert code in sealed(absence, tmp_path, change, program)


def sealed(
    site: InsiderSite, folder: Path, change: Change, program: Openssl, allowed: frozenset[str] = frozenset()
) -> set[str]:
    forgery = Forgery(site, folder / "package")
    change(forgery)
    forgery.seal()
    return found(site, forgery.package, program, allowed)


def test_an_expert_may_accept_what_was_never_logged_and_no_more(
    site: InsiderSite, tmp_path: Path, program: Openssl
) -> None:
    """Missing proofs become warnings; proofs that contradict the package stay errors."""
    assert sealed(site, tmp_path / "1", nothing_logged, program) >= {"leaf_not_logged", "leaf_not_journalled"}
    assert sealed(site, tmp_path / "2", nothing_logged, program, UNLOGGED) == set()
    assert sealed(site, tmp_path / "3", no_log, program, UNLOGGED) == {
        "proof_left_out",
        "statement_contradicts",
    }
    assert sealed(site, tmp_path / "4", cause("cam-1", 40, "stalled"), program, UNLOGGED) == {
        CAUSE,
        "clip_misstated",
    }


def test_the_command_accepts_it_only_when_it_is_told_to(
    site: InsiderSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forgery = Forgery(site, tmp_path / "package")
    nothing_logged(forgery)
    forgery.seal()
    root = str(site.world.keys / "root.pem")
    given = [str(forgery.package), "--trust", root, "--at", "stamp", "--lang", "en"]
    assert command.main(given) == 1
    assert "ERROR [leaf_not_logged]" in capsys.readouterr().out
    assert command.main([*given, "--allow-unlogged"]) == 0
    assert "WARNING [leaf_not_logged]" in capsys.readouterr().out
