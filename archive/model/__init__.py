"""Frozen values without I/O: cameras, segments, gaps, custody events, evidence."""
