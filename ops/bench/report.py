"""The text of ``docs/benchmarks.md``, written from the results. Pure."""

from collections.abc import Sequence

from ops.bench.figures import Figure, Findings, Table, short

_INTRODUCTION = """# Benchmarks

Measured side by side with the programs people use today, in one run on one machine. Figures of different
machines or different days are not comparable; ratios are. Less is better for every figure. Missed targets
stay in. Each subject states the machine's load before it began: on an idle machine that is below 0.3.

Written by `make bench`; `python -m ops.bench SUBJECT` measures one subject again and keeps the others.
"""
_MACHINE = (
    ("processor", "processor"), ("memory", "memory"), ("system", "system"), ("python", "Python"),
    ("ffmpeg", "FFmpeg"), ("mediamtx", "MediaMTX"), ("minio", "MinIO"), ("elasticsearch", "Elasticsearch"),
    ("boto3", "boto3"), ("saksi", "Saksi"), ("load", "load before the start"),
)  # fmt: skip


def page(findings: Sequence[Findings], *, drawing: str = "") -> str:
    """The whole page. ``drawing`` is the address of the chart of ratios, relative to the page."""
    parts = [_INTRODUCTION]
    if drawing:
        parts.append(f"![Ours as a multiple of the peer's, for every figure that has one]({drawing})\n")
    parts.append(_summary(findings))
    parts += [_subject(one) for one in findings]
    return "\n".join(parts)


def _summary(findings: Sequence[Findings]) -> str:
    targeted = [figure for one in findings for figure in one.figures if figure.limit is not None]
    met = sum(figure.met is True for figure in targeted)
    head = f"**{met} of {len(targeted)} targets are met.**\n\n" if targeted else ""
    rows = [row(figure) for one in findings for figure in one.figures]
    columns = ("figure", "ours", "peer", "ours / peer", "target", "met")
    return head + _markdown(columns, rows)


def row(figure: Figure) -> tuple[str, ...]:
    """One line of the summary."""
    peer = "–" if figure.peer is None else f"{short(figure.peer)} ({figure.peer_name})"
    ratio = "–" if figure.ratio is None else f"**{short(figure.ratio)}**"
    target = "–"
    if figure.limit is not None:
        target = f"{figure.rule}: {short(figure.limit)}" if figure.peer is not None else figure.rule
    met = {True: "yes", False: "**no**", None: ""}[figure.met]
    return (f"{figure.name} [{figure.unit}]", short(figure.ours), peer, ratio, target, met)


def _subject(one: Findings) -> str:
    lines = [f"## {one.title}\n"]
    lines += [f"- {condition}" for condition in one.conditions]
    facts = "; ".join(f"{label} {one.machine[name]}" for name, label in _MACHINE if name in one.machine)
    lines.append(f"- {one.at}, {one.seconds} s, `{one.command}`. {facts}.\n")
    lines += [_table(table) for table in one.tables]
    return "\n".join(lines)


def _table(table: Table) -> str:
    return f"**{table.title}**\n\n{_markdown(table.columns, table.rows)}"


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = [f"| {' | '.join(columns)} |", f"| {' | '.join(['---'] * len(columns))} |"]
    return "\n".join([*head, *(f"| {' | '.join(cells)} |" for cells in rows)]) + "\n"
