"""Object names, built and parsed. Names are ASCII, in UTC, and sort by time (design: objects).

Segments live in the footage bucket; journal, ledger, custody, checkpoints and evidence in the records
bucket. A segment's name carries the first 16 hex digits of its SHA-256, so other bytes get another name.
"""

import re
from dataclasses import dataclass

from archive.errors import Malformed
from archive.ids import check_evidence_id, check_name, check_run, check_sha256
from archive.timespan import as_datetime, parse_instant

_SEGMENT = re.compile(
    r"segments/(?P<camera>[^/]+)/(?P<folder>\d{4}/\d\d/\d\d/\d\d)/"
    r"(?P<stamp>\d{8}T\d{6}\.\d{6})Z_(?P<run>[0-9a-f]{16})_(?P<seq>\d+)_(?P<sha16>[0-9a-f]{16})\.mp4\Z",
    re.ASCII,
)
_BATCH = re.compile(
    r"(?P<prefix>journal|custody)/\d{4}/\d\d/\d\d/\d\d/(?P<writer>[^/_]+)_(?P<number>\d{10})\.jsonl\Z",
    re.ASCII,
)
_LEDGER = re.compile(r"ledger/(?P<kind>[a-z_]+)/(?P<id>[^/]+)/(?P<version>\d{8})\.json\Z", re.ASCII)
_CHECKPOINT = re.compile(r"checkpoints/(?P<number>\d{10})/(?P<part>[^/]+)\Z", re.ASCII)
_SAFE_KEY = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*\Z", re.ASCII)

MAX_KEY_BYTES = 512


@dataclass(frozen=True, slots=True)
class SegmentName:
    """The parts of a segment's object name."""

    camera: str
    start: int
    run: str
    seq: int
    sha16: str


def check_key(key: str) -> str:
    """Accept an object name every store can keep, and return it.

    Parts of ``A-Z a-z 0-9 . _ -`` joined by single slashes, none beginning with a dot; 512 bytes at most.

    Raises:
        Malformed: ``bad_key``.
    """
    parts = key.split("/")
    if len(key) > MAX_KEY_BYTES or _SAFE_KEY.match(key) is None or any(p.startswith(".") for p in parts):
        raise Malformed(
            f"{key[:80]!r} is not an object name",
            code="bad_key",
            hint="Use letters, digits, dots, underscores and hyphens in parts joined by single slashes.",
        )
    return key


def hour_folder(instant: int) -> str:
    """``YYYY/MM/DD/HH`` in UTC."""
    return as_datetime(instant).strftime("%Y/%m/%d/%H")


def headers_prefix(camera: str, hour: int) -> str:
    """The folder of the packed headers of one camera and UTC hour; ends in a slash."""
    return f"headers/{check_name('camera', camera)}/{hour_folder(hour)}/"


def segment_prefix(camera: str, hour: int | None = None) -> str:
    """The folder of one camera, or of one of its UTC hours; ends in a slash."""
    base = f"segments/{check_name('camera', camera)}/"
    return base if hour is None else f"{base}{hour_folder(hour)}/"


def segment_key(camera: str, start: int, run: str, seq: int, sha256: str) -> str:
    """``segments/<camera>/<YYYY>/<MM>/<DD>/<HH>/<start>_<run>_<seq>_<sha16>.mp4``."""
    stamp = as_datetime(start).strftime("%Y%m%dT%H%M%S.%fZ")
    return (
        f"segments/{check_name('camera', camera)}/{hour_folder(start)}/"
        f"{stamp}_{check_run(run)}_{seq:06d}_{check_sha256(sha256)[:16]}.mp4"
    )


def parse_segment_key(key: str) -> SegmentName:
    """Read a segment's name. Raises Malformed ``bad_key`` when it is not one, or contradicts itself."""
    match = _SEGMENT.match(key)
    if match is None:
        raise Malformed(f"{key!r} does not name a segment", code="bad_key")
    s = match["stamp"]
    start = parse_instant(f"{s[:4]}-{s[4:6]}-{s[6:8]}T{s[9:11]}:{s[11:13]}:{s[13:]}Z")
    if match["folder"] != hour_folder(start):
        raise Malformed(f"{key!r} lies in the wrong hour", code="bad_key")
    return SegmentName(
        camera=check_name("camera", match["camera"]),
        start=start,
        run=match["run"],
        seq=int(match["seq"]),
        sha16=match["sha16"],
    )


