-- Indexes of the embedded index (schema.sql). A rebuild makes them last: sorting once is quicker than keeping
-- order among millions of rows.

-- One camera over time. The primary key is part of it, so coverage by run and hour is answered from it alone.
CREATE INDEX IF NOT EXISTS segments_by_camera ON segments (camera, start, until, place, size, held, uncertainty);

-- All cameras over time, in the order of pages.
CREATE INDEX IF NOT EXISTS segments_by_time ON segments (start, camera, run, seq, until, place);

-- The few that state pauses.
CREATE INDEX IF NOT EXISTS segments_paused ON segments (camera, start, until, place, pauses)
  WHERE pauses IS NOT NULL;

CREATE INDEX IF NOT EXISTS gaps_by_camera ON gaps (camera, until);

CREATE INDEX IF NOT EXISTS gaps_by_time ON gaps (until);
