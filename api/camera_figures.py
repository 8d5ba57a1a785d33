"""Metrics of the cameras' health for Prometheus; ``docs/reference/metrics.md`` is their contract."""

from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.services import Services
from archive.errors import ArchiveError
from archive.records.camera_health import CameraHealth, CameraState, counts
from archive.timespan import SECOND
from search.health import health_of


class CameraFigures(Collector):
    """Judges every camera at each scrape. Thread-safe.

    If the index does not answer or is not whole, there is no value, rather than an old one. Series per camera
    are given for at most ``settings.camera_series`` cameras: beyond it for none, so that none is missed
    silently.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Describe nothing, so that registration does not query the index."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Counts by state and cause; then, for a bounded number of cameras, series per camera."""
        services = self._services
        try:
            cameras = [one.camera for one in services.directory.cameras().values()]
            found = health_of(services.index, cameras, services.clock.now())
        except ArchiveError:
            return
        yield from _totals(found)
        left_out = len(found) > services.settings.camera_series
        omitted = GaugeMetricFamily(
            "saksi_cameras_left_out", "Cameras without series of their own, because there are too many."
        )
        omitted.add_metric((), len(found) if left_out else 0)
        yield omitted
        if not left_out:
            yield from _series(found)


def _totals(found: Sequence[CameraHealth]) -> Iterable[Metric]:
    states = GaugeMetricFamily("saksi_cameras", "Registered cameras by their state now.", labels=("state",))
    for state, number in counts(found).items():
        states.add_metric((state.value,), number)
    missed = GaugeMetricFamily(
        "saksi_cameras_missed",
        "Cameras that recorders try in vain to record, by cause.",
        labels=("cause",),
    )
    causes = Counter(one.cause for one in found if one.is_missed)
    for cause, number in sorted(causes.items()) or [("none", 0)]:
        missed.add_metric((cause,), number)
    yield from (states, missed)


def _series(found: Sequence[CameraHealth]) -> Iterable[Metric]:
    recording = GaugeMetricFamily(
        "saksi_camera_recording", "Whether footage of the camera grows now.", labels=("camera",)
    )
    lag = GaugeMetricFamily(
        "saksi_camera_lag_seconds", "Seconds since the end of its newest footage found.", labels=("camera",)
    )
    rate = GaugeMetricFamily(
        "saksi_camera_bits_per_second", "Bit rate of a recording camera's last segments.", labels=("camera",)
    )
    pictures = GaugeMetricFamily(
        "saksi_camera_pictures_per_second", "Picture rate of its last segments.", labels=("camera",)
    )
    damaged = GaugeMetricFamily(
        "saksi_camera_damaged_packets",
        "Packets that came damaged since its recorder's start.",
        labels=("camera",),
    )
    for one in found:
        name, is_recording = (one.camera.id,), one.state is CameraState.RECORDING
        recording.add_metric(name, int(is_recording))
        damaged.add_metric(name, one.damaged)
        if one.lag is not None:
            lag.add_metric(name, one.lag / SECOND)
        if is_recording and one.kbps is not None and one.mfps is not None:
            rate.add_metric(name, one.kbps * 1000)
            pictures.add_metric(name, one.mfps / 1000)
    yield from (recording, lag, rate, pictures, damaged)
