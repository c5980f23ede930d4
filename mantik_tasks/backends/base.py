"""What every backend is: one small Protocol, the states it tells, and the handles it gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from pydantic import Field, SecretStr

from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.models import BackendKind
from mantik_tasks.errors import BackendError
from mantik_tasks.frozen import FrozenModel
from mantik_tasks.models import Intent

LOG_FILE = "mantik.log"
PRIVATE_FOLDER = ".mantik"
LOG_CHUNK_BYTES = 256 * 1024


class JobState(StrEnum):
    """The states of a job, the same on every backend."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"

    @property
    def is_final(self) -> bool:
        """Whether a job in this state stays in it."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class Reason(StrEnum):
    """Why a job is in its state."""

    EXIT_CODE = "EXIT_CODE"
    LOGIN_COMMAND = "LOGIN_COMMAND"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    NODE_FAILURE = "NODE_FAILURE"
    PREEMPTED = "PREEMPTED"
    REJECTED = "REJECTED"
    LOST = "LOST"


class Accounting(FrozenModel):
    """What a job used. Absent where the site does not say."""

    elapsed_seconds: float | None = None
    cpu_seconds: float | None = None
    max_rss_mib: float | None = None


class JobStatus(FrozenModel):
    """A job's state and what the site tells about it.

    Attributes:
        state: The state.
        reason: Why, for states that need one.
        exit_code: Exit code of the job script, once known.
        native_state: The site's own word for the state.
        pending_reason: Why a queued job waits, in the site's words.
        message: What a person should read about it.
    """

    state: JobState
    reason: Reason | None = None
    exit_code: int | None = None
    native_state: str = ""
    pending_reason: str | None = None
    message: str | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    nodes: tuple[str, ...] = ()
    accounting: Accounting | None = None


class RunDirectory(FrozenModel):
    """The folder of one attempt on a site.

    Attributes:
        backend: The backend that reaches the site.
        site: Host and account, for a person to read.
        path: Absolute path there.
        key: The attempt's key.
    """

    backend: BackendKind
    site: str
    path: str
    key: str


class JobHandle(RunDirectory):
    """A submitted job: small, serialisable, without secrets, enough to re-attach from anywhere.

    Attributes:
        job_id: The site's own job id.
    """

    job_id: str


class JobRequest(FrozenModel):
    """What a submission adds to what was staged.

    Attributes:
        environment: Variables for the job that may be secret. They travel in a file that only the
            job's owner can read and that the job deletes.
    """

    environment: dict[str, SecretStr] = Field(default_factory=dict)


class Attempt(FrozenModel):
    """What a site knows of one attempt of a run.

    Attributes:
        number: Counted from 1.
        run_directory: Its folder; a `JobHandle` once a job was submitted.
        intent: What is to be run.
        staged: Whether all files have arrived.
        cancelled: Whether a person asked to cancel it.
        fetched: Whether its results were fetched whole.
        status: Its final status, if it has ended.
    """

    number: int
    run_directory: JobHandle | RunDirectory
    intent: Intent
    staged: bool = False
    cancelled: bool = False
    fetched: bool = False
    status: JobStatus | None = None


@dataclass(frozen=True)
class BundleFile:
    """One file to stage.

    Attributes:
        path: Where it goes, relative to the run directory, with `/` between its parts.
        open: Opens its content for reading.
        mode: Permission bits.
        size_bytes: Its size, if known beforehand.
        sha256: Its digest in hex, if known beforehand; checked on arrival.
    """

    path: str
    open: Callable[[], BinaryIO]
    mode: int = 0o644
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Bundle:
    """All that an attempt needs on the site."""

    intent: Intent
    files: tuple[BundleFile, ...]


class TransferStopped(BackendError):
    """A transfer ended because it was asked to stop."""

    transient = True


@dataclass
class TransferProgress:
    """How far a transfer is; written by its thread, read by others.

    Attributes:
        stop: Set to end the transfer at its next file or block.
    """

    total_files: int = 0
    total_bytes: int = 0
    done_files: int = 0
    done_bytes: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def advance(self, *, files: int = 0, size_bytes: int = 0) -> None:
        """Count what was transferred.

        Raises:
            TransferStopped: If the transfer was asked to stop.
        """
        self.done_files += files
        self.done_bytes += size_bytes
        if self.stop.is_set():
            raise TransferStopped("The transfer was stopped.")


@runtime_checkable
class Backend(Protocol):
    """One way to reach one site. Plain blocking calls, safe to use from several threads.

    Every call may raise `Unreachable` (transient) or `AuthenticationError`; then nothing is known
    and nothing has changed.
    """

    kind: BackendKind
    site: str
    base_directory: str

    def find(self, run_key: str) -> tuple[Attempt, ...]:
        """Return the attempts the site knows of a run, by number.

        Empty only if the site has positively answered that there is none.
        """

    def stage(self, bundle: Bundle, key: str, progress: TransferProgress) -> RunDirectory:
        """Bring every file of the bundle into the run directory of attempt `key`, verified.

        The intent is written first. Safe to repeat: what has arrived is not sent again. Nothing is
        deleted that an earlier call did not write.

        Raises:
            TransferError: If a file did not arrive whole, or the job has been submitted already.
        """

    def submit(self, request: JobRequest, run_directory: RunDirectory) -> JobHandle:
        """Submit the staged job, or return the handle of the job that was submitted before.

        Login-node commands of the script run once, before the job.

        Raises:
            SubmitRejected: If the site refused, or the attempt was cancelled.
            JobNotFound: If nothing was staged.
        """

    def statuses(self, handles: Sequence[JobHandle]) -> dict[JobHandle, JobStatus]:
        """Return the status of each handle, in one round trip where the site has one."""

    def read_logs(self, offsets: Mapping[JobHandle, int]) -> dict[JobHandle, bytes]:
        """Return what each log holds from its offset on, at most `LOG_CHUNK_BYTES` each."""

    def finish(self, handle: JobHandle) -> None:
        """Run the login-node commands that follow a success, once.

        Raises:
            BackendError: If they failed.
        """

    def fetch(
        self, handle: JobHandle, patterns: Sequence[str], target: Path, progress: TransferProgress
    ) -> tuple[str, ...]:
        """Copy files that match gitignore-style patterns into `target`; return their paths.

        Never writes outside `target`, whatever the site offers. Marks the attempt as fetched.

        Raises:
            TransferError: If a file did not arrive whole.
        """

    def cancel(self, run_directories: Sequence[RunDirectory]) -> None:
        """Cancel jobs, submitted or not; return when the site has accepted.

        The final state is still read from the site. No further attempt of these runs may start.
        """

    def remove(self, run_directory: RunDirectory) -> None:
        """Delete a run directory, and nothing else.

        Raises:
            BackendError: If its job has not ended.
        """


class BackendSource(Protocol):
    """Anything that leads to a backend: a plain connection model, or a block around one."""

    def connect(self) -> Backend:
        """Return the backend; the same one for the same site and credentials in one process."""

    def config_defaults(self) -> ConfigDefaults:
        """Return the config keys that this source supplies, to be merged under a project's own."""
