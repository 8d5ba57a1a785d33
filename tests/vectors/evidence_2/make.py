"""Makes the golden packages of this folder: ``python -m tests.vectors.evidence_2.make FOLDER``.

Each is a tiny package of version 2 with synthetic footage, sealed by keys that are thrown away. Everything in
them but keys, signatures and stamps is the same each time; their journal batches have version 1.
``expected.json`` says what a verifier must find. A verifier of version 2 must accept them for ever, so they
are made anew only with a new version.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from archive.timespan import format_instant
from archive.trust import certificates
from ops import keys
from tests.support.journals import encode_1
from tests.support.packages import World, a_request, make_world

NAMES = ("footage-h264", "footage-hevc-request", "no-footage")


def worlds(folder: Path) -> dict[str, World]:
    """The installations and plans, by the name of the package."""
    small = {"segments": 2, "segment_size": 400, "encode": encode_1}
    return {
        "footage-h264": make_world(folder / "1", cameras=("cam-1", "cam-2"), **small),  # type: ignore[arg-type]
        "footage-hevc-request": make_world(folder / "2", codec="hevc", request=a_request(), **small),  # type: ignore[arg-type]
        "no-footage": make_world(folder / "3", **small).of_nothing(),  # type: ignore[arg-type]
    }


def write(world: World, out: Path, name: str) -> dict[str, Any]:
    """Write a package's ZIP and root; what a verifier must find."""
    world.zip(out / f"{name}.zip")
    shutil.copyfile(world.keys / "root.pem", out / f"{name}.root.pem")
    result = world.verify(out / f"{name}.zip")
    log = keys.load_log_signer(world.keys, clock=world.clock)
    return {
        "valid": result.valid,
        "evidence_id": result.fact("evidence_id", ""),
        "tagmanifest_sha256": result.tagmanifest_sha256,
        "signer_sha256": result.signer_sha256,
        "log_sha256": certificates.fingerprint(log.certificate),
        "gen_time": None if result.gen_time is None else format_instant(result.gen_time),
        "steps": dict(result.steps),
        "findings": [finding.code for finding in result.findings],
    }


def make(out: Path) -> None:
    """Write ZIPs, roots and ``expected.json`` into ``out``."""
    with tempfile.TemporaryDirectory() as folder:
        expected = {name: write(world, out, name) for name, world in worlds(Path(folder)).items()}
    (out / "expected.json").write_text(json.dumps(expected, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
