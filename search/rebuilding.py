"""``saksi index rebuild``: a fresh index from the archive, then the switch."""

from archive.integrity.rebuild import Progress, RebuildReport, rebuild
from archive.ports import Stores
from search.index import Index


def rebuild_index(stores: Stores, index: Index, *, progress: Progress | None = None) -> RebuildReport:
    """Fill a fresh index from the archive and replace ``index`` with it.

    Readers and writers of ``index`` continue meanwhile, in every process; their writes are carried over.
    If the archive or the index stops answering, ``index`` stays unchanged.

    Raises:
        ArchiveError: as :func:`archive.integrity.rebuild.rebuild` and :meth:`search.index.Index.rebuild`.
    """
    with index.rebuild() as fresh:
        report = rebuild(stores, fresh, progress)
        fresh.mark_whole()
    return report
