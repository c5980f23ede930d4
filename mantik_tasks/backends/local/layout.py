"""Where everything lies on disk, and how our own small files are read and written.

Standard library only: the supervisor of every job imports this.

```
<base>/mantik-runs/
├── .slots/                    the locks that limit how many jobs run at once
└── <attempt key>/             run directory: the project's files, working directory of the job
    ├── mantik.log             what the job says
    ├── mantik-login.log       what the login-node commands say
    └── .mantik/               our own files
```
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

RUNS_FOLDER = "mantik-runs"
SLOTS_FOLDER = ".slots"
LOGIN_LOG = "mantik-login.log"

INTENT = ".mantik/intent.json"
MANIFEST = ".mantik/manifest.json"
STAGED = ".mantik/staged"
STAGE_LOCK = ".mantik/stage.lock"
SUBMIT_LOCK = ".mantik/submit.lock"
FINISH_LOCK = ".mantik/finish.lock"
JOB = ".mantik/job.json"
JOB_SCRIPT = ".mantik/job.sh"
LOGIN_PRE_RUN = ".mantik/login-pre-run.sh"
LOGIN_POST_RUN = ".mantik/login-post-run.sh"
ENVIRONMENT = ".mantik/environment"
STARTED = ".mantik/started"
END = ".mantik/end.json"
RESULT = ".mantik/result.json"
CANCELLED = ".mantik/cancelled"
FETCHED = ".mantik/fetched"
FINISHED = ".mantik/finished"
SCHEDULER_OUTPUT = ".mantik/scheduler.out"
SUPERVISOR_LOG = ".mantik/supervisor.log"

SMALL_FILE_BYTES = 64 * 1024 * 1024
LOCK_POLL_SECONDS = 0.02


def write_file(path: Path, content: bytes) -> None:
    """Write a private file so that it is there whole or not at all, also after a power cut."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{time.monotonic_ns()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: object) -> None:
    """Write JSON as `write_file` does; ASCII, because names may hold bytes that are no UTF-8."""
    write_file(path, json.dumps(content).encode("ascii"))


def read_file(path: Path, offset: int = 0, size_bytes: int = SMALL_FILE_BYTES) -> bytes | None:
    """Return bytes of a regular file, or nothing if there is none.

    A job can put anything in a file's place; links are not followed and pipes not waited for.

    Raises:
        OSError: If the file may be there but can't be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError) or path.is_symlink():
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            file.seek(offset)
            return file.read(size_bytes)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path, wait_seconds: float = 10) -> Iterator[int]:
    """Hold an exclusive lock on a file; yield its descriptor, which child processes may inherit.

    The lock is free again once every process that inherited the descriptor has closed it.

    Raises:
        TimeoutError: If somebody else held it for longer than `wait_seconds`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        deadline = time.monotonic() + wait_seconds
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is locked")
            time.sleep(LOCK_POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Take an exclusive lock if it is free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
