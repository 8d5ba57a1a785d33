"""Steps 4 to 6: what ``evidence.json`` says, held against the parts of the package themselves."""

from archive.canonical import sha256_hex
from archive.errors import Malformed
from archive.evidence import bag, paths, statement
from archive.evidence.checks.payload import clip_run
from archive.evidence.findings import Derived, Inquiry, Step
from archive.evidence.parcel import read_small
from archive.evidence.statement import DerivativePart, OriginalPart, Statement
from archive.evidence.stating import clock_json
from archive.model import leaf as leaves
from archive.model.segment import Segment
from archive.timespan import SpanSet, Timespan, format_instant


def read(inquiry: Inquiry) -> None:
    """Read ``evidence.json``, which later steps need. Its digest is checked with the rest of the payload."""
    if paths.STATEMENT not in inquiry.parcel.sizes:
        inquiry.error("statement_missing", paths.STATEMENT, f"{paths.STATEMENT} is missing")
        return
    try:
        inquiry.statement = statement.decode(read_small(inquiry.parcel, paths.STATEMENT))
    except Malformed as error:
        inquiry.object_to(paths.STATEMENT, error)


def check_statement(inquiry: Inquiry, stated: Statement) -> None:
    """The statement and the bag speak of the same package, and no stretch of time goes unexplained."""
    outside = inquiry.info.get("External-Identifier")
    if inquiry.info and outside != stated.evidence_id:
        inquiry.error(
            "statement_contradicts",
            paths.STATEMENT,
            f"evidence.json is about {stated.evidence_id}, {bag.INFO} about {outside}",
        )
    _check_listed(inquiry, paths.ORIGINALS, [part.path for part in stated.originals])
    _check_listed(inquiry, "data/derivative/", [part.path for part in stated.derivatives])
    custody = stated.custody
    if inquiry.actual.get(custody.path) not in (None, custody.sha256):
        inquiry.error("statement_contradicts", custody.path, f"{custody.path} is not what evidence.json says")
    _check_listed(inquiry, paths.DOCUMENTS, [part.path for part in stated.documents or ()])
    for document in stated.documents or ():
        if inquiry.actual.get(document.path) not in (None, document.sha256):
            inquiry.error(
                "statement_contradicts", document.path, f"{document.path} is not what evidence.json says"
            )
    _check_clocks(inquiry, stated)
    _check_request(inquiry, stated)
    _check_coverage(inquiry, stated)


def _check_clocks(inquiry: Inquiry, stated: Statement) -> None:
    """What is said of the clocks together follows from what is said of each original's."""
    found: dict[str, list[OriginalPart]] = {}
    for part in stated.originals:
        found.setdefault(part.camera, []).append(part)
    follows = [
        clock_json(
            camera,
            sources=(part.clock.source for part in parts),
            offsets=[part.clock.offset_us for part in parts],
            uncertainties=[part.clock.uncertainty_us for part in parts],
            flags=(flag for part in parts for flag in part.clock.flags),
        )
        for camera, parts in sorted(found.items())
    ]
    said = [
        part.model_dump() | {"sources": list(part.sources), "flags": list(part.flags)}
        for part in stated.clocks
    ]
    if said != follows:
        inquiry.error(
            "statement_contradicts",
            paths.STATEMENT,
            "what evidence.json says of the clocks does not follow from the originals",
        )


def _check_request(inquiry: Inquiry, stated: Statement) -> None:
    """Approvals are of the request that the package answers."""
    request, approvals = stated.request, stated.approvals or ()
    if request is None and not approvals:
        return
    if request is None or any(one.entry_sha256 != request.entry_sha256 for one in approvals):
        inquiry.error(
            "approval_differs",
            paths.STATEMENT,
            "an approval in evidence.json is not of the request that the package answers",
        )
    elif not approvals:
        inquiry.error(
            "approval_missing", paths.STATEMENT, f"nobody approved the request {request.id} in evidence.json"
        )


