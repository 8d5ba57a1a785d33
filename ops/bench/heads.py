"""Finding the changed requests among those of many years, beside boto3's listing of all their entries."""

import time
from concurrent.futures import ThreadPoolExecutor

from archive import keys
from archive.cases.requests.transitions import ENDS
from archive.ids import new_request_id
from archive.model.request import KIND, RequestStatus
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Ledger
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.installation import on_stores
from ops.bench.peers import Boto
from ops.bench.workbench import Workbench, seconds_of

SUBJECT = "heads"
_BUCKET = "bench-heads"
_ENTRIES = 10
_OPEN = 40
_THREADS = 8
_LIMIT = 0.5


def measure(bench: Workbench) -> Findings:
    """Look at all requests, most of them closed; before each look, one is filed and another one changes."""
    began = time.monotonic()
    count, looks = (40, 5) if bench.scale.is_brief else (4000, 15)
    stores, folder = bench.stores("heads-stores"), keys.ledger_prefix(KIND)
    made = on_stores(bench.scratch("heads"), stores, _BUCKET, index=False)
    with made.site() as site:
        ledger, records = Ledger(site.stores.records, site.clock), site.stores.records
        names = [new_request_id(site.clock.now()) for _ in range(count)]
        bench.say(f"heads: {count} requests of {_ENTRIES} entries each")
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(lambda name: _fill(ledger, name, is_open=name in names[:_OPEN]), names))
        ours = StrictHeads(ledger, records, KIND, ends=ENDS)
        whole = StrictHeads(ledger, records, KIND)
        bench.say("heads: the first look, which reads every head")
        first = seconds_of(ours.refresh)
        whole.refresh()
        bench.say("heads: looking again")
        boto = Boto(stores.env()["SAKSI_TEST_MINIO_URL"])
        took: dict[str, list[float]] = {"ours": [], "whole": [], "boto3": []}
        for number in range(looks):
            _append(ledger, names[0], _ENTRIES + number, RequestStatus.SUBMITTED)
            _append(ledger, new_request_id(site.clock.now()), 0, RequestStatus.SUBMITTED)
            took["ours"].append(seconds_of(ours.refresh))
            took["whole"].append(seconds_of(whole.refresh))
            took["boto3"].append(seconds_of(lambda: boto.count_versions(f"{_BUCKET}-records", folder)))
            if ours.known != whole.known:
                raise RuntimeError(f"look {number} did not find what the listing of everything found")
    told = {name: Spread.of(samples) for name, samples in took.items()}
    peer = told["boto3"].p50
    return bench.findings(
        SUBJECT,
        "What changed among the requests of years",
        seconds=time.monotonic() - began,
        conditions=(
            f"{count} requests of {_ENTRIES} ledger entries on MinIO; all but {_OPEN} are closed. Before "
            "each look, one more is filed and another one changes, and the look reads both.",
            "boto3 lists the versions of all entries and reads none.",
        ),
        figures=(
            Figure(
                name="Look at all requests, MinIO", unit="ms", ours=told["ours"].p50 * 1e3, peer=peer * 1e3,
                peer_name="boto3 listing every entry", limit=peer * 1e3 * _LIMIT, rule="≤ 0.5 × boto3",
            ),
        ),
        tables=(
            Table(
                "Looks, ms",
                ("what", "p50", "p95", "n"),
                (
                    _row("streams that may grow alone", told["ours"]),
                    _row("every entry, and what grew", told["whole"]),
                    _row("boto3, every entry", told["boto3"]),
                    ("the first look of a process, which reads each head", short(first * 1e3), "", "1"),
                ),
            ),
        ),
    )  # fmt: skip


def _row(name: str, spread: Spread) -> tuple[str, str, str, str]:
    return name, short(spread.p50 * 1e3), short(spread.p95 * 1e3), str(spread.count)


def _fill(ledger: Ledger, name: str, *, is_open: bool) -> None:
    for number in range(_ENTRIES):
        ends = number == _ENTRIES - 1 and not is_open
        _append(ledger, name, number, RequestStatus.CLOSED if ends else RequestStatus.SUBMITTED)


def _append(ledger: Ledger, name: str, expected: int, status: RequestStatus) -> None:
    state = {"status": status.value}
    ledger.append(KIND, name, state, expected=expected, actor="os:bench", action="request.commented")
