"""The command ``saksi-verify.pyz``.

Exit codes: 0 valid · 1 not valid · 2 bad input, or not a package · 3 signatures were not checked · 4 the
check itself was interrupted, which says nothing about the package.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import time
from typing import TextIO

from archive.evidence.verifier import journals, revocation_list, times, wording
from archive.evidence.verifier.certificate import MAX_PEM, Certificate, read_pem
from archive.evidence.verifier.container import NoPackage, open_container
from archive.evidence.verifier.der import BadDer
from archive.evidence.verifier.findings import UNLOGGED, Broken
from archive.evidence.verifier.notebook import NOT_CHECKED, NOT_VALID, VALID, Notebook
from archive.evidence.verifier.openssl import NoOpenssl, Openssl
from archive.evidence.verifier.revocation_list import RevocationList
from archive.evidence.verifier.trust import Trust
from archive.evidence.verifier.verify import NOW, STAMP, verify

EXIT = {VALID: 0, NOT_VALID: 1, NOT_CHECKED: 3}
BAD_INPUT, BROKE_OFF, INTERRUPTED = 2, 4, 130


class BadInput(Exception):
    """The arguments on the command line cannot be used."""


def main(arguments: list[str] | None = None, *, out: TextIO | None = None, err: TextIO | None = None) -> int:
    """Verify one package, print the verdict, and return the exit code."""
    out, err = out or sys.stdout, err or sys.stderr
    given = _parser().parse_args(arguments)
    try:
        notebook, note = _verify(given, err)
    except (BadInput, NoPackage) as error:
        code = "bad_input" if isinstance(error, BadInput) else "bad_package"
        if given.json:
            out.write(json.dumps({"error": code, "detail": str(error)}) + "\n")
        err.write(f"{wording.printable(str(error))} [{code}]\n")
        return BAD_INPUT
    if given.json:
        out.write(json.dumps(notebook.to_json(), indent=2) + "\n")
    else:
        for line in wording.verdict(notebook, given.package, given.lang):
            out.write(line + "\n")
        if note:
            err.write(note + "\n")
    return EXIT[notebook.verdict]


def run() -> int:
    """The program: :func:`main` on a terminal of any encoding; it always ends with an exit code of ours."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = broke_off
    try:
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKE_OFF


def broke_off(kind: type[BaseException], error: BaseException, _trace: object) -> None:
    """End the program when it fails: Python's own exit code 1 would be read as a verdict."""
    sys.stderr.write(f"pemeriksaan terputus / the check was interrupted: {kind.__name__}: {error}\n")
    sys.stderr.flush()
    os._exit(BROKE_OFF)


def _verify(given: argparse.Namespace, err: TextIO) -> tuple[Notebook, str]:
    at = _moment(given.at)
    roots = _certificates(given.trust)
    stamp_roots = _certificates(given.tsa_trust) if given.tsa_trust else roots
    signer, log_key = _fingerprint(given.signer), _fingerprint(given.log_key)
    lists, keys = _lists(given.crl), _recorder_keys(given.recorder_key)
    program: Openssl | None = None
    why = "--no-openssl"
    if not given.no_openssl:
        try:
            program = Openssl()
        except NoOpenssl as error:
            why = str(error)
    try:
        container = open_container(given.package)
        try:
            trusted = Trust(roots, stamp_roots, signer, log_key, program, lists, why, keys)
            allowed = UNLOGGED if given.allow_unlogged else frozenset()
            found = verify(container, trusted, at, progress=_Bar(err), allowed=allowed)
            return found, "" if program else why
        finally:
            container.close()
    finally:
        if program is not None:
            program.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="saksi-verify",
        description="Periksa paket bukti tanpa jaringan. / Verify an evidence package offline.",
        epilog="Kode keluar / exit code: 0 sah / valid, 1 tidak sah / not valid, 2 bukan paket / not a "
        "package, 3 tanda tangan belum diperiksa / signatures not checked, 4 terputus / interrupted.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("package", metavar="PACKAGE", help="ZIP, atau folder yang berisi bagit.txt / a ZIP, or the folder")
    add(
        "--trust", action="append", default=[], metavar="PEM", help="akar dari LUAR paket / root from OUTSIDE"
    )
    add("--tsa-trust", action="append", default=[], metavar="PEM", help="akar otoritas waktu / TSA root")
    add(
        "--crl",
        action="append",
        default=[],
        metavar="FILE",
        help="daftar pencabutan dari LUAR / from OUTSIDE",
    )
    add("--signer", default="", metavar="SHA256", help="sidik jari penyegel / the signer's fingerprint")
    add("--log-key", default="", metavar="SHA256", help="sidik jari sertifikat log / the log's fingerprint")
    add(
        "--recorder-key",
        action="append",
        default=[],
        metavar="PEM",
        help="kunci perekam dari LUAR paket / a recorder's key from OUTSIDE",
    )
    add("--at", default=NOW, metavar="now|stamp|TIME", help="waktu penilaian sertifikat / time to judge at")
    add("--lang", default="", choices=wording.LANGUAGES, help="satu bahasa saja / one language only")
    add("--json", action="store_true", help="putusan sebagai JSON / the verdict as JSON")
    add(
        "--allow-unlogged",
        action="store_true",
        help="terima bukti log yang tidak ada / accept proofs of the log that are missing",
    )
    add("--no-openssl", action="store_true", help="tanpa openssl; hasil tidak pernah sah / never valid")
    return parser


def _moment(text: str) -> str | int:
    if text in (NOW, STAMP):
        return text
    try:
        return times.parse_loose(text)
    except ValueError as error:
        raise BadInput(f"--at: {error}") from error


def _fingerprint(text: str) -> str:
    plain = re.sub(r"[\s:]", "", text).lower()
    if plain and re.fullmatch(r"[0-9a-f]{64}", plain) is None:
        raise BadInput(f"{text[:80]!r} is not a SHA-256 fingerprint of 64 hex digits")
    return plain


def _lists(paths: list[str]) -> tuple[RevocationList, ...]:
    found: list[RevocationList] = []
    for path in paths:
        try:
            with open(path, "rb") as reader:
                found += revocation_list.read(reader.read(revocation_list.MAX_BYTES + 1))
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read: {error}") from error
        except Broken as error:
            raise BadInput(f"{path} is not a usable revocation list: {error.detail}") from error
    return tuple(found)


def _recorder_keys(paths: list[str]) -> frozenset[bytes]:
    found: set[bytes] = set()
    for path in paths:
        try:
            with open(path, "rb") as reader:
                found.update(journals.key_file(reader.read(MAX_PEM)))
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read: {error}") from error
        except Broken as error:
            raise BadInput(f"{path} holds no key of a recorder: {error.detail}") from error
    return frozenset(found)


def _certificates(paths: list[str]) -> tuple[Certificate, ...]:
    found: list[Certificate] = []
    for path in paths:
        try:
            with open(path, "rb") as reader:
                found += read_pem(reader.read(MAX_PEM))
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read: {error}") from error
        except BadDer as error:
            raise BadInput(f"{path}: {error}") from error
    return tuple(found)


class _Bar:
    """Progress on a terminal, a few times a second; silent elsewhere."""

    def __init__(self, err: TextIO) -> None:
        self._err = err
        self._shown = err.isatty()
        self._next = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._shown and total and (now >= self._next or done >= total):
            self._next = now + 0.2
            end = "\n" if done >= total else ""
            self._err.write(f"\r  {done >> 20} / {total >> 20} MiB {100 * done // total:3d} %{end}")
            self._err.flush()