def check_originals(inquiry: Inquiry, stated: Statement) -> None:
    """Every original is the segment its leaf tells of."""
    lines = {
        path: _read_leaves(inquiry, path) for path in dict.fromkeys(part.leaf for part in stated.originals)
    }
    for part in stated.originals:
        _check_digest(inquiry, part.path, part.sha256, part.size)
        leaf = _read_leaf(inquiry, part, lines[part.leaf])
        if leaf is None:
            continue
        if (leaf.sha256, leaf.size) != (part.sha256, part.size):
            inquiry.error(
                "leaf_mismatch",
                part.path,
                f"{part.path} is not the segment its leaf tells of: SHA-256 or size differ",
            )
        elif _facts_of(leaf, part) != part or part.path.rsplit("/", 1)[-1] != leaf.key.rsplit("/", 1)[-1]:
            inquiry.error(
                "leaf_mismatch",
                part.path,
                f"what evidence.json says of {part.path} is not what its leaf says",
            )


def check_derivation(inquiry: Inquiry, stated: Statement) -> None:
    """Every clip is made of the originals' bytes at the places it names."""
    known = {part.path for part in stated.originals}
    for part in stated.derivatives:
        _check_digest(inquiry, part.path, part.sha256, part.size)
        if part.path not in inquiry.actual:
            continue  # missing or unreadable: said already
        try:
            clip_run(inquiry, part)
        except Malformed as error:
            inquiry.object_to(part.path, error)
            continue
        strange = [piece.original for piece in part.pieces if piece.original not in known]
        if strange:
            inquiry.error(
                "bad_pieces", part.path, f"{part.path} names {strange[0]}, which is no original here"
            )
        elif part.path not in inquiry.derived:
            inquiry.error(
                "bad_pieces", part.path, f"{part.path} names bytes of its originals that do not exist"
            )
        elif not inquiry.derived[part.path].same:
            inquiry.error(
                "clip_not_derived",
                part.path,
                f"{part.path} is not made of the originals' bytes it names",
            )
        else:
            _check_slices(inquiry, part, inquiry.derived[part.path])


def _check_slices(inquiry: Inquiry, part: DerivativePart, derived: Derived) -> None:
    """The slice NAL units of every piece are a run of its original's, by either side's own tables."""
    for number, piece in enumerate(part.pieces):
        # A path that is stated twice, which is said elsewhere, may have fewer pieces the other time.
        original = derived.of_originals[number] if number < len(derived.of_originals) else None
        stated = piece.slices
        clip = derived.of_clip[number] if number < len(derived.of_clip) else None
        if stated is None:
            if original is None:
                inquiry.warn(
                    "slices_unreadable",
                    part.path,
                    f"the samples of {piece.original} are no NAL units; its bytes in {part.path} are proven",
                )
                continue
            inquiry.error("slices_differ", part.path, f"piece {number + 1} of {part.path} states no slices")
            return
        if (
            original is None
            or clip is None
            or (original.first, original.count, original.sha256)
            != (stated.first, stated.count, stated.sha256)
            or clip.places != original.places
        ):
            inquiry.error(
                "slices_differ",
                part.path,
                f"the slice NAL units of piece {number + 1} of {part.path} are not those that evidence.json"
                f" names of {piece.original}",
            )
            return
    total = sum(piece.slices.count for piece in part.pieces if piece.slices is not None)
    codecs = {original.codec for original in (inquiry.statement.originals if inquiry.statement else ())}
    if part.derivation.slices != total or part.derivation.codec not in codecs:
        inquiry.error("slices_differ", part.path, f"what evidence.json sums up of {part.path} is not so")


def _check_listed(inquiry: Inquiry, prefix: str, stated: list[str]) -> None:
    there = {path for path in inquiry.manifest if path.startswith(prefix)}
    for path in sorted(there.difference(stated)):
        inquiry.error("statement_contradicts", path, f"evidence.json does not mention {path}")
    for path in sorted(set(stated).difference(there)):
        inquiry.error(
            "statement_contradicts", path, f"evidence.json mentions {path}, which no manifest lists"
        )
    if len(set(stated)) != len(stated):
        inquiry.error(
            "statement_contradicts", paths.STATEMENT, f"evidence.json repeats a part under {prefix}"
        )


