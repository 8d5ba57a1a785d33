"""Steps *statement*, *originals* and *derivation*: compares ``evidence.json`` with the parts."""

from __future__ import annotations

from typing import Any

from archive.evidence.verifier import accord, canonical, leaf, schema, texts
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.container import Unreadable
from archive.evidence.verifier.derived import Clips
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.stream import ORIGINALS

PATH = "data/metadata/evidence.json"
FIRST = "urn:saksi:evidence-package:1"
"""The version that no house handed out; it could leave out what version 2 must prove."""
DERIVATIVES, DOCUMENTS = "data/derivative/", "data/documents/"
MAX_BYTES = 32 << 20
_OF_LEAF = ("camera", "recorder", "run", "seq", "key", "codec", "frames", "ingested_at", "clock")

Part = dict[str, Any]


def read(notebook: Notebook) -> None:
    """Read ``evidence.json``, which later steps need; its digest is checked with the rest of the payload."""
    notebook.begin("statement")
    if PATH not in notebook.container.sizes:
        notebook.find("statement_missing", PATH)
        return
    try:
        notebook.statement = parse(notebook.container.small(PATH))
    except Unreadable as error:
        notebook.find("unreadable_part", PATH, str(error))
    except Broken as error:
        notebook.object_to(PATH, error)


def parse(data: bytes) -> Part:
    """Parse a statement in its required form. Raises Broken ``bad_statement``, ``old_version``."""
    if len(data) > MAX_BYTES:
        raise Broken("bad_statement", "it is larger than 32 MiB; a sealer divides such a request")
    try:
        value = canonical.read(data)
        if value.get("schema") == FIRST:
            raise Broken("old_version", FIRST)
        schema.check(schema.load(), value)
        _check_plain(value)
    except (BadJson, schema.Mismatch) as error:
        raise Broken("bad_statement", str(error)) from error
    return value


def check(notebook: Notebook, clips: Clips) -> None:
    """Run the three steps; they are skipped without a readable statement."""
    stated = notebook.statement
    if stated is None:
        notebook.skip("originals")
        notebook.skip("derivation")
        return
    notebook.begin("statement")
    _check_statement(notebook, stated)
    notebook.begin("originals")
    _check_originals(notebook, stated)
    notebook.begin("derivation")
    for part in stated["derivatives"]:
        _check_clip(notebook, stated, part, clips)


def _check_plain(value: Any) -> None:
    """Check that no true, false or null occurs anywhere, the free members included."""
    if value is None or isinstance(value, bool):
        raise BadJson("it holds true, false or null")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_plain(item)


def _check_statement(notebook: Notebook, stated: Part) -> None:
    outside = notebook.info.get("External-Identifier")
    if notebook.info and outside != stated["evidence_id"]:
        notebook.find("statement_contradicts", PATH, f"bag-info.txt is about {str(outside)[:60]}")
    _check_listed(notebook, ORIGINALS, stated["originals"])
    _check_listed(notebook, DERIVATIVES, stated["derivatives"])
    _check_listed(notebook, DOCUMENTS, stated.get("documents", []))
    for part in (stated["custody"], *stated.get("documents", ())):
        if notebook.actual.get(part["path"], part["sha256"]) != part["sha256"]:
            notebook.find("statement_contradicts", part["path"], "its SHA-256 differs")
    if stated["clocks"] != _clocks(stated["originals"]):
        notebook.find("statement_contradicts", PATH, "clocks do not follow from the originals")
    if stated.get("sound", []) != _sound(stated["originals"]):
        notebook.find("statement_contradicts", PATH, "sound does not follow from the originals")
    _check_approvals(notebook, stated)
    for where, problem in texts.objections(stated):
        notebook.find("text_reads_as_another", PATH, f"{where} {problem}")
    notebook.partitioned = accord.partition(stated, lambda code, detail: notebook.find(code, PATH, detail))


def _check_listed(notebook: Notebook, prefix: str, parts: list[Part]) -> None:
    stated = [part["path"] for part in parts]
    there = {path for path in notebook.manifest if path.startswith(prefix)}
    for path in sorted(there.difference(stated)):
        notebook.find("statement_contradicts", path, "evidence.json does not mention it")
    for path in sorted(set(stated).difference(there)):
        notebook.find("statement_contradicts", path, "evidence.json mentions it, no manifest lists it")
    if len(set(stated)) != len(stated):
        notebook.find("statement_contradicts", PATH, f"it repeats a part under {prefix}")


def _clocks(originals: list[Part]) -> list[Part]:
    """The required value of ``clocks``."""
    found: dict[str, list[Part]] = {}
    for part in originals:
        found.setdefault(part["camera"], []).append(part["clock"])
    return [_clock(camera, clocks) for camera, clocks in sorted(found.items())]


def _sound(originals: list[Part]) -> list[Part]:
    """The required value of ``sound``: originals of one camera that touch and have the same sound are one."""
    found: list[Part] = []
    for part in originals:
        if "sound" not in part:
            continue
        one = {"camera": part["camera"], "from": part["from"], "to": part["to"], **part["sound"]}
        last = found[-1] if found else one
        if last is not one and last["to"] >= one["from"] and {**one, **_when(last)} == last:
            last["to"] = max(last["to"], one["to"])
        else:
            found.append(one)
    return found


def _when(part: Part) -> Part:
    return {"from": part["from"], "to": part["to"]}


