"""The ``openssl`` program (3.0 or later), which checks every signature here.

A command uses only what it is given: the system's certificates (``-no-CApath -no-CAstore``) and OpenSSL's
configuration are excluded. The only exception raised is :class:`NoOpenssl`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from archive.evidence.verifier.certificate import Certificate
from archive.evidence.verifier.times import SECOND

Command = list["str | bytes"]
"""Arguments; those in bytes are contents, of which the program gets the path of a temporary part."""

_TIMEOUT = 60
_ONLY_GIVEN = ["-no-CApath", "-no-CAstore"]


class NoOpenssl(Exception):
    """``openssl`` cannot be used; the text says why."""


@dataclass(frozen=True)
class Answer:
    """Whether ``openssl`` accepted it, and its output (one line) if not."""

    good: bool
    words: str


class Openssl:
    """The program, and one folder of temporary parts.

    Raises:
        NoOpenssl: it is not installed, does not run, or is older than 3.0.
    """

    def __init__(self, program: str = "openssl") -> None:
        self._program = shutil.which(program) or ""
        if not self._program:
            raise NoOpenssl("the program openssl is not installed")
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="saksi-verify-")
        except OSError as error:
            raise NoOpenssl(f"no temporary folder can be made: {error.strerror}") from error
        self._numbers = count(1)
        self._answers: dict[bytes, Answer] = {}
        code, words = self._run(["version"])
        match = re.match(r"OpenSSL (\d+)\.", words)
        if code != 0 or match is None or int(match[1]) < 3:
            self.close()
            raise NoOpenssl(f"openssl 3.0 or later is needed, not {words[:60]!r}")
        self.version = words[:60]

    def close(self) -> None:
        """Remove the temporary parts."""
        self._folder.cleanup()

    def chain(
        self, own: Certificate, others: tuple[Certificate, ...], roots: tuple[Certificate, ...], at: int
    ) -> Answer:
        """Whether a certificate leads to one of ``roots`` at an instant (µs)."""

        def ask(trusted: tuple[Certificate, ...]) -> Answer:
            command: Command = ["verify", *_ONLY_GIVEN, "-partial_chain", "-purpose", "any"]
            command += ["-attime", _seconds(at), "-CAfile", _pems(trusted)]
            if others:
                command += ["-untrusted", _pems(others)]
            return self._ask([*command, own.pem])

        return _any(roots, ask)

    def signature(self, seal: bytes, content: bytes) -> Answer:
        """Whether its certificate's key made a detached signature over ``content``; trust is not judged."""
        command: Command = ["cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", seal]
        return self._ask([*command, "-content", content, "-out", os.devnull])

    def seal(self, seal: bytes, content: bytes, roots: tuple[Certificate, ...], at: int) -> Answer:
        """Check a CAdES signature completely: form, signature, and chain to ``roots`` at ``at``."""

        def ask(trusted: tuple[Certificate, ...]) -> Answer:
            command: Command = ["cms", "-verify", "-cades", "-binary", *_ONLY_GIVEN, "-partial_chain"]
            command += ["-purpose", "any", "-attime", _seconds(at), "-inform", "DER", "-in", seal]
            command += ["-content", content, "-CAfile", _pems(trusted), "-out", os.devnull]
            return self._ask(command)

        return _any(roots, ask)

    def stamp(self, token: bytes, data: bytes, roots: tuple[Certificate, ...], at: int) -> Answer:
        """Check a time stamp over ``data`` completely; its chain is judged at ``at``."""

        def ask(trusted: tuple[Certificate, ...]) -> Answer:
            command: Command = ["ts", "-verify", "-data", data, "-in", token]
            command += ["-partial_chain", "-attime", _seconds(at)]
            return self._ask([*command, "-CAfile", _pems(trusted)])

        return _any(roots, ask)

    def ed25519(self, public_key: bytes, body: bytes, signature: bytes) -> Answer:
        """Whether an Ed25519 signature over ``body`` fits a public key in PEM form."""
        command: Command = ["pkeyutl", "-verify", "-pubin", "-inkey", public_key, "-rawin"]
        return self._ask([*command, "-in", body, "-sigfile", signature])

    def issued(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether ``issuer`` issued it, at any time; a root is checked against its own key too."""
        command: Command = ["verify", *_ONLY_GIVEN, "-partial_chain", "-purpose", "any"]
        command += ["-no_check_time", "-check_ss_sig"]
        return self._ask([*command, "-CAfile", issuer.pem, certificate.pem]).good

    def revocation_list(self, raw: bytes, issuer: Certificate) -> bool:
        """Whether ``issuer`` signed a revocation list in DER."""
        command: Command = ["crl", "-inform", "DER", "-in", raw, "-noout", *_ONLY_GIVEN]
        return "verify OK" in self._ask([*command, "-CAfile", issuer.pem]).words

    def _ask(self, command: Command) -> Answer:
        """The answer to a command; the same question is asked once."""
        question = _digest(command)
        if question not in self._answers:
            code, words = self._run(command)
            self._answers[question] = Answer(code == 0, words)
        return self._answers[question]

    def _part(self, data: bytes) -> str:
        path = os.path.join(self._folder.name, str(next(self._numbers)))
        try:
            with open(path, "wb") as writer:
                writer.write(data)
        except OSError as error:
            raise NoOpenssl(f"a temporary part cannot be written: {error.strerror}") from error
        return path

    def _run(self, command: Command) -> tuple[int, str]:
        parts: list[str] = []
        arguments = [self._program]
        try:
            for argument in command:
                if isinstance(argument, bytes):
                    parts.append(self._part(argument))
                    argument = parts[-1]
                arguments.append(argument)
            parts.append(self._part(b""))  # a configuration without a word in it
            done = subprocess.run(
                arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**_environment(), "OPENSSL_CONF": parts[-1]},
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NoOpenssl(f"openssl does not run: {type(error).__name__}") from error
        finally:
            for part in parts:
                _remove(part)
        words = (done.stdout + b" " + done.stderr).decode("utf-8", "replace")
        return done.returncode, " ".join(words.replace(self._folder.name, "").split())[:300]


def _digest(command: Command) -> bytes:
    """The same for the same command and contents alone."""
    found = hashlib.sha256()
    for argument in command:
        data = argument if isinstance(argument, bytes) else argument.encode()
        found.update(b"%d %d " % (isinstance(argument, bytes), len(data)) + data)
    return found.digest()


def _pems(certificates: tuple[Certificate, ...]) -> bytes:
    return b"".join(one.pem for one in certificates)


def _any(roots: tuple[Certificate, ...], ask: Callable[[tuple[Certificate, ...]], Answer]) -> Answer:
    """The answer for all roots, else for each alone: ``openssl`` tries only one of two with the same name."""
    answer = ask(roots)
    for root in roots if len(roots) > 1 and not answer.good else ():
        alone = ask((root,))
        if alone.good:
            return alone
    return answer


def _environment() -> dict[str, str]:
    """The program's environment: paths of programs and libraries, nothing that points to certificates."""
    names = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "HOME")
    return {**{name: os.environ[name] for name in names if name in os.environ}, "LC_ALL": "C", "TZ": "UTC"}


def _seconds(instant: int) -> str:
    return str(instant // SECOND)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
