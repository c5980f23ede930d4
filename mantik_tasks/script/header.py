"""The part of a job script that a backend decides: Slurm's options, and where the job finds itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mantik_tasks.config.models import BackendKind, ComputeBackendConfig, Resources
from mantik_tasks.errors import ConfigError
from mantik_tasks.script.layout import task_layout

REQUEUE = "--requeue"
SLURM_KINDS = frozenset({BackendKind.SLURM, BackendKind.FIRECREST})

# They would break what the rest of this package relies on.
_OUR_OPTIONS = frozenset(
    (
        "--array",
        "-a",
        "--chdir",
        "-D",
        "--error",
        "-e",
        "--job-name",
        "-J",
        "--open-mode",
        "--output",
        "-o",
        "--wrap",
    )
)
_PLAIN_OPTION = re.compile(r"[A-Za-z0-9@%+=:,./_&|*()\[\]-]+")

_LOCAL_IDENTITY = """\
_mantik_job_id=${MANTIK_JOB_ID:-}
_mantik_directories=("${MANTIK_WORKING_DIRECTORY:-}" "$PWD")
"""
# Slurm starts the script in the run directory, but a login shell's profile may have left it since.
_SLURM_IDENTITY = """\
_mantik_job_id=${SLURM_JOB_ID:-}
_mantik_directories=("$PWD" "${OLDPWD:-}" "${SLURM_SUBMIT_DIR:-}")
"""
# Without a scheduler that gives an id, each start is a job of its own: the guard lets only one run.
_UNICORE_IDENTITY = """\
_mantik_job_id=${SLURM_JOB_ID:-${PBS_JOBID:-${LSB_JOBID:-$HOSTNAME.$$}}}
_mantik_directories=("${UC_WORKING_DIRECTORY:-}" "$PWD")
"""


def header(config: ComputeBackendConfig) -> str:
    """Return the first lines of the job script.

    Raises:
        ConfigError: If an option can't be written, or would take over one of ours.
    """
    requeue = f"_mantik_requeue={'yes' if may_requeue(config) else 'no'}\n"
    if config.backend is BackendKind.LOCAL:
        return f"#!/bin/bash\n{_LOCAL_IDENTITY}{requeue}"
    if config.backend is BackendKind.UNICORE:
        return f"#!/bin/bash -l\n{_UNICORE_IDENTITY}{requeue}"
    directives = "".join(f"{_directive(option)}\n" for option in _slurm_options(config))
    return f"#!/bin/bash -l\n{directives}{_SLURM_IDENTITY}{requeue}"


def may_requeue(config: ComputeBackendConfig) -> bool:
    """Whether a person asked that the scheduler may start the job again."""
    return config.backend in SLURM_KINDS and REQUEUE in config.resources.extra_options


def _slurm_options(config: ComputeBackendConfig) -> Iterator[str]:
    resources = config.resources
    layout = task_layout(resources)
    values = {
        "account": config.account,
        "partition": resources.queue,
        "time": _days_and_clock(resources),
        "nodes": resources.nodes,
        "ntasks": resources.total_cpus,
        "ntasks-per-node": layout.tasks_per_node,
        "cpus-per-task": layout.cpus_per_task,
        "gpus-per-node": resources.gpus_per_node or None,
        "mem": resources.memory_per_node_mib and f"{resources.memory_per_node_mib}M",
        "constraint": resources.node_constraints,
        "reservation": resources.reservation,
        "qos": resources.qos,
    }
    yield from (f"--{name}={value}" for name, value in values.items() if value is not None)
    if resources.exclusive:
        yield "--exclusive"
    if not may_requeue(config):
        yield "--no-requeue"
    yield from map(_checked_extra_option, resources.extra_options)
    yield from ("--output=slurm-%j.out", "--open-mode=append")


def _days_and_clock(resources: Resources) -> str | None:
    if resources.runtime_seconds is None:
        return None
    minutes, seconds = divmod(resources.runtime_seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}:{seconds:02}"


def _checked_extra_option(option: str) -> str:
    name = option.partition("=")[0]
    short = option[:2] if not option.startswith("--") else name
    if not option.startswith("-"):
        raise ConfigError(
            f"Resources.ExtraOptions: {option!r} is no option: write it whole, as in --mail-type=END"
        )
    if short in _OUR_OPTIONS:
        raise ConfigError(f"Resources.ExtraOptions: {short} is set by the run itself and can't be changed")
    return option


def _directive(option: str) -> str:
    """Return a line for sbatch, which takes a backslash for an escape also between quotes."""
    if not option.isprintable():
        raise ConfigError(f"Resources: {option!r} must be one line of printable characters")
    if not _PLAIN_OPTION.fullmatch(option):
        option = '"' + option.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"#SBATCH {option}"
