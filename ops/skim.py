"""The job ``skim``: activity and thumbnails of held footage before anybody asks, and an orderly cache."""

from collections.abc import Callable, Mapping

from archive.footage.skim.decoding import Decoder
from archive.footage.skim.keeping import SkimKeeper
from archive.timespan import SpanSet, Timespan
from ops.wiring import Site
from recorder.binary import find_ffmpeg
from search.held import held_spans


def keeping(site: Site) -> Callable[[], int]:
    """The job of a site. Raises Unavailable without FFmpeg."""

    def held() -> Mapping[str, SpanSet]:
        return held_spans(site.index, Timespan(0, site.clock.now()))

    keeper = SkimKeeper(
        site.skimmer(Decoder(find_ffmpeg().path)),
        held,
        site.settings.skim_cache_mib << 20,
        site.clock.now,
    )
    return keeper.run
