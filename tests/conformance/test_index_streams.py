"""What was made from a ledger stream leaves both indices together with it."""

from archive.ports import RecordQuery
from search.index import Index
from tests.support.indexes import IndexUnderTest
from tests.support.written import ids, record


def test_a_stream_that_is_removed_takes_its_documents_along(under_test: IndexUnderTest) -> None:
    index, elsewhere = under_test.index, under_test.reopened()

    def fill(one: Index) -> None:
        for kind in ("camera", "camera_stay", "hold"):
            for name in ("cam-1", "cam-2"):
                one.put_document(kind, name, 3, {"name": "Andi"})
        one.put_records([record(name, 1, kind="camera") for name in ("cam-1", "cam-2")])

    def left(one: Index) -> dict[str, list[str]]:
        return {
            kind: [known.id for known in one.documents(kind)] for kind in ("camera", "camera_stay", "hold")
        }

    fill(index)
    elsewhere.remove_streams("camera", ["cam-1", "unknown", ""])
    elsewhere.remove_streams("camera", ["cam-1"])
    expected = {"camera": ["cam-2"], "camera_stay": ["cam-2"], "hold": ["cam-1", "cam-2"]}
    assert (left(index), ids(index, RecordQuery(kind="camera"))) == (expected, ["cam-2"])
    assert index.document("camera", "cam-1") is None
    with index.rebuild() as fresh:
        fill(fresh)  # it read the archive before
        elsewhere.remove_streams("camera", ["cam-1"])
        fresh.loaded()
    for one in (index, elsewhere):
        assert (left(one), ids(one, RecordQuery(kind="camera"))) == (expected, ["cam-2"])
    elsewhere.close()
