"""Printed documents: A4 pages of text, tables, pictures and drawings as PDF.

The same content gives the same bytes. :mod:`~archive.documents.pages` fills pages from the top,
:mod:`~archive.documents.panel` is a frame to draw in, :mod:`~archive.documents.fonts` holds the fonts, which
are embedded in every document, and :mod:`~archive.documents.indonesian` writes numbers, sizes and times the
Indonesian way. ReportLab makes the PDF.
"""
