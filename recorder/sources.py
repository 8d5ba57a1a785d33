"""A camera's source as the recorder reads it: the same reading that judges a registration."""

from archive.footage.source_url import Pattern, Source, SourceKind, parse_source

__all__ = ["Pattern", "Source", "SourceKind", "parse_source"]