def _clock(camera: str, clocks: list[Part]) -> Part:
    """The required member of one camera: a clock that was not synchronised has no bound."""
    flags = sorted({flag for clock in clocks for flag in clock["flags"]})
    bound = max(clock["uncertainty_us"] for clock in clocks)
    return {
        "camera": camera,
        "sources": sorted({clock["source"] for clock in clocks}),
        "offset_least_us": min(clock["offset_us"] for clock in clocks),
        "offset_most_us": max(clock["offset_us"] for clock in clocks),
        "flags": flags,
        **({} if "unsynchronised" in flags else {"uncertainty_us": bound}),
    }


def _check_approvals(notebook: Notebook, stated: Part) -> None:
    request, approvals = stated.get("request"), stated.get("approvals", [])
    if request is None and not approvals:
        return
    if request is None or any(one["entry_sha256"] != request["entry_sha256"] for one in approvals):
        notebook.find("approval_differs", PATH)
    elif not approvals:
        notebook.find("approval_missing", PATH, request["id"])


def _check_originals(notebook: Notebook, stated: Part) -> None:
    lines: dict[str, list[bytes]] = {}
    for part in stated["originals"]:
        _check_digest(notebook, part)
        if part["leaf"] not in lines:
            lines[part["leaf"]] = _leaf_lines(notebook, part["leaf"])
        if lines[part["leaf"]]:
            _check_original(notebook, part, lines[part["leaf"]])


def _leaf_lines(notebook: Notebook, path: str) -> list[bytes]:
    if path not in notebook.manifest:
        notebook.find("leaf_missing", path)
        return []
    try:
        return notebook.container.lines(path)
    except Unreadable as error:
        notebook.find("unreadable_part", path, str(error))
        return []


def _check_original(notebook: Notebook, part: Part, lines: list[bytes]) -> None:
    number = part["leaf_line"]
    data = lines[number - 1] if number <= len(lines) else b""
    try:
        found = leaf.read(data)
    except Broken as error:
        notebook.find(error.code, part["leaf"], f"line {number}: {error.detail}")
        return
    if canonical.sha256(data) != part["leaf_sha256"] or found.kind != "segment":
        notebook.find("leaf_mismatch", part["leaf"], f"line {number} is not the one that evidence.json names")
        return
    fields = found.fields
    if (fields["sha256"], fields["size"]) != (part["sha256"], part["size"]):
        notebook.find("leaf_mismatch", part["path"], "SHA-256 or size differ")
        return
    told = [name for name in _OF_LEAF if part[name] != fields[name]]
    if part.get("sound") != fields.get("sound"):
        told.append("sound")
    if (part["from"], part["to"]) != (fields["start"], fields["end"]):
        told.append("span")
    if part["path"].rsplit("/", 1)[-1] != fields["key"].rsplit("/", 1)[-1]:
        told.append("path")
    if told:
        notebook.find("leaf_mismatch", part["path"], f"evidence.json differs in: {', '.join(told)}")


def _check_digest(notebook: Notebook, part: Part) -> None:
    path = part["path"]
    if path in notebook.actual and (notebook.actual[path], notebook.container.sizes[path]) != (
        part["sha256"],
        part["size"],
    ):
        notebook.find("statement_contradicts", path, "its SHA-256 or size differs")


def _check_clip(notebook: Notebook, stated: Part, part: Part, clips: Clips) -> None:
    path = part["path"]
    _check_digest(notebook, part)
    if path not in notebook.actual:
        return  # missing or unreadable: reported already
    broken, follower = clips.broken.get(path), clips.followers.get(path)
    if broken is not None or follower is None:
        notebook.object_to(path, broken or Broken("bad_clip"))
        return
    originals = {original["path"] for original in stated["originals"]}
    strange = [piece.original for piece in follower.pieces if piece.original not in originals]
    if strange:
        notebook.find("bad_pieces", path, f"{strange[0]} is not an original of this package")
    elif not follower.complete:
        notebook.find("bad_pieces", path, "it names bytes of its originals that do not exist")
    elif not follower.same:
        notebook.find("clip_not_derived", path)
    else:
        _check_slices(notebook, stated, part, clips)
        _check_rebuilt(notebook, stated, part, clips)


def _check_rebuilt(notebook: Notebook, stated: Part, part: Part, clips: Clips) -> None:
    """Compare a clip and what is stated about it with what follows from its originals."""
    rebuilt = clips.rebuilding.clips.get(part["path"])
    if rebuilt is None:
        version = stated["system"].get("version", "")
        notebook.find("clip_layout_unknown", part["path"], f"layout {stated['clip_layout']}, Saksi {version}")
        return
    for code, detail in rebuilt.problems(notebook.container):
        notebook.find(code, part["path"], detail)


def _check_slices(notebook: Notebook, stated: Part, part: Part, clips: Clips) -> None:
    path = part["path"]
    for number, piece in enumerate(clips.followers[path].pieces, 1):
        if piece.is_sound and piece.slices is None:
            continue
        if piece.slices is None and not piece.readable:
            notebook.find("slices_unreadable", path, piece.original)
        elif piece.problem:
            notebook.find("slices_differ", path, f"piece {number}: {piece.problem}")
            return
    total = sum(piece["slices"]["count"] for piece in part["pieces"] if "slices" in piece)
    codecs = {original["codec"] for original in stated["originals"]}
    if part["derivation"]["slices"] != total or part["derivation"]["codec"] not in codecs:
        notebook.find("slices_differ", path, "the sum or the codec differs")
