"""I7: a sealed package has exactly the parts that its manifests name, with the right sizes and checksums."""

from dataclasses import dataclass

from archive import keys
from archive.clock import Clock
from archive.errors import ArchiveError, Malformed, NotFound, Unavailable
from archive.evidence import bag, paths
from archive.evidence.sealed import StoredContainer
from archive.evidence.verification import verify_container
from archive.evidence.verifier.findings import UNLOGGED, of
from archive.ids import check_evidence_id
from archive.integrity.check.report import CheckReport, Depth, Progress
from archive.integrity.fixity.hashing import hash_object
from archive.integrity.fixity.pace import Pace
from archive.ports import ObjectStore
from archive.trust.judge import Severity, Trust

_OF_BYTES = ("structure", "payload", "completeness", "statement", "originals", "derivation", "journal")
"""The verifier's steps that need no trust from outside."""

_LISTED = frozenset({"tag_missing", "payload_missing", "unlisted_part", "payload_oxum"})
"""What the listing said already, by codes of its own."""

_TRUE = frozenset({"old_version"})
"""What a verifier refuses although the package is as it was sealed."""

_ALTERED = frozenset({"payload_altered", "tag_altered"})


def _no_sleep(_seconds: float) -> None:
    return


@dataclass(frozen=True, slots=True)
class PackageCheck:
    """Walks the packages and compares the store's checksums; at :attr:`Depth.BYTES` it runs the verifier."""

    records: ObjectStore
    clock: Clock
    report: CheckReport
    progress: Progress

    def run(self) -> None:
        """Every sealed package. Raises Unavailable, Refused."""
        after = ""
        while (first := next(self.records.list("evidence/", start_after=after), None)) is not None:
            name = first.key.split("/")[1]
            after = f"evidence/{name}/~"
            evidence_id = name.partition(".")[0]
            if name != evidence_id:
                continue  # it lies beside a package and is not part of it
            try:
                check_evidence_id(evidence_id)
            except Malformed as error:
                self.report.breach("I7", "foreign_object", first.key, error.message)
                continue
            self._package(evidence_id)

    def _package(self, evidence_id: str) -> None:
        prefix = keys.evidence_prefix(evidence_id)
        try:
            self.records.head(prefix + paths.SEAL)
        except NotFound:
            return  # it is being made, or was given up
        self.report.packages += 1
        self.progress("packages", self.report.packages)
        try:
            tags = bag.read_manifest(bag.TAG_MANIFEST, self.records.get(prefix + bag.TAG_MANIFEST))
            parts = bag.read_manifest(bag.MANIFEST, self.records.get(prefix + bag.MANIFEST))
            stated = bag.read_info(self.records.get(prefix + bag.INFO))["Payload-Oxum"]
        except Unavailable:
            raise
        except (ArchiveError, KeyError) as error:
            self.report.breach("I7", "package_unreadable", prefix, str(error))
            return
        named = {prefix + path: digest for path, digest in {**parts, **tags}.items()}
        self._parts(prefix, named, stated)
        if self.report.depth is Depth.BYTES:
            self._verify(evidence_id, prefix)

    def _verify(self, evidence_id: str, prefix: str) -> None:
        """Have the verifier read every byte. Whom to trust is not asked here, so signatures are left out."""
        nobody = Trust(roots=(), stamp_roots=())
        container = StoredContainer(self.records, evidence_id)
        notebook = verify_container(container, trust=nobody, at="now", clock=self.clock, allowed=UNLOGGED)
        self.report.bytes_hashed += sum(container.sizes[path] for path in notebook.actual)
        for found in notebook.findings:
            if found.severity != Severity.ERROR or found.code in _LISTED | _TRUE:
                continue
            if found.step in _OF_BYTES:
                code = "package_part_differs" if found.code in _ALTERED else found.code
                self.report.breach("I7", code, prefix + found.path, of(found.code).english)

    def _parts(self, prefix: str, named: dict[str, str], stated: str) -> None:
        seen: set[str] = set()
        size = count = 0
        for listed in self.records.list(prefix):
            path = listed.key.removeprefix(prefix)
            if path.startswith(paths.LATER) or path == bag.TAG_MANIFEST:
                continue
            seen.add(listed.key)
            if path.startswith("data/"):
                size, count = size + listed.size, count + 1
            if listed.key not in named:
                self.report.breach("I7", "package_part_added", listed.key, "no manifest names it")
            else:
                self._part(listed.key, listed.version, named[listed.key])
        for key in sorted(named.keys() - seen):
            self.report.breach(
                "I7", "package_part_missing", key, "the manifest names it, and it does not exist"
            )
        if stated != f"{size}.{count}":
            self.report.breach(
                "I7", "package_size", prefix, f"its payload is {size} bytes in {count} parts, not {stated}"
            )

    def _part(self, key: str, version: str, digest: str) -> None:
        try:
            head = self.records.head(key, version=version)
            found = head.sha256
            if found is None:
                read = hash_object(self.records, key, version, Pace(None, self.clock, _no_sleep))
                self.report.bytes_hashed += read.size
                found = read.sha256
        except NotFound:
            return  # it existed a moment ago; the next listing reports it as missing
        except Unavailable:
            raise
        except ArchiveError as error:
            self.report.breach("I7", error.code, key, error.message)
            return
        if found != digest:
            self.report.breach("I7", "package_part_differs", key, "its SHA-256 differs from the manifest's")
