"""The page that sums up a run."""

from __future__ import annotations

from datetime import datetime

from mantik_tasks.backends.base import JobStatus
from mantik_tasks.config.quantities import format_runtime
from mantik_tasks.models import RunSpec
from mantik_tasks.results import RunResult


def summary_markdown(spec: RunSpec, result: RunResult) -> str:
    """Return a run's summary as Markdown: what ran where, how it ended, what it used, where it is."""
    status = result.status
    parts = [
        f"# {_escaped(spec.project.name)}: {_escaped(spec.entry_point)}",
        _sentence(status),
        _table("Run", _run_rows(spec, result)),
        _table("Time", _time_rows(status)),
        _table("Resources", _resource_rows(spec, status), ("", "asked", "used")),
        _table("Parameters", [(name, _code(value)) for name, value in spec.parameters.items()]),
        _table("Files", [(_code(name),) for name in result.files[:50]], (f"in {result.location}",)),
        "\n".join(["## Warnings", *(f"- {_escaped(warning)}" for warning in spec.warnings)])
        if spec.warnings
        else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sentence(status: JobStatus) -> str:
    details = [
        status.reason,
        None if status.exit_code is None else f"exit code {status.exit_code}",
        status.message,
    ]
    text = ", ".join(_escaped(str(detail)) for detail in details if detail)
    return f"**{status.state}**" + (f" ({text})" if text else "")


def _run_rows(spec: RunSpec, result: RunResult) -> list[tuple[str, ...]]:
    mlflow_run = result.mlflow_run
    commit = spec.project.commit
    rows = [
        ("Project", _code(spec.project.source)),
        ("Commit", _code(commit + (" and changes" if spec.project.dirty else "")) if commit else ""),
        ("Config", _code(spec.config_source)),
        ("Site", f"{_escaped(result.handle.site)} ({result.handle.backend})"),
        ("Job", _code(result.handle.job_id)),
        ("Nodes", _escaped(", ".join(result.status.nodes))),
        ("Run directory", _code(result.handle.path)),
        ("MLflow run", f"[{mlflow_run.run_id}]({mlflow_run.url})" if mlflow_run and mlflow_run.url else ""),
    ]
    return [row for row in rows if row[1]]


def _time_rows(status: JobStatus) -> list[tuple[str, ...]]:
    rows = [
        ("Submitted", _time(status.submitted_at)),
        ("Started", _time(status.started_at)),
        ("Ended", _time(status.ended_at)),
    ]
    return [row for row in rows if row[1]]


def _resource_rows(spec: RunSpec, status: JobStatus) -> list[tuple[str, ...]]:
    asked, used = spec.config.resources, status.accounting
    elapsed = used.elapsed_seconds if used else None
    rows = [
        ("Time", format_runtime(asked.runtime_seconds) if asked.runtime_seconds else "", _seconds(elapsed)),
        ("CPU time", "", _seconds(used.cpu_seconds if used else None)),
        (
            "Memory",
            f"{asked.memory_per_node_mib} MiB a node" if asked.memory_per_node_mib else "",
            f"{used.max_rss_mib:.0f} MiB" if used and used.max_rss_mib is not None else "",
        ),
    ]
    return [row for row in rows if row[1] or row[2]]


def _table(title: str, rows: list[tuple[str, ...]], head: tuple[str, ...] | None = None) -> str:
    if not rows:
        return ""
    head = head or ("",) * len(rows[0])
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join([f"## {title}", "", *("| " + " | ".join(line) + " |" for line in lines)])


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S %Z").strip()


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def _escaped(text: str) -> str:
    """Return text that neither breaks out of a table cell nor becomes markup."""
    flat = " ".join(text.split())
    return "".join(f"\\{character}" if character in "\\`*_[]<>|" else character for character in flat)


def _code(text: str) -> str:
    """Return text as code in a table cell."""
    flat = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return f"`{flat}`" if flat else ""
