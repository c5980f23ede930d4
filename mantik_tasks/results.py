"""What a run comes to."""

from __future__ import annotations

from mantik_tasks.backends.base import JobHandle, JobStatus
from mantik_tasks.frozen import FrozenModel
from mantik_tasks.tracking.connection import TrackedRun


class RunResult(FrozenModel):
    """The outcome of a run.

    Attributes:
        handle: Its last job.
        status: That job's final status.
        location: Folder or URL that the fetched files are in.
        files: Paths of the fetched files, relative to `location`.
        mlflow_run: The MLflow run, if the run was tracked.
    """

    handle: JobHandle
    status: JobStatus
    location: str
    files: tuple[str, ...] = ()
    mlflow_run: TrackedRun | None = None
