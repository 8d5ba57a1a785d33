"""The order in which the processes of one run take the files: what takes longest begins first.

A file is what one process takes. If one that takes two minutes were begun last, the others would end two
minutes earlier and wait. Files with a test marked ``alone`` come before all: at the start nothing has to end
first.

``seconds.json`` has the files that take long. ``python -m tests.support.order OUTCOME`` writes it from what
``pytest --outcome`` wrote; the figures need not be new, for only their order counts.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.support.outcome import Outcome

TABLE = Path(__file__).with_name("seconds.json")


def in_order(files: Iterable[str], seconds: Mapping[str, float], alone: frozenset[str]) -> list[str]:
    """The files: first those with a test that runs alone, then by their seconds, the others as they came."""
    return sorted(dict.fromkeys(files), key=lambda name: (name not in alone, -seconds.get(name, 0.0)))


@pytest.hookimpl(trylast=True)  # after what is not to run was taken out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every process of a run puts the same files in the same order; a run of one process leaves them."""
    if hasattr(config, "workerinput"):
        alone = frozenset(_file_of(item) for item in items if item.get_closest_marker("alone"))
        order = in_order(map(_file_of, items), table(), alone)
        place = {name: number for number, name in enumerate(order)}
        items.sort(key=lambda item: place[_file_of(item)])


def table() -> dict[str, float]:
    """Seconds by the file, as ``seconds.json`` has them."""
    found: dict[str, float] = json.loads(TABLE.read_text("utf-8"))
    return found


def write_table(outcome: Outcome) -> None:
    """Note the slowest files of a run."""
    longest = {name: round(took) for took, name in outcome.files}
    TABLE.write_text(json.dumps(longest, indent=1) + "\n", "utf-8")


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


if __name__ == "__main__":
    write_table(Outcome.read(Path(sys.argv[1])))
