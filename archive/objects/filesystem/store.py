"""``FilesystemStore``: the port's methods over sidecars, folders and durable writes."""

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, NotFound, Refused
from archive.objects import checks as rules
from archive.objects.filesystem import deletions, durable
from archive.objects.filesystem.checking import Comparisons
from archive.objects.filesystem.folders import (
    folder_of,
    folders_in,
    keys_in,
    made_folder_of,
    remove_empty_folders,
)
from archive.objects.filesystem.reading import (
    Pieces,
    altered,
    exists,
    no_sidecar,
    open_object,
    read_exactly,
    read_sidecar,
)
from archive.objects.filesystem.sidecar import Sidecar, sidecar_name
from archive.objects.filesystem.trouble import translated
from archive.ports import (
    Content,
    Deletion,
    DoomedVersion,
    Lock,
    ObjectHead,
    ObjectVersion,
    Stored,
)

_RACES = 100


class FilesystemStore:
    """An :class:`archive.ports.ObjectStore` in one folder, which is made if it is missing.

    Any number of threads and processes of one host may use the folder at once. ``clock`` decides when
    retention ends. Puts leave ``keep_free`` bytes of the disk free, or raise StoreFull. Raises only errors
    of :mod:`archive.errors`.
    """

    def __init__(self, root: Path, clock: Clock, *, keep_free: int = 0) -> None:
        self._root = os.fspath(root)
        self._clock = clock
        self._keep_free = keep_free
        self._comparisons = Comparisons(clock)
        with translated(f"opening the store {self._root}"):
            os.makedirs(self._root, 0o750, exist_ok=True)
            durable.sweep(self._root)

    def put(
        self,
        key: str,
        content: Content,
        *,
        metadata: Mapping[str, str] | None = None,
        lock: Lock | None = None,
        hold: bool = False,
    ) -> Stored:
        """Store if absent; see the port. An existing object keeps its own lock, hold and metadata."""
        rules.check_object_key(key)
        rules.check_size(key, content.size)
        wanted = Sidecar(
            key=key,
            sha256=content.sha256,
            size=content.size,
            stored_at=self._clock.now(),
            lock=None if lock is None else rules.whole_seconds(lock),
            held=hold,
            metadata=rules.check_metadata(metadata),
        )
        with translated(f"storing {key}"):
            present = self._present(key)
            if present is not None:
                return _answer(wanted, present)
            self._refuse_past(key, wanted.lock)
            durable.leave_free(self._root, content.size, self._keep_free)
            with durable.temporary(self._root) as (descriptor, path):
                durable.receive(descriptor, key, content)
                with durable.key_lock(self._root, key):
                    return self._commit(wanted, path)

    def head(self, key: str, *, version: str | None = None) -> ObjectHead:
        """Facts of the object, with the SHA-256 from the sidecar."""
        with translated(f"looking at {key}"), self._object(key, version) as (_, facts):
            return ObjectHead(
                key=key,
                version=facts.sha256,
                size=facts.size,
                stored_at=facts.stored_at,
                sha256=facts.sha256,
                lock=facts.lock,
                held=facts.held,
                metadata=facts.metadata,
            )

    def get(self, key: str, *, version: str | None = None) -> bytes:
        """The whole object; its SHA-256 is checked. Raises IntegrityError ``object_altered``."""
        with translated(f"reading {key}"), self._object(key, version) as (descriptor, facts):
            data = read_exactly(descriptor, key, 0, facts.size)
        if hashlib.sha256(data).hexdigest() != facts.sha256:
            raise altered(key, "its SHA-256 differs")
        return data

    def read(self, key: str, start: int, length: int, *, version: str | None = None) -> bytes:
        """Exactly ``length`` bytes from ``start``.

        A part is compared as by :meth:`stream`, but not the head of an object: readers read many heads before
        the first byte of anything, and check them by their own rules.
        """
        rules.check_range(key, start, length)
        with translated(f"reading {key}"), self._object(key, version) as (descriptor, facts):
            if start + length > facts.size:
                raise rules.bad_range(key, start, length)
            if start:
                self._comparisons.check(descriptor, key, facts.sha256)
            return read_exactly(descriptor, key, start, length)

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, version: str | None = None
    ) -> Iterator[bytes]:
        """The bytes from ``start``, in pieces of at most 1 MiB.

        Who reads the whole can compare its SHA-256. Of a part, the store compares it, before a byte leaves
        (:mod:`.checking`). Raises IntegrityError ``object_altered``.
        """
        rules.check_range(key, start, length)
        with translated(f"reading {key}"), self._object(key, version) as (descriptor, facts):
            end = facts.size if length is None else start + length
            if end > facts.size or (start >= end and facts.size > 0):
                raise rules.bad_range(key, start, length)
            if end - start < facts.size:
                self._comparisons.check(descriptor, key, facts.sha256)
            return Pieces(os.dup(descriptor), key, start, end)

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """Every object under ``prefix``, in key order.

        An object without a readable sidecar is listed with the version "" and the file system's facts about
        it; :meth:`head` reports what is wrong.
        """
        rules.check_prefix(prefix)
        return self._listed(prefix, start_after)

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """The same as :meth:`list`: a key has one version here."""
        return self.list(prefix)

    def common_prefixes(self, folder: str) -> Iterator[str]:
        """The folders in ``folder``; a folder that was just emptied may be among them."""
        rules.check_folder(folder)
        with translated(f"listing {folder or 'the store'}"):
            return iter(folders_in(self._root, folder))

    def extend_lock(self, key: str, lock: Lock, *, version: str) -> None:
        """Set or lengthen retention; see the port."""
        wanted = rules.whole_seconds(lock)
        with self._rewriting(key, version) as (folder, facts):
            self._refuse_past(key, wanted)
            rules.refuse_weaker_lock(key, facts.lock, wanted)
            self._write_sidecar(folder, replace(facts, lock=wanted))

    def place_hold(self, key: str, *, version: str) -> None:
        """Set the legal hold."""
        with self._rewriting(key, version) as (folder, facts):
            if not facts.held:
                self._write_sidecar(folder, replace(facts, held=True))

    def release_hold(self, key: str, *, version: str) -> None:
        """Clear the legal hold."""
        with self._rewriting(key, version) as (folder, facts):
            if facts.held:
                self._write_sidecar(folder, replace(facts, held=False))

    def delete_version(self, key: str, *, version: str) -> None:
        """Destroy the object if ``version`` is its version and neither hold nor retention forbids it."""
        rules.check_object_key(key)
        rules.check_version(key, version)
        with translated(f"deleting {key}"), durable.key_lock(self._root, key):
            try:
                with folder_of(self._root, key) as (folder, name):
                    self._delete(folder, name, key, version)
            except NotFound:
                return
            remove_empty_folders(self._root, key)

    def delete_versions(self, items: Sequence[DoomedVersion]) -> Sequence[Deletion]:
        """Destroy a batch, folder by folder; see the port and :mod:`.deletions`."""
        rules.check_doomed(items)
        return deletions.delete(self._root, items, self._clock.now())

    def _delete(self, folder: int, name: str, key: str, version: str) -> None:
        facts = read_sidecar(folder, name, key)
        if facts is None:
            if exists(folder, name):
                raise no_sidecar(key)
            return
        if facts.sha256 != version:
            return
        if exists(folder, name):
            if facts.held:
                raise Refused(
                    f"{key} is under a legal hold",
                    code="under_hold",
                    hint="It stays until the hold is released.",
                )
            if facts.lock is not None and facts.lock.until > self._clock.now():
                raise Refused(
                    f"{key} is under retention", code="under_retention", hint="Wait until it has expired."
                )
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)
        os.unlink(sidecar_name(name), dir_fd=folder)
        os.fsync(folder)

    def _present(self, key: str) -> Sidecar | None:
        try:
            with self._object(key, None) as (_, facts):
                return facts
        except NotFound:
            return None

    def _commit(self, wanted: Sidecar, path: str) -> Stored:
        """Steps 3 to 5 of a put, under the key's lock."""
        for _ in range(_RACES):
            present = self._present(wanted.key)
            if present is not None:
                return _answer(wanted, present)
            try:
                with made_folder_of(self._root, wanted.key) as (folder, name):
                    self._link(wanted, path, folder, name)
            except (FileNotFoundError, NotFound):
                # A deletion may remove folders that are still empty; then they are made again.
                continue
            return Stored(wanted.key, wanted.sha256, wanted.sha256, created=True)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _link(self, wanted: Sidecar, path: str, folder: int, name: str) -> None:
        if exists(folder, name):
            raise Malformed(
                f"{wanted.key} cannot be stored: it is a folder",
                code="bad_key",
                hint="A name is either an object or a folder.",
            )
        self._write_sidecar(folder, _merged(wanted, _leftover(folder, name, wanted)))
        try:
            os.link(path, name, dst_dir_fd=folder, follow_symlinks=False)
        except OSError:
            os.unlink(sidecar_name(name), dir_fd=folder)
            raise
        os.fsync(folder)

    def _write_sidecar(self, folder: int, facts: Sidecar) -> None:
        name = facts.key.rpartition("/")[2]
        with durable.temporary(self._root) as (descriptor, path):
            durable.write_all(descriptor, facts.encode())
            durable.finish(descriptor)
            os.rename(path, sidecar_name(name), dst_dir_fd=folder)
        os.fsync(folder)

    def _refuse_past(self, key: str, lock: Lock | None) -> None:
        if lock is not None and lock.until <= self._clock.now():
            raise rules.past_lock(key)

    @contextmanager
    def _rewriting(self, key: str, version: str) -> Iterator[tuple[int, Sidecar]]:
        """The folder and the current facts of an object whose sidecar is about to be replaced."""
        rules.check_object_key(key)
        rules.check_version(key, version)
        with (
            translated(f"changing the locks of {key}"),
            durable.key_lock(self._root, key),
            self._object(key, version) as (_, facts),
            folder_of(self._root, key) as (folder, _),
        ):
            yield folder, facts

    @contextmanager
    def _object(self, key: str, version: str | None) -> Iterator[tuple[int, Sidecar]]:
        """The open object and its facts, which agree in size."""
        rules.check_object_key(key)
        with folder_of(self._root, key) as (folder, name):
            descriptor, facts = open_object(folder, name, key)
        try:
            if version and version != facts.sha256:
                raise NotFound(f"{key} has no version {version}")
            yield descriptor, facts
        finally:
            os.close(descriptor)

    def _listed(self, prefix: str, start_after: str) -> Iterator[ObjectVersion]:
        with translated(f"listing {prefix or 'the store'}"):
            for key in keys_in(self._root, prefix, start_after):
                with suppress(NotFound):
                    yield self._version_of(key)

    def _version_of(self, key: str) -> ObjectVersion:
        with folder_of(self._root, key) as (folder, name):
            try:
                facts = read_sidecar(folder, name, key)
            except IntegrityError:
                facts = None
            if facts is not None:
                return ObjectVersion(key, facts.sha256, facts.size, facts.stored_at)
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError as error:
                raise NotFound(f"{key} is not in the store") from error
            return ObjectVersion(key, "", found.st_size, found.st_mtime_ns // 1000)


def _answer(wanted: Sidecar, present: Sidecar) -> Stored:
    if present.sha256 != wanted.sha256:
        raise rules.taken_by_other_bytes(wanted.key, present.sha256, wanted.sha256)
    return Stored(present.key, present.sha256, present.sha256, created=False)


def _leftover(folder: int, name: str, wanted: Sidecar) -> Sidecar | None:
    """A sidecar of the same bytes without its object: from an interrupted put, or of a lost object."""
    try:
        found = read_sidecar(folder, name, wanted.key)
    except IntegrityError:
        return None
    return found if found is not None and found.sha256 == wanted.sha256 else None


def _merged(wanted: Sidecar, leftover: Sidecar | None) -> Sidecar:
    """Keep the protection that the same bytes had before: a lost object may be put back by hand."""
    if leftover is None:
        return wanted
    lock = wanted.lock
    if leftover.lock is not None and (lock is None or leftover.lock.until > lock.until):
        lock = leftover.lock
    return replace(wanted, lock=lock, held=wanted.held or leftover.held)
