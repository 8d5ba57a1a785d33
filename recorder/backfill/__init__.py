"""Backfill: what a camera kept itself while we had no footage of it.

``docs/adr/0017-backfill.md`` has the reasons.
"""
