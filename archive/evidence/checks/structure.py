"""Step 1: the bag's own files, and the tag manifest that is sealed (RFC 8493, 2.1 and 2.2.1)."""

from archive.canonical import sha256_hex
from archive.errors import Malformed
from archive.evidence import bag
from archive.evidence.findings import Inquiry
from archive.evidence.parcel import read_small


def check(inquiry: Inquiry) -> None:
    """Read tag files and manifests; what cannot be read is found, not raised."""
    parcel = inquiry.parcel
    tags = _read(inquiry, bag.TAG_MANIFEST)
    if tags is None:
        return
    inquiry.tags = tags
    try:
        listed = bag.read_manifest(bag.TAG_MANIFEST, tags)
    except Malformed as error:
        inquiry.object_to(bag.TAG_MANIFEST, error)
        listed = {}
    if listed and set(listed) != set(bag.TAG_FILES):
        inquiry.error(
            "tag_manifest_incomplete",
            bag.TAG_MANIFEST,
            f"{bag.TAG_MANIFEST} must list {', '.join(sorted(bag.TAG_FILES))}; it lists {', '.join(listed)}",
        )
    for path in bag.TAG_FILES:
        content = _read(inquiry, path)
        if content is None:
            continue
        if path in listed and sha256_hex(content) != listed[path]:
            inquiry.error("tag_altered", path, f"{path} is not what {bag.TAG_MANIFEST} says; it was changed")
        _interpret(inquiry, path, content)
    octets, _, streams = inquiry.info.get("Payload-Oxum", "").partition(".")
    payload = [size for path, size in parcel.sizes.items() if path.startswith("data/")]
    if inquiry.info and (octets, streams) != (str(sum(payload)), str(len(payload))):
        inquiry.error(
            "payload_oxum",
            bag.INFO,
            f"{bag.INFO} says {octets} bytes in {streams} parts; there are {sum(payload)} in {len(payload)}",
        )


def _interpret(inquiry: Inquiry, path: str, content: bytes) -> None:
    try:
        if path == bag.DECLARATION and content != bag.BAGIT_TXT:
            raise Malformed(f"{path} does not declare BagIt 1.0 in UTF-8", code="bad_bag")
        if path == bag.INFO:
            inquiry.info = bag.read_info(content)
        if path == bag.MANIFEST:
            inquiry.manifest = bag.read_manifest(path, content)
    except Malformed as error:
        inquiry.object_to(path, error)


def _read(inquiry: Inquiry, path: str) -> bytes | None:
    if path not in inquiry.parcel.sizes:
        inquiry.error("tag_missing", path, f"{path} is missing from the package")
        return None
    try:
        return read_small(inquiry.parcel, path)
    except Malformed as error:
        inquiry.object_to(path, error)
        return None
