-- The embedded index: one SQLite database in WAL mode (docs/design: index).
--
-- This is not the record. The database can be deleted at any time and rebuilt from the archive, so it
-- has no migrations: a database of another user_version is refused with the advice to rebuild.
--
-- Conventions. Times are µs of UTC since 1970. Spans are half-open: [start, until). Tables are STRICT, so
-- that a wrong type is an error at the write and not a surprise at the read.

-- Where cameras stood. A camera moves rarely and records thousands of segments a day, so a place has its
-- own row, and every geographic filter is evaluated over a few thousand rows before any segment is read.
CREATE TABLE places (
  id         INTEGER PRIMARY KEY,
  lat        REAL NOT NULL,                -- degrees, WGS 84
  lon        REAL NOT NULL,
  kecamatan  TEXT NOT NULL,                -- area codes such as 73.71.13
  kelurahan  TEXT NOT NULL,
  owner      TEXT NOT NULL,                -- archive.model.camera.OwnerKind
  UNIQUE (lat, lon, kecamatan, kelurahan, owner)
) STRICT;

-- Which cameras ever recorded where: turns a place filter into a list of cameras.
CREATE TABLE camera_places (
  place   INTEGER NOT NULL REFERENCES places (id),
  camera  TEXT NOT NULL,
  PRIMARY KEY (place, camera)
) STRICT, WITHOUT ROWID;

