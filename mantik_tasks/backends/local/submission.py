"""Starting a job, once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mantik_tasks
from mantik_tasks.backends.base import JobRequest
from mantik_tasks.backends.environment import encode_environment
from mantik_tasks.backends.local import layout
from mantik_tasks.backends.local.folders import RunFolders, read_intent
from mantik_tasks.backends.local.records import JobRecord, read_record
from mantik_tasks.backends.local.variables import inherited_variables
from mantik_tasks.errors import BackendError, JobNotFound, SubmitRejected, Unreachable
from mantik_tasks.keys import split_attempt_key

START_SECONDS = 60.0
_SUPERVISOR = "mantik_tasks.backends.local.supervisor"
_PACKAGE_ROOT = Path(mantik_tasks.__file__).parents[1]


def submit(folders: RunFolders, path: Path, request: JobRequest, limit: int) -> JobRecord:
    """Start the job of a staged attempt, or find the one that was started before.

    Returns:
        The job's record.

    Raises:
        SubmitRejected: If the run was cancelled.
        JobNotFound: If nothing was staged.
    """
    environment = encode_environment(request.environment)
    with (
        layout.locked(path / layout.STAGE_LOCK),
        layout.locked(path / layout.SUBMIT_LOCK, START_SECONDS) as lock,
    ):
        record = read_record(path)
        if record is not None:
            return record
        _refuse_if_cancelled(folders, path.name)
        intent = read_intent(path)
        if intent is None or layout.read_file(path / layout.STAGED) is None:
            raise JobNotFound(f"{path}: not all files of the attempt were staged, so it can't be submitted")
        layout.write_file(path / layout.ENVIRONMENT, environment)
        _start_supervisor(path, lock, folders.slots, limit, intent.spec.config.resources.runtime_seconds or 0)
    return _wait_for_record(path)


def _refuse_if_cancelled(folders: RunFolders, key: str) -> None:
    run_key, _ = split_attempt_key(key)
    for _, attempt in folders.attempts(run_key):
        if (attempt / layout.CANCELLED).exists():
            raise SubmitRejected(f"The run {run_key} was cancelled; start a new run instead.")


def _start_supervisor(path: Path, lock: int, slots: Path, limit: int, runtime_seconds: int) -> None:
    # -P: the current directory is the project's, and must not supply modules; -S: none are needed.
    command = [sys.executable, "-P", "-S", "-m", _SUPERVISOR]
    with open(path / layout.SUPERVISOR_LOG, "ab", opener=_private) as log:
        try:
            subprocess.run(
                [*command, str(lock), str(slots), str(limit), str(runtime_seconds)],
                cwd=path,
                env=inherited_variables() | {"PYTHONPATH": str(_PACKAGE_ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
                timeout=START_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unreachable(f"{path}: starting the job took too long; try again") from error


def _wait_for_record(path: Path) -> JobRecord:
    # The supervisor holds the lock, which it inherited, until it has recorded the job.
    with layout.locked(path / layout.SUBMIT_LOCK, START_SECONDS):
        record = read_record(path)
    if record is None:
        said = (layout.read_file(path / layout.SUPERVISOR_LOG) or b"").decode(errors="replace")[-500:].strip()
        raise BackendError(f"{path}: the job could not be started, try again; its supervisor said: {said}")
    return record


def _private(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW, 0o600)