def journal_key(recorder: str, batch: int, uploaded_at: int) -> str:
    """``journal/<hour of upload>/<recorder>_<batch>.jsonl``."""
    return f"journal/{hour_folder(uploaded_at)}/{check_name('recorder', recorder)}_{batch:010d}.jsonl"


def custody_key(writer: str, batch: int, at: int) -> str:
    """``custody/<hour>/<writer>_<batch>.jsonl``."""
    return f"custody/{hour_folder(at)}/{check_name('writer', writer)}_{batch:010d}.jsonl"


def parse_batch_key(key: str) -> tuple[str, int]:
    """The writer and number of a journal or custody object. Raises Malformed ``bad_key``."""
    match = _BATCH.match(key)
    if match is None:
        raise Malformed(f"{key!r} does not name a journal or custody batch", code="bad_key")
    return match["writer"], int(match["number"])


def ledger_prefix(kind: str, entity: str | None = None) -> str:
    """The folder of a ledger kind, or of one stream; ends in a slash."""
    base = f"ledger/{kind}/"
    return base if entity is None else f"{base}{check_name(kind, entity)}/"


def ledger_key(kind: str, entity: str, version: int) -> str:
    """``ledger/<kind>/<id>/<version>.json``; versions count from 1."""
    return f"{ledger_prefix(kind, entity)}{version:08d}.json"


def parse_ledger_key(key: str) -> tuple[str, str, int]:
    """Kind, id and version of a ledger entry. Raises Malformed ``bad_key``."""
    match = _LEDGER.match(key)
    if match is None:
        raise Malformed(f"{key!r} does not name a ledger entry", code="bad_key")
    return match["kind"], match["id"], int(match["version"])


def evidence_prefix(evidence_id: str) -> str:
    """The folder of one evidence package; ends in a slash."""
    return f"evidence/{check_evidence_id(evidence_id)}/"


def evidence_checksums_key(evidence_id: str) -> str:
    """The object with the CRC-32 of a package's large parts: beside the package, not part of it."""
    return f"evidence/{check_evidence_id(evidence_id)}.crc32.json"


def attachment_key(sha256: str) -> str:
    """``attachments/<sha256>``: a scanned letter or another paper of a request, named by its own hash."""
    return f"attachments/{check_sha256(sha256)}"


def handover_prefix(evidence_id: str, number: int) -> str:
    """The folder of one handover's papers and counted downloads; ends in a slash. Handovers count from 1.

    It lies beside the packages: counting a download must not change the ZIP that is being downloaded.
    """
    return f"handovers/{check_evidence_id(evidence_id)}/{number}/"


def package_papers_prefix(evidence_id: str, number: int) -> str:
    """The folder of one handover's papers inside the package, outside its seal; ends in a slash."""
    return f"{evidence_prefix(evidence_id)}handover/{number}/"


def disposition_prefix(disposition: str) -> str:
    """The folder of one disposition's list, record and signatures; ends in a slash."""
    return f"dispositions/{check_name('disposition', disposition)}/"


def checkpoint_key(number: int, part: str) -> str:
    """``checkpoints/<number>/<part>``; checkpoints count from 1."""
    return f"checkpoints/{number:010d}/{part}"


def parse_checkpoint_key(key: str) -> tuple[int, str]:
    """The number of a checkpoint and the name of one of its parts. Raises Malformed ``bad_key``."""
    match = _CHECKPOINT.match(key)
    if match is None:
        raise Malformed(f"{key!r} does not name a part of a checkpoint", code="bad_key")
    return int(match["number"]), match["part"]


CANARY = "canary/"
"""Where the canary puts the objects that it attacks, in the footage and the records bucket."""


def canary_day(at: int) -> str:
    """The folder of one UTC day's canary objects, for all accounts; ends in a slash."""
    return f"{CANARY}{as_datetime(at).strftime('%Y%m%d')}/"


def canary_key(account: str, at: int, name: str) -> str:
    """``canary/<day>/<account>/<instant>_<name>``: one object that the canary attacks."""
    stamp = as_datetime(at).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{canary_day(at)}{check_name('account', account)}/{stamp}_{check_name('canary', name)}"
