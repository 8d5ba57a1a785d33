"""Wires the parts together: the only module that names adapters.

A :class:`Site` is one installation as its settings describe it. It makes each part at its first use, so that
``saksi verify`` needs no archive and ``saksi camera list`` needs no seal key, and closes all parts together.
"""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from archive.clock import Clock, SystemClock
from archive.footage.area_table import read_areas
from archive.footage.cameras import Registry
from archive.footage.skim.cache import SkimCache
from archive.footage.skim.decoding import Decoder
from archive.footage.skim.skimmer import Skimmer
from archive.footage.sources import SourceRule
from archive.integrity.canary import Canary
from archive.integrity.rebuild.follow import Follower
from archive.lifecycle.gate import Gate
from archive.lifecycle.holds.job import Sweeper
from archive.lifecycle.holds.service import Holds
from archive.lifecycle.retention.planner import Planner
from archive.lifecycle.retention.service import Policies
from archive.model.areas import Areas
from archive.objects.locations import FileLocation, S3Location, open_attacks, open_stores, parse_archive_url
from archive.ports import SecretBox, Stores
from archive.records.custody import CustodyWriter, new_writer_id
from archive.records.custody_report.record import CustodyRecord
from archive.records.indexed.own_writes import OwnEntries, OwnEvents
from archive.records.ledger.memory import EntryMemory
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY
from ops.index_access import opened_index
from ops.secret_box import load_or_make_secret_box
from ops.settings import Settings
from search.index import Index
from search.whole import WholeIndex
from search.wholeness import Wholeness

if TYPE_CHECKING:  # it reads PDF, and to import that takes half as long as all the rest
    from archive.cases.requests.service import Requests

FETCHERS = 16
CONNECTIONS = 64
"""Threads that use the store at the same time: fetchers, streams, uploads; each needs a connection."""


