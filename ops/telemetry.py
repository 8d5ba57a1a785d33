"""Logs: structured lines on stderr, for people on a terminal and as JSON elsewhere.

The log holds codes, camera ids and counts. URLs, tokens and purposes are never logged.
"""

import sys
from typing import Any, cast

import structlog


def stderr_log() -> Any:
    """A structlog logger on stderr; nothing global is configured."""
    to_terminal = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=to_terminal)
        if to_terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            cast(Any, renderer),
        ],
        wrapper_class=structlog.BoundLogger,
    )
