"""The backend that runs jobs as plain processes on this host, with a site's manners."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from mantik_tasks.backends.base import (
    LOG_CHUNK_BYTES,
    LOG_FILE,
    Attempt,
    Bundle,
    JobHandle,
    JobRequest,
    JobStatus,
    RunDirectory,
    TransferProgress,
)
from mantik_tasks.backends.local import (
    cancelling,
    fetching,
    finishing,
    layout,
    observation,
    staging,
    submission,
)
from mantik_tasks.backends.local.children import GRACE_SECONDS
from mantik_tasks.backends.local.folders import RunFolders, read_intent, reading
from mantik_tasks.backends.local.processes import processes_by_job
from mantik_tasks.backends.local.records import read_record
from mantik_tasks.backends.local.removing import remove
from mantik_tasks.config.models import BackendKind
from mantik_tasks.errors import BackendError, JobNotFound, TransferError


class LocalBackend:
    """Jobs on this host.

    Args:
        base_directory: Folder below which run directories are made; `~` is the home directory.
        max_concurrent_jobs: How many jobs may run at once; others wait.
    """

    kind = BackendKind.LOCAL

    def __init__(self, base_directory: str, max_concurrent_jobs: int) -> None:
        self.site = f"{_user_name()}@{os.uname().nodename}"
        base = Path(os.path.abspath(os.path.expanduser(base_directory)))  # noqa: PTH100, PTH111 - `..` is resolved too
        self.base_directory = str(base)
        self._folders = RunFolders(self.site, base)
        self._limit = max_concurrent_jobs

    def find(self, run_key: str) -> tuple[Attempt, ...]:
        """Return the attempts of a run, by number."""
        job_processes = _look_once()
        with reading(f"{self._folders.runs} on {self.site} can't be read"):
            found = (
                self._attempt(number, path, job_processes)
                for number, path in self._folders.attempts(run_key)
                if not path.is_symlink()
            )
            return tuple(attempt for attempt in found if attempt is not None)

    def stage(self, bundle: Bundle, key: str, progress: TransferProgress) -> RunDirectory:
        """Bring every file of the bundle into the run directory of attempt `key`, verified."""
        with reading(f"staging {key} on {self.site}", TransferError):
            staging.stage(self._folders.create(key), bundle, progress)
        return self._folders.locate(key)

    def submit(self, request: JobRequest, run_directory: RunDirectory) -> JobHandle:
        """Start the job's supervisor, or return the handle of the job that was submitted before."""
        with reading(f"submitting {run_directory.key} on {self.site}"):
            path = self._folders.existing_path(run_directory)
            record = submission.submit(self._folders, path, request, self._limit)
        return self._folders.handle(run_directory.key, record)

    def statuses(self, handles: Sequence[JobHandle]) -> dict[JobHandle, JobStatus]:
        """Return the status of each handle."""
        job_processes = _look_once()
        with reading(f"{self._folders.runs} on {self.site} can't be read"):
            # Without this folder nothing is known: perhaps the file system is not there.
            self._folders.require()
            return {
                handle: observation.status(self._folders.own_path(handle), handle, job_processes)
                for handle in handles
            }

    def read_logs(self, offsets: Mapping[JobHandle, int]) -> dict[JobHandle, bytes]:
        """Return what each log holds from its offset on."""
        with reading(f"{self._folders.runs} on {self.site} can't be read"):
            self._folders.require()
            return {
                handle: layout.read_file(self._folders.own_path(handle) / LOG_FILE, offset, LOG_CHUNK_BYTES)
                or b""
                for handle, offset in offsets.items()
            }

    def finish(self, handle: JobHandle) -> None:
        """Run the login-node commands that follow a success, once."""
        with reading(f"login-node commands of {handle.key} on {self.site}"):
            finishing.finish(self._folders.existing_path(handle))

    def fetch(
        self, handle: JobHandle, patterns: Sequence[str], target: Path, progress: TransferProgress
    ) -> tuple[str, ...]:
        """Copy files that match gitignore-style patterns into `target`; return their paths."""
        with reading(f"fetching {handle.key} from {self.site}", TransferError):
            return fetching.fetch(self._folders.existing_path(handle), patterns, target, progress)

    def cancel(self, run_directories: Sequence[RunDirectory]) -> None:
        """Mark attempts as cancelled and tell their supervisors, if there are any."""
        missing = []
        for run_directory in run_directories:
            path = self._folders.own_path(run_directory)
            with reading(f"cancelling {run_directory.key} on {self.site}"):
                if path.is_dir():
                    cancelling.cancel(path)
                else:
                    missing.append(str(path))
        if missing:
            raise JobNotFound(f"there is nothing to cancel on {self.site} at {', '.join(missing)}")

    def remove(self, run_directory: RunDirectory) -> None:
        """Delete a run directory, and nothing else."""
        path = self._folders.own_path(run_directory)
        with reading(f"removing {run_directory.key} on {self.site}"):
            if path.is_dir():
                self._wait_for_processes(path)
            remove(path)

    def _attempt(self, number: int, path: Path, job_processes: observation.JobProcesses) -> Attempt | None:
        intent = read_intent(path)
        if intent is None:
            return None
        record = read_record(path)
        handle = None if record is None else self._folders.handle(path.name, record)
        status = None if handle is None else observation.status(path, handle, job_processes)
        return Attempt(
            number=number,
            run_directory=handle or self._folders.locate(path.name),
            intent=intent,
            staged=(path / layout.STAGED).exists(),
            cancelled=(path / layout.CANCELLED).exists(),
            fetched=(path / layout.FETCHED).exists(),
            status=status if status is not None and status.state.is_final else None,
        )

    def _wait_for_processes(self, path: Path) -> None:
        """Let the supervisor of a job that is done tidy up; others must not lose their folder."""
        deadline = time.monotonic() + GRACE_SECONDS
        while (seen := observation.observe(path, processes_by_job)) is not None and seen.alive:
            if not seen.done or time.monotonic() > deadline:
                raise BackendError(f"{path}: the job has not ended; cancel it first")
            time.sleep(0.1)


def _look_once() -> observation.JobProcesses:
    """Return a function that looks through the processes of this host at most once."""
    return cache(processes_by_job)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
