"""The count of rooms and arrows is right on a tree whose figures are known."""

from pathlib import Path

import pytest

from tests.architecture import rooms


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    texts = {
        "__init__.py": "",
        "clock.py": "",
        "records/__init__.py": "",
        "records/ledger.py": "from archive import clock\nfrom archive.evidence.seal import sign\n",
        "records/journal.py": "import archive.records.ledger\nfrom archive.clock import now\n",
        "evidence/__init__.py": "",
        "evidence/seal.py": "def late():\n    from archive.records import journal\n",
    }
    for name, text in texts.items():
        path = tmp_path / "archive" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_rooms_arrows_and_cycles_are_counted_on_each_level(tree: Path) -> None:
    found = rooms.levels(tree)
    top = found["archive"]
    assert top.rooms == {"clock", "records", "evidence"}
    assert top.arrows == {("records", "clock"), ("records", "evidence"), ("evidence", "records")}
    assert top.in_cycles() == ["evidence", "records"]
    assert found["archive.records"].arrows == {("journal", "ledger")}
    assert found["archive.records"].in_cycles() == []
    assert "| `archive` | 3 | 3 | `evidence`, `records` |" in rooms.table(tree)


def test_this_tree_has_the_rooms_of_the_contract() -> None:
    found = rooms.levels(rooms.ROOT)[rooms.TOP].rooms
    assert {"records", "footage", "lifecycle", "evidence", "cases", "integrity", "objects", "trust"} <= found