class Site:
    """One installation: its stores, index, registry, keys and jobs. Use it as a context manager."""

    def __init__(
        self, settings: Settings, clock: Clock | None = None, *, memory: EntryMemory | None = None
    ) -> None:
        """``memory`` caches ledger entries that were read from a store behind a network."""
        self.settings = settings
        self.clock = clock or SystemClock()
        self._memory = memory
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Index what this process wrote, and close all connections."""
        if "own_events" in self.__dict__:
            self.own_events.close()  # before the index, however late that was opened
        self._open.close()

    @cached_property
    def stores(self) -> Stores:
        """The three buckets."""
        return open_stores(self._location, self.clock, pool_size=CONNECTIONS)

    @cached_property
    def _location(self) -> FileLocation | S3Location:
        return parse_archive_url(self.settings.archive_url)

    @property
    def archive_folder(self) -> Path | None:
        """The folder of an archive in a folder; None for an archive behind a network."""
        return self._location.folder if isinstance(self._location, FileLocation) else None

    @cached_property
    def pool(self) -> Executor | None:
        """Threads that fetch footage in parallel from a store behind a network; None for folders."""
        if isinstance(self._location, FileLocation):
            return None
        return self._open.enter_context(ThreadPoolExecutor(FETCHERS, "fetch"))

    @cached_property
    def bare_index(self) -> Index:
        """The index that the settings name, also while it is not whole: to fill, repair and describe it."""
        index = opened_index(self.settings)
        self._open.callback(index.close)
        return index

    @cached_property
    def wholeness(self) -> Wholeness:
        """Whether the index is whole. The first recorder of a new archive must ask before it records."""
        return Wholeness(self.bare_index, self.stores, self.ledger, self.clock)

    @cached_property
    def index(self) -> Index:
        """The index for questions: it answers only while it is whole."""
        return WholeIndex(self.bare_index, self.wholeness)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger in the records bucket."""
        # Files have no version names that would distinguish one version from another.
        memory = self._memory if self.archive_folder is None else None
        return Ledger(
            self.stores.records,
            self.clock,
            lock_days=self.settings.records_lock_days,
            memory=memory,
            on_append=OwnEntries(lambda: self.bare_index, lambda: self.ledger).appended,
        )

    @cached_property
    def own_events(self) -> OwnEvents:
        """Indexes the custody events of this process as they are stored."""
        return OwnEvents(lambda: self.bare_index)

    def follower(self) -> Follower:
        """A follower of custody and ledger into the index, for one thread."""
        term = self.settings.records_lock_days * DAY
        return Follower(self.stores.records, self.bare_index, self.clock, pool=self.pool, term=term)

    @cached_property
    def secrets(self) -> SecretBox:
        """The secret box, which encrypts camera URLs."""
        return load_or_make_secret_box(self.settings.keys_dir)

    @cached_property
    def registry(self) -> Registry:
        """The camera registry."""
        return Registry(self.ledger, self.secrets, self.index, self.clock, self.source_rule, areas=self.areas)

    @cached_property
    def areas(self) -> Areas:
        """The city's kecamatan and kelurahan. Raises Malformed ``bad_areas``."""
        return read_areas(self.settings.areas_file)

    @property
    def source_rule(self) -> SourceRule:
        """The addresses that camera URLs may have, and how encrypted cameras are verified."""
        settings = self.settings
        return SourceRule(
            networks=settings.camera_networks,
            folders=settings.camera_folders,
            ca_file=settings.camera_ca_file,
            certificates=settings.spool_dir / "certificates",
        )

    @cached_property
    def policies(self) -> Policies:
        """The retention policies."""
        return Policies(
            self.ledger,
            self.stores.records,
            self.index,
            self.clock,
            floor_days=self.settings.retention_floor_days,
            wait_hours=self.settings.shortening_wait_hours,
        )

    @cached_property
    def gate(self) -> Gate:
        """The gate that lets holds and dispositions through one at a time."""
        return Gate(self.stores.cache, self.clock)

    @cached_property
    def holds(self) -> Holds:
        """The legal holds."""
        return Holds(
            self.ledger,
            self.stores.records,
            self.index,
            self.clock,
            gate=self.gate,
            max_future=self.settings.hold_max_future_days * DAY,
        )

    @cached_property
    def requests(self) -> "Requests":
        """The requests for footage."""
        from ops.requests import requests_of

        return requests_of(self)

    def hold_sweeper(self) -> Sweeper:
        """A sweep of the holds, for one thread."""
        return Sweeper(self.stores, self.ledger, self.index, self.clock, pool=self.pool)

    def skimmer(self, decoder: Decoder) -> Skimmer:
        """A skimmer of footage with this decoder; it may be shared between threads."""
        cache = SkimCache(self.stores.cache, self.clock)
        return Skimmer(self.index, self.stores.footage, cache, decoder, self.pool)

    @cached_property
    def planner(self) -> Planner:
        """The planner of retention plans."""
        return Planner(
            self.policies,
            self.ledger,
            self.stores.records,
            self.clock,
            floor_days=self.settings.retention_floor_days,
            zone=ZoneInfo(self.settings.time_zone),
        )

    @cached_property
    def custody(self) -> CustodyWriter:
        """The writer of this process's chain of custody events."""
        return CustodyWriter(
            self.stores.records,
            self.clock,
            writer=new_writer_id("host"),
            lock_days=self.settings.records_lock_days,
            on_stored=self.own_events.stored,
        )

    @cached_property
    def custody_record(self) -> CustodyRecord:
        """The custody record of all processes, for reading."""
        return CustodyRecord(self.stores, self.ledger, self.clock, self.index, settle=self.own_events.settle)

    @cached_property
    def canary(self) -> Canary:
        """The canary, with this process's account on the store."""
        return Canary(open_attacks(self._location, self.stores), self.ledger, self.clock)

    def closing(self, close: Callable[[], object]) -> None:
        """Register a function that the site calls when it closes."""
        self._open.callback(close)


def build_facts() -> dict[str, str]:
    """The name and version of this program, for packages and answers."""
    return {"name": "saksi", "version": version("saksi")}
