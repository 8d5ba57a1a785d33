"""``saksi log verify`` names each change of the log, and the changed object."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from archive import canonical, keys
from archive.canonical import sha256_hex
from archive.clock import ManualClock
from archive.ports import Content
from archive.records import journal
from archive.records.checkpoint import stored
from archive.records.checkpoint.findings import SENTENCES
from archive.records.checkpoint.leaves import decode_object, leaves_of, split_lines
from archive.records.checkpoint.note import Note
from archive.records.merkle import RootBuilder, leaf_hash
from archive.timespan import DAY, HOUR, MINUTE, Timespan
from archive.trust.judge import Severity
from ops import keys as installation
from tests.support.archives import RECORDER_KEY, small_archive
from tests.support.checkpoints import LogSite, log_site
from tests.support.leaves import T0

Harm = Callable[[LogSite], str]
"""Does harm, and gives the object that must be named."""

JOURNAL, CUSTODY, LEDGER = "journal/", "custody/", "ledger/camera/"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hours of a healthy log."""
    folder = tmp_path_factory.mktemp("whole") / "site"
    site = log_site(folder)
    site.hours(3)
    assert site.verify().valid
    site.archive.index.close()
    return folder


@pytest.fixture
def site(whole: Path, tmp_path: Path) -> LogSite:
    folder = tmp_path / "site"
    shutil.copytree(whole, folder)
    (folder / "keys").rename(tmp_path / "keys")
    (folder / "index.sqlite").unlink(missing_ok=True)
    found = LogSite.__new__(LogSite)
    found.folder, found.archive, found.segments = folder, small_archive(folder), []
    (tmp_path / "keys").rename(folder / "keys")
    found.clock.advance(3 * HOUR)
    return found


def first(site: LogSite, prefix: str, at: int = 0) -> str:
    return [listed.key for listed in site.stores.records.list(prefix)][at]


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def flip(key_of: Callable[[LogSite], str], *, with_sidecar: bool, at: float = 0.5) -> Harm:
    def harm(site: LogSite) -> str:
        key = key_of(site)
        data = site.stores.records.get(key)
        changed = flipped(data, int(len(data) * at))
        if with_sidecar:
            site.forge(key, changed)
        else:
            site.path(key).chmod(0o640)
            site.path(key).write_bytes(changed)
        return key

    return harm


def remove(key_of: Callable[[LogSite], str]) -> Harm:
    def harm(site: LogSite) -> str:
        key = key_of(site)
        site.remove(key)
        return key

    return harm


def part(number: int, name: str = stored.CHECKPOINT) -> Callable[[LogSite], str]:
    return lambda site: site.part(number, name)


def obj(prefix: str, at: int = 1) -> Callable[[LogSite], str]:
    return lambda site: first(site, prefix, at)


def swap_lines(key_of: Callable[[LogSite], str], a: int, b: int) -> Harm:
    def harm(site: LogSite) -> str:
        key = key_of(site)
        lines = site.stores.records.get(key).split(b"\n")
        lines[a], lines[b] = lines[b], lines[a]
        site.forge(key, b"\n".join(lines))
        return key

    return harm


def drop_line(key_of: Callable[[LogSite], str], at: int) -> Harm:
    def harm(site: LogSite) -> str:
        key = key_of(site)
        lines = site.stores.records.get(key).split(b"\n")
        del lines[at]
        site.forge(key, b"\n".join(lines))
        return key

    return harm


def swap(one: Callable[[LogSite], str], other: Callable[[LogSite], str]) -> Harm:
    def harm(site: LogSite) -> str:
        a, b = one(site), other(site)
        data = site.stores.records.get(a), site.stores.records.get(b)
        site.forge(a, data[1])
        site.forge(b, data[0])
        return a

    return harm


def insert(key_of: Callable[[LogSite], str]) -> Harm:
    def harm(site: LogSite) -> str:
        key = key_of(site)
        site.stores.records.put(key, Content.of_bytes(b"{}\n"))
        site.clock.advance(2 * HOUR)
        return key

    return harm


def renumbered(key: str) -> str:
    return key.replace("_000", "_090").replace("/0000", "/0900")


def beside(prefix: str) -> Callable[[LogSite], str]:
    return lambda site: renumbered(first(site, prefix))


def insert_signed_batch(site: LogSite) -> str:
    """Insert a batch signed by the recorder's own key into an hour that is already sealed."""
    data = journal.encode([], recorder="rec-1", batch=4, prev="0" * 64, at=T0, key=RECORDER_KEY)
    key = keys.journal_key("rec-1", 4, T0)
    site.stores.records.put(key, Content.of_bytes(data))
    site.clock.advance(2 * HOUR)
    return key


