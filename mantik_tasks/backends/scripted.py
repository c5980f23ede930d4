"""A backend that does what it is told, in memory, to try out flows without a site.

```python
backend = ScriptedBackend(states=[JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED])
backend.fail("statuses", Unreachable("the network is down"))
backend.calls  # [("find", "0123456789ab-main"), ...]
```
"""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mantik_tasks.backends.base import (
    LOG_CHUNK_BYTES,
    LOG_FILE,
    Attempt,
    Bundle,
    JobHandle,
    JobRequest,
    JobState,
    JobStatus,
    RunDirectory,
    TransferProgress,
)
from mantik_tasks.backends.patterns import wanted_files
from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.models import BackendKind
from mantik_tasks.errors import BackendError, JobNotFound, SubmitRejected, TransferError
from mantik_tasks.keys import attempt_key, split_attempt_key
from mantik_tasks.models import Intent


@dataclass
class _Job:
    number: int
    run_directory: RunDirectory
    intent: Intent
    statuses: deque[JobStatus]
    files: dict[str, bytes] = field(default_factory=dict)
    staged: bool = False
    cancelled: bool = False
    fetched: bool = False
    status: JobStatus | None = None

    @property
    def ended(self) -> bool:
        return self.status is not None and self.status.state.is_final


class ScriptedBackend:
    """A `Backend`, and a `BackendSource` that leads to itself.

    Args:
        states: What each job's status is, from one query to the next; the last one stays. A bare
            state stands for a status of that state.
        kind: The backend that it plays.
        files: Files that each job leaves in its run directory.

    Attributes:
        calls: Every call so far: the verb, and the key it was about.
        requests: What was asked for with each submission, by the attempt's key.
    """

    def __init__(
        self,
        states: Iterable[JobState | JobStatus] = (JobState.SUCCEEDED,),
        *,
        kind: BackendKind = BackendKind.LOCAL,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self.kind = kind
        self.site = "someone@scripted"
        self.base_directory = "/scripted"
        self.calls: list[tuple[str, str]] = []
        self.requests: dict[str, JobRequest] = {}
        self._next_statuses: deque[tuple[JobStatus, ...]] = deque()
        self._statuses = _as_statuses(states)
        self._files = dict(files or {})
        self._jobs: dict[str, _Job] = {}
        self._failures: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self._ids = itertools.count(1)
        self._lock = threading.RLock()

    def connect(self) -> ScriptedBackend:
        """Return this backend."""
        return self

    def config_defaults(self) -> ConfigDefaults:
        """Return no defaults."""
        return ConfigDefaults(name="scripted")

    def script_next(self, *states: JobState | JobStatus) -> None:
        """Tell what the next new job does, instead of what all jobs do."""
        self._next_statuses.append(_as_statuses(states))

    def fail(self, verb: str, *errors: Exception) -> None:
        """Let the next calls of a verb raise these errors, one each, and do nothing."""
        self._failures[verb].extend(errors)

    def write(self, key: str, path: str, content: bytes) -> None:
        """Append to a file in a run directory, as a job would."""
        with self._lock:
            files = self._jobs[key].files
            files[path] = files.get(path, b"") + content

    def find(self, run_key: str) -> tuple[Attempt, ...]:
        """Return the attempts that were staged, by number."""
        with self._lock:
            self._called("find", run_key)
            jobs = [job for key, job in self._jobs.items() if split_attempt_key(key)[0] == run_key]
            return tuple(_attempt(job) for job in sorted(jobs, key=lambda job: job.number))

    def stage(self, bundle: Bundle, key: str, progress: TransferProgress) -> RunDirectory:
        """Keep the bundle's files in memory."""
        with self._lock:
            self._called("stage", key)
            job = self._jobs.get(key) or self._new_job(key, bundle.intent)
            if isinstance(job.run_directory, JobHandle):
                raise TransferError(f"{key}: its job has been submitted; its files stay as they are")
            for file in bundle.files:
                with file.open() as content:
                    job.files[file.path] = content.read()
                progress.advance(files=1, size_bytes=len(job.files[file.path]))
            job.staged = True
            return job.run_directory

    def submit(self, request: JobRequest, run_directory: RunDirectory) -> JobHandle:
        """Give the attempt a job id; again, the same one."""
        with self._lock:
            self._called("submit", run_directory.key)
            job = self._job(run_directory)
            if isinstance(job.run_directory, JobHandle):
                return job.run_directory
            run_key, _ = split_attempt_key(run_directory.key)
            if any(
                other.cancelled for key, other in self._jobs.items() if split_attempt_key(key)[0] == run_key
            ):
                raise SubmitRejected(f"The run {run_key} was cancelled; start a new run instead.")
            if not job.staged:
                raise JobNotFound(f"{run_directory.key}: not all files of the attempt were staged")
            handle = JobHandle(**dict(job.run_directory), job_id=str(next(self._ids)))
            job.run_directory = handle
            job.files |= self._files
            self.requests[run_directory.key] = request
            return handle

    def statuses(self, handles: Sequence[JobHandle]) -> dict[JobHandle, JobStatus]:
        """Return the next status of each job."""
        with self._lock:
            self._called("statuses", *(handle.key for handle in handles))
            return {handle: _advance(self._job(handle)) for handle in handles}

    def read_logs(self, offsets: Mapping[JobHandle, int]) -> dict[JobHandle, bytes]:
        """Return what each log holds from its offset on."""
        with self._lock:
            self._called("read_logs", *(handle.key for handle in offsets))
            return {
                handle: self._job(handle).files.get(LOG_FILE, b"")[offset : offset + LOG_CHUNK_BYTES]
                for handle, offset in offsets.items()
            }

    def finish(self, handle: JobHandle) -> None:
        """Do nothing."""
        with self._lock:
            self._called("finish", handle.key)

    def fetch(
        self, handle: JobHandle, patterns: Sequence[str], target: Path, progress: TransferProgress
    ) -> tuple[str, ...]:
        """Write files that match the patterns into `target`."""
        with self._lock:
            self._called("fetch", handle.key)
            job = self._job(handle)
            wanted = wanted_files(patterns)
            found = {path: content for path, content in sorted(job.files.items()) if wanted(path)}
            for path, content in found.items():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).write_bytes(content)
                progress.advance(files=1, size_bytes=len(content))
            job.fetched = True
            return tuple(found)

    def cancel(self, run_directories: Sequence[RunDirectory]) -> None:
        """Let jobs be cancelled from the next query on, unless they have ended."""
        with self._lock:
            self._called("cancel", *(run_directory.key for run_directory in run_directories))
            for run_directory in run_directories:
                job = self._job(run_directory)
                job.cancelled = True
                if not job.ended:
                    job.statuses = deque([JobStatus(state=JobState.CANCELLED)])

    def remove(self, run_directory: RunDirectory) -> None:
        """Forget an attempt."""
        with self._lock:
            self._called("remove", run_directory.key)
            job = self._jobs.get(run_directory.key)
            if job is not None and isinstance(job.run_directory, JobHandle) and not job.ended:
                raise BackendError(f"{run_directory.key}: the job has not ended; cancel it first")
            self._jobs.pop(run_directory.key, None)

    def _new_job(self, key: str, intent: Intent) -> _Job:
        run_key, number = split_attempt_key(key)
        path = f"{self.base_directory}/mantik-runs/{attempt_key(run_key, number)}"
        run_directory = RunDirectory(backend=self.kind, site=self.site, path=path, key=key)
        statuses = self._next_statuses.popleft() if self._next_statuses else self._statuses
        self._jobs[key] = _Job(number, run_directory, intent, deque(statuses))
        return self._jobs[key]

    def _job(self, run_directory: RunDirectory) -> _Job:
        if run_directory.key not in self._jobs:
            raise JobNotFound(f"{run_directory.path} does not exist")
        return self._jobs[run_directory.key]

    def _called(self, verb: str, *keys: str) -> None:
        self.calls.extend((verb, key) for key in keys)
        if self._failures[verb]:
            raise self._failures[verb].popleft()


def _as_statuses(states: Iterable[JobState | JobStatus]) -> tuple[JobStatus, ...]:
    return tuple(state if isinstance(state, JobStatus) else JobStatus(state=state) for state in states)


def _advance(job: _Job) -> JobStatus:
    job.status = job.statuses.popleft() if len(job.statuses) > 1 else job.statuses[0]
    return job.status


def _attempt(job: _Job) -> Attempt:
    return Attempt(
        number=job.number,
        run_directory=job.run_directory,
        intent=job.intent,
        staged=job.staged,
        cancelled=job.cancelled,
        fetched=job.fetched,
        status=job.status if job.ended else None,
    )
