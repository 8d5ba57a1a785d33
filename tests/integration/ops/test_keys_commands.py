"""``saksi keys`` and ``saksi verify --crl`` as people at a terminal use them: real processes, real clock."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archive.clock import SystemClock
from archive.evidence.verifier.journals import key_file
from archive.objects.filesystem import FilesystemStore
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, format_instant
from archive.trust.judge import load_trust
from ops import keys
from recorder.identity import register
from tests.support.command_line import Answer, CommandLine
from tests.support.key_sets import Institution, private_texts
from tests.support.packages import World, make_world


@pytest.fixture
def saksi(tmp_path: Path) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path / "home")
    made.must("keys", "init")
    secrets = private_texts(tmp_path / "home" / "keys")
    said: list[Answer] = []

    class Listening(CommandLine):
        def __call__(self, *words: str, timeout: float = 120) -> Answer:
            secrets.extend(private_texts(self.home / "keys"))
            answer = CommandLine.__call__(self, *words, timeout=timeout)
            said.append(answer)
            return answer

    yield Listening(tmp_path / "home")
    secrets += private_texts(tmp_path / "home" / "keys")
    for answer in said:
        assert not [line for line in secrets if line in answer.out or line in answer.err]


def standing(saksi: CommandLine) -> list[tuple[str, str]]:
    told = saksi.must("keys", "list", "--json").json["certificates"]
    return sorted((one["role"], one["status"]) for one in told)


def events(saksi: CommandLine, kind: str) -> list[dict[str, Any]]:
    lines = [
        json.loads(line)
        for path in sorted(saksi.home.rglob("custody/**/*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [line for line in lines if line.get("type") == kind]


def code(answer: Answer) -> tuple[int, str]:
    return answer.code, answer.problem["code"]


def test_a_key_is_exchanged_and_it_is_on_record(saksi: CommandLine) -> None:
    before = saksi.must("keys", "show", "--json").json
    made = saksi.must("keys", "rotate", "seal", "--json")
    after = saksi.must("keys", "show", "--json").json
    assert made.json["sha256"] == after["signer_sha256"] != before["signer_sha256"]
    assert after["trust_root_sha256"] == before["trust_root_sha256"]
    assert standing(saksi) == [
        ("log", "current"), ("seal", "current"), ("seal", "retired"), ("tsa", "current"),
    ]  # fmt: skip
    assert "destroy its backups too" in made.err
    (event,) = events(saksi, "key.rotated")
    assert event["objects"] == ["key:seal"]
    assert event["details"]["sha256"] == after["signer_sha256"]
    assert code(saksi("keys", "rotate", "root", "--json")) == (2, "bad_key_role")


def test_a_revoked_key_is_told_and_seals_no_more_until_it_is_exchanged(saksi: CommandLine) -> None:
    shown = saksi.must("keys", "show", "--json").json
    assert code(saksi("keys", "revoke", "seal", "--reason", "boredom", "--json"))[0] == 2
    saksi.must("keys", "revoke", shown["signer_sha256"], "--reason", "keyCompromise")
    assert ("seal", "revoked") in standing(saksi)
    (event,) = events(saksi, "key.revoked")
    assert event["details"]["sha256"] == shown["signer_sha256"]
    diagnosed = json.loads(saksi("doctor", "--json").out)["diagnoses"]
    assert any(
        one["light"] == "red" and "revoked" in one["message"] for one in diagnosed if one["subject"] == "keys"
    )
    span = ("--from", "2026-11-24T14:00:00+08:00", "--to", "2026-11-24T14:01:00+08:00")
    refused = saksi("seal", *span, "--case", "LP/B/1", "-o", str(saksi.home / "x.zip"), "--json")
    assert code(refused)[1] == "certificate_revoked"
    saksi.must("keys", "rotate", "seal")
    assert [one for one in standing(saksi) if one[0] == "seal"] == [("seal", "current"), ("seal", "revoked")]


def test_from_a_request_for_a_certificate_to_an_institutions_key(saksi: CommandLine, tmp_path: Path) -> None:
    lembaga = Institution.make(SystemClock().now())
    asked, answered, root = tmp_path / "seal.csr", tmp_path / "seal.pem", tmp_path / "root.pem"
    saksi.must("keys", "csr", "seal", "-o", str(asked), "--name", "Segel Kota")
    again = saksi("keys", "csr", "seal", "-o", str(asked))
    assert again.code == 2
    assert f"{asked} exists" in again.err
    other = tmp_path / "other.csr"
    saksi.must("keys", "csr", "seal", "-o", str(other))
    same = [x509.load_pem_x509_csr(path.read_bytes()).public_key() for path in (asked, other)]
    assert len({key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in same}) == 1
    before = saksi.must("keys", "show", "--json").json
    answered.write_bytes(lembaga.answer("seal", asked.read_bytes()))
    root.write_bytes(lembaga.root.public_bytes(Encoding.PEM))
    assert saksi("keys", "import", "seal", str(answered), "--json").code != 0, "its root is not trusted yet"
    wrong = tmp_path / "wrong.pem"
    wrong.write_bytes(lembaga.answer("tsa", asked.read_bytes()))
    assert saksi("keys", "import", "seal", str(wrong), "--root", str(root)).code == 2
    assert saksi.must("keys", "show", "--json").json == before, "what was refused changed nothing"
    saksi.must("keys", "import", "seal", str(answered), "--root", str(root))
    after = saksi.must("keys", "show", "--json").json
    assert "Kota seal" in after["signer_subject"]
    assert after["signer_sha256"] != before["signer_sha256"]
    (event,) = events(saksi, "key.activated")
    assert event["details"]["sha256"] == after["signer_sha256"]

    crl = tmp_path / "lembaga.crl"
    crl.write_bytes(lembaga.revoke([]).public_bytes(Encoding.DER))
    assert "0 revoked" in saksi.must("keys", "import-crl", str(crl)).out
    (kept,) = events(saksi, "revocation_list.kept")
    assert kept["details"]["sha256"] == hashlib.sha256(crl.read_bytes()).hexdigest()
    assert len(events(saksi, "key.requested")) == 2
    crl.write_bytes(b"no list")
    assert saksi("keys", "import-crl", str(crl)).code == 2
    assert saksi("keys", "import-crl", str(tmp_path / "none.crl")).code == 2


def test_a_key_that_waits_is_given_up(saksi: CommandLine, tmp_path: Path) -> None:
    asked = tmp_path / "log.csr"
    saksi.must("keys", "csr", "log", "-o", str(asked))
    (requested,) = events(saksi, "key.requested")
    assert requested["objects"] == ["key:log"]
    assert requested["details"]["sha256"] == hashlib.sha256(asked.read_bytes()).hexdigest()
    saksi.must("keys", "discard", "log")
    (discarded,) = events(saksi, "key.discarded")
    assert discarded["objects"] == ["key:log"]
    late = tmp_path / "late.pem"
    late.write_bytes(Institution.make(SystemClock().now()).answer("log", asked.read_bytes()))
    assert saksi("keys", "import", "log", str(late)).code != 0
    saksi.must("keys", "csr", "log", "-o", str(tmp_path / "again.csr"))


def test_a_key_that_is_encrypted_is_on_record(saksi: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "passphrases"
    folder.mkdir(mode=0o700)
    (folder / "seal.passphrase").write_text("pasar terong malam hari 42\n")
    (folder / "seal.passphrase").chmod(0o600)
    assert saksi("keys", "protect", "seal").code == 2, "there is no passphrase"
    assert events(saksi, "key.protected") == []
    secured = CommandLine(saksi.home, {"SAKSI_PASSPHRASE_DIR": str(folder)})
    secured.must("keys", "protect", "seal")
    (event,) = events(saksi, "key.protected")
    assert event["objects"] == ["key:seal"]
    assert "pasar" not in json.dumps(event)


def test_what_is_published_is_whole_and_nothing_secret(saksi: CommandLine, tmp_path: Path) -> None:
    saksi.must("keys", "renew-crl")
    (renewed,) = events(saksi, "revocation_list.renewed")
    assert renewed["actor"]["id"].startswith("os:")
    folder = tmp_path / "site"
    told = saksi.must("keys", "publish", "-o", str(folder), "--json").json
    assert sorted(told["parts"]) == sorted(path.name for path in folder.iterdir())
    shown = saksi.must("keys", "show", "--json").json
    whole = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    assert shown["signer_sha256"].encode() in whole
    assert any(name.endswith(".crl") for name in told["parts"])
    assert b"PRIVATE KEY" not in whole
    assert not [line for line in private_texts(saksi.home / "keys") if line.encode() in whole]
    assert [event["objects"] for event in events(saksi, "key.published")] == [told["parts"]]
    assert saksi("keys", "publish", "-o", str(folder)).code != 0, "nothing is overwritten"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("world"), segments=1, now=SystemClock().now())
    made.zip()
    return made


@pytest.mark.parametrize(
    ("since", "exit_code", "finding"),
    [(-DAY, 1, "certificate_revoked"), (DAY, 0, "certificate_revoked_later"), (None, 0, None)],
)
def test_a_list_from_outside_condemns_what_was_sealed_after_it_and_nothing_else(
    sealed: World, tmp_path: Path, since: int | None, exit_code: int, finding: str | None
) -> None:
    folder = tmp_path / "keys"
    shutil.copytree(sealed.keys, folder)
    package = sealed.folder / f"{sealed.plan.evidence_id}.zip"
    words = ["verify", str(package), "--trust", str(folder / "root.pem"), "--at", "stamp", "--json"]
    if since is not None:
        at = sealed.verify(package).gen_time
        assert at is not None
        clock = type(sealed.clock)(at + 2 * DAY)
        keys.revoke(folder, "seal", reason="keyCompromise", since=at + since, clock=clock)
        for path in sorted((folder / "trust").glob("*.crl")):
            words += ["--crl", str(path)]
        assert "--crl" in words
    answer = CommandLine(tmp_path / "home")(*words)
    assert answer.code == exit_code, answer.out
    told = {one["code"]: one for one in answer.json["findings"]}
    named = {name for name in told if name.startswith("certificate_revoked")}
    assert named == ({finding} if finding else set())
    if finding:
        assert set(told[finding]["message"]) == {"id", "en"}


def test_a_list_that_is_none_is_bad_input_and_no_verdict(sealed: World, tmp_path: Path) -> None:
    package = sealed.folder / f"{sealed.plan.evidence_id}.zip"
    bad = tmp_path / "bad.crl"
    bad.write_bytes(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    for path in (bad, tmp_path / f"none-{format_instant(0)[:4]}.crl"):
        answer = CommandLine(tmp_path / "home")(
            "verify", str(package), "--trust", str(sealed.keys / "root.pem"), "--crl", str(path), "--json"
        )
        assert answer.code == 2, answer.out
        assert answer.out == ""


def test_recorders_keys_are_printed_as_the_verifier_takes_them(saksi: CommandLine, tmp_path: Path) -> None:
    assert saksi.must("keys", "recorders").out == ""
    records = FilesystemStore(saksi.home / "archive" / "records", SystemClock())
    made = [Ed25519PrivateKey.generate().public_key() for _ in range(3)]
    for recorder, key in (("rec-1", made[0]), ("rec-2", made[1]), ("rec-1", made[2]), ("rec-1", made[2])):
        register(Ledger(records, SystemClock()), recorder, key)
    printed = tmp_path / "recorders.pem"
    printed.write_text(saksi.must("keys", "recorders").out)
    taken = load_trust([saksi.home / "keys" / "root.pem"], [], None, recorder_keys=[printed]).recorder_keys
    assert taken == {key.public_bytes_raw() for key in made}
    assert set(key_file(printed.read_bytes())) == taken
    told = saksi.must("keys", "recorders", "--json").json["keys"]
    assert [one["recorder"] for one in told] == ["rec-1", "rec-1", "rec-2"]
    assert {one["sha256"] for one in told} == {hashlib.sha256(key).hexdigest() for key in taken}