-- One row per segment: archive.model.segment.SegmentRef, its recorder, and its place as it was then (NULL
-- where unknown; such a segment passes no place filter). The object's name follows from the columns.
CREATE TABLE segments (
  run             TEXT NOT NULL,
  seq             INTEGER NOT NULL,
  camera          TEXT NOT NULL,
  start           INTEGER NOT NULL,
  until           INTEGER NOT NULL CHECK (until > start),
  place           INTEGER REFERENCES places (id),
  recorder        TEXT NOT NULL,
  media_duration  INTEGER NOT NULL,        -- ticks of 1/90000 s
  sha256          BLOB NOT NULL CHECK (length(sha256) = 32),
  size            INTEGER NOT NULL,        -- bytes
  header_bytes    INTEGER NOT NULL,        -- offset of the first sample byte
  codec           TEXT NOT NULL,
  gop             TEXT NOT NULL,
  uncertainty     INTEGER,                 -- µs, as the leaf states it; NULL: its clock was unsynchronised
  version         TEXT,                    -- the object's version id, '' while unknown, NULL where it is the
                                           -- SHA-256 itself, as it is in the file system store
  held            INTEGER NOT NULL CHECK (held IN (0, 1)),
  pauses          TEXT,                    -- JSON, as the leaf states them; NULL: none
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

-- Gaps as recorded. An open gap is recorded again each hour with a later end; the later end counts.
CREATE TABLE gaps (
  gap          TEXT PRIMARY KEY,
  camera       TEXT NOT NULL,
  recorder     TEXT NOT NULL,
  start        INTEGER NOT NULL,
  until        INTEGER NOT NULL CHECK (until > start),
  cause        TEXT NOT NULL,              -- archive.model.gap.GapCause
  ingested_at  INTEGER NOT NULL,
  place        INTEGER REFERENCES places (id)
) STRICT, WITHOUT ROWID;

-- Coverage per camera and UTC hour, computed from segments and gaps; an hour in stale_hours must be computed
-- again. place is the place of all records in the hour, NULL if unknown; mixed is 1 if they have several.
CREATE TABLE hours (
  camera    TEXT NOT NULL,
  hour      INTEGER NOT NULL,              -- its start
  covered   INTEGER NOT NULL,              -- µs
  bytes     INTEGER NOT NULL,              -- bytes, segments and held count the segments that start in it
  segments  INTEGER NOT NULL,
  held      INTEGER NOT NULL,
  gaps      TEXT NOT NULL,                 -- JSON: µs by cause
  place     INTEGER REFERENCES places (id),
  mixed     INTEGER NOT NULL CHECK (mixed IN (0, 1)),
  PRIMARY KEY (camera, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE stale_hours (
  camera  TEXT NOT NULL,
  hour    INTEGER NOT NULL,
  PRIMARY KEY (camera, hour)
) STRICT, WITHOUT ROWID;

-- Finished runs, with the reason for their end.
CREATE TABLE runs (
  run          TEXT PRIMARY KEY,
  camera       TEXT NOT NULL,
  recorder     TEXT NOT NULL,
  start        INTEGER NOT NULL,
  until        INTEGER NOT NULL,
  segments     INTEGER NOT NULL,
  reason       TEXT NOT NULL,              -- archive.model.gap.RunEnd
  ingested_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The latest end of any segment or gap ever added, per camera. It outlives segments that are disposed of.
CREATE TABLE high_waters (
  camera  TEXT PRIMARY KEY,
  until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest state of every ledger stream; an older version never replaces a newer one.
CREATE TABLE documents (
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  version  INTEGER NOT NULL,
  state    TEXT NOT NULL,                  -- JSON
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- What is written down (archive.ports.Record), and an inverted index over its terms. Kinds and terms are numbers
-- there, and a record is named by its own number, so that six terms of ten million custody events stay small.
CREATE TABLE record_kinds (
  kind  INTEGER PRIMARY KEY,
  name  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE terms (
  term  INTEGER PRIMARY KEY,               -- from 1
  word  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE records (
  record        INTEGER PRIMARY KEY,
  kind          INTEGER NOT NULL REFERENCES record_kinds (kind),
  at            INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  touches_from  INTEGER,                   -- both NULL where it is not known what the record touches
  touches_to    INTEGER,
  terms         BLOB NOT NULL,             -- numbers of its terms, ascending, each of 4 bytes, least first
  id            TEXT NOT NULL,             -- unique in its kind: search.sqlite.record_rows makes that index
  body          TEXT NOT NULL              -- JSON
) STRICT;

-- One row per record and term, and one with term 0 per record: all of its kind. hour and hours are the UTC hours
-- that it touches, the first and how many follow it, NULL as above: most records are ruled out by them.
CREATE TABLE record_terms (
  kind    INTEGER NOT NULL,
  term    INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  record  INTEGER NOT NULL,
  hour    INTEGER,
  hours   INTEGER,
  PRIMARY KEY (kind, term, at, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_marks (
  name    TEXT NOT NULL,
  key     TEXT NOT NULL,
  number  INTEGER NOT NULL,
  PRIMARY KEY (name, key)
) STRICT, WITHOUT ROWID;

-- Each recorder's last journal batch in the index, and its last heartbeat.
CREATE TABLE cursors (
  recorder  TEXT PRIMARY KEY,
  batch     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE heartbeats (
  recorder  TEXT PRIMARY KEY,
  at        INTEGER NOT NULL,
  state     TEXT NOT NULL                  -- JSON
) STRICT, WITHOUT ROWID;

-- One row if the index holds the whole archive: a rebuild that ended, or a new archive, sets it.
CREATE TABLE whole (
  one  INTEGER PRIMARY KEY CHECK (one = 1)
) STRICT;

-- When the index was last compared with the journals and lacked nothing. An old copy has an old one.
CREATE TABLE compared (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  at   INTEGER NOT NULL
) STRICT;

-- The progress of the rebuild that fills this database, and the machine start during which it ran; a database
-- in use has no row.
CREATE TABLE rebuild_state (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  boot   TEXT NOT NULL,
  state  TEXT NOT NULL                     -- JSON
) STRICT;

-- While a rebuild fills another database, writes to this one are also noted in order, and replayed there
-- before the switch. rebuilds has at most one row: the newest rebuild, by the name of its database.
CREATE TABLE rebuilds (
  generation  TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE late (
  n     INTEGER PRIMARY KEY,
  kind  TEXT NOT NULL,                     -- as in search.sqlite.late
  body  TEXT NOT NULL                      -- JSON
) STRICT;
