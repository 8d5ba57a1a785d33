"""``saksi index rebuild``: a fresh index from the archive, then the switch."""

from archive.integrity.rebuild import Progress, RebuildReport, rebuild
from archive.ports import Stores
from search.index import Index


def rebuild_index(stores: Stores, index: Index, *, progress: Progress | None = None) -> RebuildReport:
    """Fill a fresh index from the archive and put it in the place of ``index``.

    Readers and writers of ``index`` go on meanwhile, in every process; what they write is carried over.
    Where the archive or the index stops answering, ``index`` stays as it was.

    Raises:
        ArchiveError: as :func:`archive.integrity.rebuild.rebuild` and :meth:`search.index.Index.rebuild`.
    """
    with index.rebuild() as fresh:
        return rebuild(stores, fresh, progress)