def _check_digest(inquiry: Inquiry, path: str, digest: str, size: int) -> None:
    if path not in inquiry.actual:
        return
    if (inquiry.actual[path], inquiry.parcel.sizes[path]) != (digest, size):
        inquiry.error(
            "statement_contradicts", path, f"{path} is not what evidence.json says: SHA-256 or size differ"
        )


def _check_coverage(inquiry: Inquiry, stated: Statement) -> None:
    try:
        whole = Timespan.parse(stated.span.start, stated.span.end)
        explained: dict[str, list[Timespan]] = {camera.id: [] for camera in stated.cameras}
        for original in stated.originals:
            explained[original.camera].append(Timespan.parse(original.start, original.end))
        for gap in stated.gaps:
            explained[gap.camera].append(Timespan.parse(gap.start, gap.end))
    except (Malformed, KeyError) as error:
        inquiry.error(
            "bad_statement", paths.STATEMENT, f"evidence.json has an impossible time or camera: {error}"
        )
        return
    for camera, spans in explained.items():
        for left in SpanSet(spans).gaps_within(whole):
            inquiry.warn(
                "unexplained_stretch",
                paths.STATEMENT,
                f"camera {camera} has neither footage nor a stated gap from {format_instant(left.start)} "
                f"to {format_instant(left.end)}",
            )


def _read_leaves(inquiry: Inquiry, path: str) -> list[bytes]:
    """The lines of a part that holds leaves; what is wrong with the part as a whole is said once."""
    if path not in inquiry.manifest:
        inquiry.error("leaf_missing", path, f"{path}, with the leaves of the originals, is missing")
        return []
    try:
        return read_small(inquiry.parcel, path).split(b"\n")[:-1]
    except Malformed:
        return []  # step 2 said so


def _read_leaf(inquiry: Inquiry, part: OriginalPart, lines: list[bytes]) -> Segment | None:
    if not lines:
        return None
    try:
        data = lines[part.leaf_line - 1] if part.leaf_line <= len(lines) else b""
        leaf = leaves.decode(data)
    except Malformed as error:
        inquiry.error(
            error.code, part.leaf, f"line {part.leaf_line} of {part.leaf} is no leaf: {error.message}"
        )
        return None
    if sha256_hex(data) != part.leaf_sha256 or not isinstance(leaf, Segment):
        inquiry.error(
            "leaf_mismatch",
            part.leaf,
            f"line {part.leaf_line} of {part.leaf} is not the leaf evidence.json names for {part.path}",
        )
        return None
    return leaf


def _facts_of(leaf: Segment, part: OriginalPart) -> OriginalPart:
    """What the statement should say of an original, from its leaf."""
    return part.model_copy(
        update={
            "camera": leaf.camera,
            "recorder": leaf.recorder,
            "run": leaf.run,
            "seq": leaf.seq,
            "key": leaf.key,
            "codec": leaf.codec,
            "frames": leaf.frames,
            "start": format_instant(leaf.span.start),
            "end": format_instant(leaf.span.end),
            "ingested_at": format_instant(leaf.ingested_at),
            "clock": statement.ClockPart(
                source=leaf.clock.source,
                offset_us=leaf.clock.offset_us,
                uncertainty_us=leaf.clock.uncertainty_us,
                flags=leaf.clock.flags,
            ),
        }
    )


def check(inquiry: Inquiry) -> None:
    """Steps 4 to 6, skipped where there is no readable statement."""
    stated = inquiry.statement
    if stated is None:
        for step in (Step.ORIGINALS, Step.DERIVATION):
            inquiry.skip(step)
        return
    for step, part in (
        (Step.STATEMENT, check_statement),
        (Step.ORIGINALS, check_originals),
        (Step.DERIVATION, check_derivation),
    ):
        if step in inquiry.steps:
            inquiry.step = step
        else:
            inquiry.begin(step)
        part(inquiry, stated)
