"""The text of ``docs/benchmarks.md``, written from the results. Pure."""

from collections.abc import Container, Sequence

from ops.bench.figures import Figure, Findings, Refusal, Table, short

_INTRODUCTION = """# Benchmarks

Measured side by side with the programs people use today, in one run on one machine. Figures of different
machines or different days are not comparable; ratios are. Less is better for every figure. Missed targets
stay in. Each subject states the machine's load before it began: on an idle machine that is below 0.3.

Written by `make bench`; `python -m ops.bench SUBJECT` measures one subject again and keeps the others. Every
figure names the commit of the program that it was measured at. † marks figures of another commit than the
newest run's: that program is not this one. A `+` means that files were changed since the commit.
"""
_MACHINE = (
    ("processor", "processor"), ("memory", "memory"), ("system", "system"), ("python", "Python"),
    ("ffmpeg", "FFmpeg"), ("mediamtx", "MediaMTX"), ("minio", "MinIO"), ("elasticsearch", "Elasticsearch"),
    ("boto3", "boto3"), ("saksi", "Saksi"), ("load", "load before the start"),
)  # fmt: skip


def page(findings: Sequence[Findings], *, drawing: str = "", refusals: Sequence[Refusal] = ()) -> str:
    """The whole page. ``drawing`` is the address of the chart of ratios, relative to the page."""
    newest = newest_commit(findings, refusals)
    parts = [_INTRODUCTION]
    if refusals:
        parts.append(_refused(refusals, {one.subject for one in findings}))
    if drawing:
        parts.append(f"![Ours as a multiple of the peer's, for every figure that has one]({drawing})\n")
    parts.append(_summary(findings, newest))
    parts += [_subject(one) for one in findings]
    return "\n".join(parts)


def newest_commit(findings: Sequence[Findings], refusals: Sequence[Refusal] = ()) -> str:
    """The commit of the newest run, whether it measured anything or not."""
    runs = [*((one.at, one.commit) for one in findings), *((one.at, one.commit) for one in refusals)]
    return max(runs, default=("", ""))[1]


def _refused(refusals: Sequence[Refusal], known: Container[str]) -> str:
    rows = [
        (
            one.subject,
            one.reason.replace("|", "\\|").replace("\n", " "),
            f"{one.at}, {_commit(one.commit)}",
            "of an earlier run" if one.subject in known else "none",
        )
        for one in refusals
    ]
    head = f"**{len(rows)} of the subjects could not be measured in their newest run.**\n\n"
    return head + _markdown(("subject", "why not", "at", "figures below"), rows)


def _commit(commit: str) -> str:
    return f"`{commit}`" if commit else "not recorded"


def _summary(findings: Sequence[Findings], newest: str) -> str:
    targeted = [figure for one in findings for figure in one.figures if figure.limit is not None]
    met = sum(figure.met is True for figure in targeted)
    head = f"**{met} of {len(targeted)} targets are met.**\n\n" if targeted else ""
    rows = [(*row(figure), measured_at(one.commit, newest)) for one in findings for figure in one.figures]
    columns = ("figure", "ours", "peer", "ours / peer", "target", "met", "commit")
    return head + _markdown(columns, rows)


def measured_at(commit: str, newest: str) -> str:
    """The commit of a figure; marked if it is another one than the newest run's, or is not known."""
    return _commit(commit) if commit and commit == newest else f"{_commit(commit)} †"


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
    lines.append(f"- {one.at}, {one.seconds} s, `{one.command}`, commit {_commit(one.commit)}. {facts}.\n")
    if one.curves:
        lines.append(f"![How each figure grows]({curves_of(one)})\n")
    lines += [_table(table) for table in one.tables]
    return "\n".join(lines)


def curves_of(one: Findings) -> str:
    """The name of the chart of a subject's curves, beside the page."""
    return f"benchmarks-{one.subject}.svg"


def _table(table: Table) -> str:
    return f"**{table.title}**\n\n{_markdown(table.columns, table.rows)}"


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = [f"| {' | '.join(columns)} |", f"| {' | '.join(['---'] * len(columns))} |"]
    return "\n".join([*head, *(f"| {' | '.join(cells)} |" for cells in rows)]) + "\n"
