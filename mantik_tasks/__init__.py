"""Run MLflow projects on supercomputers from Prefect.

Six tasks that compose into flows, and `run_project()`, which composes them. Names are imported when
they are first used, so that the command line does not wait for Prefect.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mantik_tasks.version import __version__

if TYPE_CHECKING:
    from mantik_tasks.backends.base import (
        Accounting,
        Backend,
        BackendSource,
        JobHandle,
        JobState,
        JobStatus,
        Reason,
        RunDirectory,
    )
    from mantik_tasks.backends.local.connection import LocalConnection
    from mantik_tasks.command import build_command
    from mantik_tasks.config.models import ComputeBackendConfig
    from mantik_tasks.errors import (
        AuthenticationError,
        BackendError,
        ConfigError,
        JobFailed,
        JobNotFound,
        MantikError,
        SubmitRejected,
        TransferError,
        Unreachable,
    )
    from mantik_tasks.fetch import fetch_artifacts
    from mantik_tasks.hooks import cancel_jobs
    from mantik_tasks.models import JobScript, RunSpec
    from mantik_tasks.poll import poll_job
    from mantik_tasks.results import RunResult
    from mantik_tasks.run import run_project
    from mantik_tasks.stage import stage_files
    from mantik_tasks.submit import submit_job
    from mantik_tasks.tracking.connection import MlflowConnection, TrackedRun
    from mantik_tasks.validate import validate_config

_HOMES = {
    "mantik_tasks.backends.base": (
        "Accounting",
        "Backend",
        "BackendSource",
        "JobHandle",
        "JobState",
        "JobStatus",
        "Reason",
        "RunDirectory",
    ),
    "mantik_tasks.backends.local.connection": ("LocalConnection",),
    "mantik_tasks.command": ("build_command",),
    "mantik_tasks.config.models": ("ComputeBackendConfig",),
    "mantik_tasks.errors": (
        "AuthenticationError",
        "BackendError",
        "ConfigError",
        "JobFailed",
        "JobNotFound",
        "MantikError",
        "SubmitRejected",
        "TransferError",
        "Unreachable",
    ),
    "mantik_tasks.fetch": ("fetch_artifacts",),
    "mantik_tasks.hooks": ("cancel_jobs",),
    "mantik_tasks.models": ("JobScript", "RunSpec"),
    "mantik_tasks.poll": ("poll_job",),
    "mantik_tasks.results": ("RunResult",),
    "mantik_tasks.run": ("run_project",),
    "mantik_tasks.stage": ("stage_files",),
    "mantik_tasks.submit": ("submit_job",),
    "mantik_tasks.tracking.connection": ("MlflowConnection", "TrackedRun"),
    "mantik_tasks.validate": ("validate_config",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Accounting",
    "AuthenticationError",
    "Backend",
    "BackendError",
    "BackendSource",
    "ComputeBackendConfig",
    "ConfigError",
    "JobFailed",
    "JobHandle",
    "JobNotFound",
    "JobScript",
    "JobState",
    "JobStatus",
    "LocalConnection",
    "MantikError",
    "MlflowConnection",
    "Reason",
    "RunDirectory",
    "RunResult",
    "RunSpec",
    "SubmitRejected",
    "TrackedRun",
    "TransferError",
    "Unreachable",
    "__version__",
    "build_command",
    "cancel_jobs",
    "fetch_artifacts",
    "poll_job",
    "run_project",
    "stage_files",
    "submit_job",
    "validate_config",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
