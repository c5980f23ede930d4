"""Ending a job because a person asked for it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from mantik_tasks.backends.base import PRIVATE_FOLDER
from mantik_tasks.backends.local import layout
from mantik_tasks.backends.local.processes import Process, boot_id, processes_by_job
from mantik_tasks.backends.local.records import read_record

ORPHAN_GRACE_SECONDS = 2.0


def cancel(path: Path) -> None:
    """Cancel the job of a run directory that exists, submitted or not; harmless if it has ended."""
    (path / PRIVATE_FOLDER).mkdir(mode=0o700, exist_ok=True)
    # The mark comes first: a submission that has not seen it holds the lock, and is seen below.
    if not (path / layout.CANCELLED).exists():
        layout.write_json(path / layout.CANCELLED, {"cancelled_at": time.time()})
    with layout.locked(path / layout.SUBMIT_LOCK):
        record = read_record(path)
        if record is None:
            (path / layout.ENVIRONMENT).unlink(missing_ok=True)
            return
    if record.boot_id != boot_id():
        return
    if not Process(record.pid, record.start_ticks).send(signal.SIGTERM):
        _end_orphans(record.job_id)


def _end_orphans(job_id: str) -> None:
    """End what is left of a job whose supervisor is gone."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + ORPHAN_GRACE_SECONDS
        while orphans := processes_by_job().get(job_id):
            for orphan in orphans:
                orphan.send(signal_number)
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