def rewrite_checkpoint(number: int, **changes: object) -> Harm:
    """Root on the host writes another checkpoint with a matching list of leaves, without a key to sign it."""

    def harm(site: LogSite) -> str:
        note = site.note(number)
        fields = {name: getattr(note, name) for name in Note.__slots__} | changes
        site.forge(site.part(number), Note(**fields).encode())
        return site.part(number, stored.SIGNATURE)

    return harm


def rewrite_history(site: LogSite) -> str:
    """Rewrite a ledger entry, its list of leaves, and the checkpoint, signed with the stolen log key."""
    victim = first(site, LEDGER, 2)
    line, opened = site.stores.records.get(victim).split(b"\n")[:2]
    entry = json.loads(line)
    changed = canonical.encode(entry | {"entry_id": "00" * 16}) + b"\n" + opened + b"\n"
    site.forge(victim, changed)
    note = site.note(3)
    lines = list(split_lines([site.stores.records.get(site.part(3, "leaves"))]))
    tree = RootBuilder()
    tree.extend([leaf_hash(lines[0])])
    rewritten = [lines[0]]
    for line in lines[1:]:
        found = decode_object(line)
        if found.key == victim:
            found = leaves_of(victim, changed)
        rewritten.append(found.encode())
        tree.extend(found.hashes)
    body = b"".join(line + b"\n" for line in rewritten)
    old_list = site.part(3, "leaves")
    forged = Note(
        origin=note.origin, number=3, size=note.size, root=tree.root(), prev=note.prev, at=note.at,
        leaves=sha256_hex(body),
    )  # fmt: skip
    site.stores.records.put(keys.checkpoint_key(3, stored.leaves_part(forged.leaves)), Content.of_bytes(body))
    site.remove(old_list)
    site.forge(site.part(3), forged.encode())
    signer = site.maker().signer
    site.forge(site.part(3, stored.SIGNATURE), signer.sign_cms(forged.encode()))
    return site.part(3, stored.STAMP)


CASES: dict[str, tuple[Harm, str]] = {}
for _prefix in (JOURNAL, CUSTODY, LEDGER):
    for _sidecar in (True, False):
        CASES[f"flip {_prefix} sidecar={_sidecar}"] = (
            flip(obj(_prefix), with_sidecar=_sidecar), "object_altered",
        )  # fmt: skip
    CASES[f"remove {_prefix}"] = (remove(obj(_prefix)), "object_missing")
    CASES[f"insert {_prefix}"] = (
        insert(beside(_prefix)),
        "uncovered",
    )
