"""Skimming: what a camera's keyframes alone show of ten minutes, an hour or a day.

One lazy pass reads only keyframes, decodes them confined and small, and makes two things of each ten minutes:
a sheet of thumbnails for scrubbing, and the activity of a coarse grid of cells. Both are viewing copies: kept
at most in the cache bucket, never the exhibit, and gone with the footage. Nobody is identified: a cell says
that something changed there, not what. ``docs/design/skim.md`` has the rules.
"""