CASES |= {
    "flip journal header": (flip(obj(JOURNAL), with_sidecar=True, at=0.01), "object_altered"),
    "flip journal trailer": (flip(obj(JOURNAL), with_sidecar=True, at=0.99), "object_altered"),
    "journal lines reordered": (swap_lines(obj(JOURNAL), 1, 2), "object_altered"),
    "journal line removed": (drop_line(obj(JOURNAL), 1), "object_altered"),
    "journal's last line feed removed": (drop_line(obj(JOURNAL), -1), "object_altered"),
    "journals exchanged": (swap(obj(JOURNAL, 0), obj(JOURNAL, 1)), "object_altered"),
    "signed batch slipped in": (insert_signed_batch, "uncovered"),
    "flip leaves": (flip(part(2, "leaves"), with_sidecar=True), "leaves_altered"),
    "flip leaf 0": (flip(part(2, "leaves"), with_sidecar=True, at=0.001), "leaves_altered"),
    "leaves' last byte": (flip(part(2, "leaves"), with_sidecar=True, at=0.9999), "leaves_altered"),
    "leaves reordered": (swap_lines(part(2, "leaves"), 1, 2), "leaves_altered"),
    "leaf removed": (drop_line(part(2, "leaves"), 2), "leaves_altered"),
    "leaves removed": (remove(part(2, "leaves")), "leaves_missing"),
    "flip checkpoint": (flip(part(2), with_sidecar=True), "checkpoint_altered"),
    "flip checkpoint, sidecar left": (flip(part(2), with_sidecar=False), "checkpoint_altered"),
    "checkpoint removed": (remove(part(2)), "checkpoint_missing"),
    "newest checkpoint removed": (remove(part(3)), "checkpoint_missing"),
    "checkpoints exchanged": (swap(part(1), part(2)), "checkpoint_altered"),
    "flip signature": (flip(part(2, stored.SIGNATURE), with_sidecar=True, at=0.99), "signature_invalid"),
    "signature removed": (remove(part(1, stored.SIGNATURE)), "signature_missing"),
    "signatures exchanged": (
        swap(part(1, stored.SIGNATURE), part(2, stored.SIGNATURE)), "signature_invalid",
    ),
    "flip token": (flip(part(2, stored.STAMP), with_sidecar=True, at=0.99), "stamp_invalid"),
    "token removed": (remove(part(1, stored.STAMP)), "stamp_missing"),
    "tokens exchanged": (swap(part(1, stored.STAMP), part(2, stored.STAMP)), "stamp_invalid"),
    "size altered": (rewrite_checkpoint(3, size=5), "signature_invalid"),
    "root altered": (rewrite_checkpoint(3, root=b"\1" * 32), "signature_invalid"),
    "time altered": (rewrite_checkpoint(3, at=T0 + 150 * MINUTE), "signature_invalid"),
    "history rewritten with the log key": (rewrite_history, "stamp_invalid"),
    "foreign part": (insert(part(2, "notes.txt")), "foreign_object"),
    "foreign object": (insert(lambda _: "checkpoints/hidden/x"), "foreign_object"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_harm_is_named(site: LogSite, case: str) -> None:
    harm, code = CASES[case]
    name = harm(site)
    report = site.verify()
    assert not report.valid
    assert (code, name) in [(finding.code, finding.object) for finding in report.findings]


def test_every_single_byte_of_a_checkpoint_counts(site: LogSite) -> None:
    for name in (stored.CHECKPOINT, stored.SIGNATURE, stored.STAMP):
        key = site.part(1, name)
        data = site.stores.records.get(key)
        step = 1 if name == stored.CHECKPOINT else 97
        for at in range(0, len(data), step):
            site.forge(key, flipped(data, at))
            report = site.verify()
            assert key in {finding.object for finding in report.findings}, (name, at)
        site.forge(key, data)


def test_a_day_is_verified_by_itself(site: LogSite) -> None:
    second = Timespan(T0 + HOUR, T0 + 2 * HOUR)
    report = site.verify(second)
    assert report.valid
    assert report.chain == 3
    site.remove(first(site, JOURNAL, 2))
    site.remove(first(site, JOURNAL, 0))
    assert not site.verify().valid
    quiet = site.verify(Timespan(T0 + 5 * HOUR, T0 + 6 * HOUR))
    assert (quiet.valid, quiet.checkpoints) == (True, 0)


def test_what_a_pause_of_the_log_left_for_later_is_late_and_not_lost(site: LogSite) -> None:
    site.archive.ledger.append("camera", "cam-9", {}, expected=0, actor="os:t", action="camera.added")
    at = site.clock.now()
    site.clock.advance(DAY)
    site.checkpoint()
    report = site.verify(Timespan(at, at + HOUR))
    assert report.valid
    assert [finding.code for finding in report.findings] == ["covered_late"]
    assert {finding.code for finding in site.verify().findings} == {"covered_late"}


def test_a_list_left_behind_by_a_crash_is_no_error(site: LogSite) -> None:
    site.stores.records.put(keys.checkpoint_key(4, "leaves-0123456789abcdef.jsonl"), Content.of_bytes(b"x"))
    report = site.verify()
    assert report.valid
    assert [finding.code for finding in report.findings] == ["orphaned_leaves"]


def test_an_object_under_two_checkpoints_is_named(site: LogSite) -> None:
    """The log job lost a list of leaves, included its objects again, and the list was restored."""
    key = site.part(1, "leaves")
    body = site.stores.records.get(key)
    site.remove(key)
    for kept in list(site.stores.cache.list("log/")):
        site.stores.cache.delete_version(kept.key, version=kept.version)
    site.clock.advance(DAY)
    site.checkpoint()
    assert "leaves_unreadable" in {e.state["code"] for e in site.archive.ledger.heads("integrity_incident")}
    site.stores.records.put(key, Content.of_bytes(body))
    assert "covered_twice" in {finding.code for finding in site.verify().findings}


def test_a_report_speaks_both_languages(site: LogSite) -> None:
    site.remove(first(site, LEDGER, 0))
    told = site.verify().to_json()
    assert told["valid"] is False
    (found,) = told["findings"]
    assert found["message"]["id"] != found["message"]["en"]
    assert json.loads(json.dumps(told)) == told
    for code, (severity, indonesian, english) in SENTENCES.items():
        assert (code.isidentifier(), severity in Severity) == (True, True)
        assert {indonesian[-1], english[-1]} == {"."}


@pytest.mark.parametrize(
    ("what", "hours", "reason", "codes"),
    [
        ("log", 3, "keyCompromise", set()),
        ("log", -1, "keyCompromise", {"signature_invalid"}),
        ("tsa", 3, "superseded", set()),
        ("tsa", 3, "keyCompromise", {"stamp_invalid"}),
    ],
)
def test_a_checkpoint_is_as_good_as_its_keys_were(
    site: LogSite, what: str, hours: int, reason: str, codes: set[str]
) -> None:
    """As a package's checkpoints are judged: a log key that was revoked before the stamp proves nothing."""
    made = site.note(1).at
    installation.revoke(site.keys_dir, what, clock=ManualClock(made + hours * HOUR), reason=reason)
    crls = sorted((site.keys_dir / "trust").glob("*.crl"))
    found = site.verify(crls=crls).findings
    assert {one.code for one in found} >= codes
    assert codes or not found
    assert all("revoked" in one.detail for one in found)
