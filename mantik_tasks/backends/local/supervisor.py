"""What watches over one job: there is no daemon, every job has its own supervisor.

Started in the run directory as

    python -m mantik_tasks.backends.local.supervisor <lock descriptor> <slots> <limit> <runtime seconds>

with the submission's lock held through the inherited descriptor, until the job is recorded. So a
client that dies at any moment can't cause a second job: whoever comes next waits for the lock, and
then finds the record, or knows that nothing was started.

Standard library only, for a fast start.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

from mantik_tasks.backends.local import layout
from mantik_tasks.backends.local.children import (
    Children,
    Stopped,
    become_parent_of_orphans,
    block_signals,
)
from mantik_tasks.backends.local.processes import JOB_ID_VARIABLE, Process, boot_id
from mantik_tasks.backends.local.slots import take_slot
from mantik_tasks.backends.local.variables import script_variables

End = dict[str, object]


def main() -> None:
    """Become the supervisor of the job in the current directory, and see it through."""
    lock, slots, limit, runtime_seconds = sys.argv[1:]
    if os.fork():
        # The client waits for this process; the supervisor itself must not be a child of the client.
        os._exit(0)
    block_signals()
    become_parent_of_orphans()
    Supervisor(Path.cwd(), Path(slots), int(limit), int(runtime_seconds)).run(int(lock))


class Supervisor:
    """One job, from its record to its end.

    Args:
        run_directory: Absolute path of the run directory; the current directory.
        slots: Folder of the slot locks.
        limit: How many jobs may run at once.
        runtime_seconds: Longest time the job may run, 0 for no limit.
    """

    def __init__(self, run_directory: Path, slots: Path, limit: int, runtime_seconds: int) -> None:
        self._directory = run_directory
        self._slots = slots
        self._limit = limit
        self._runtime_seconds = runtime_seconds
        self._process = Process.current()
        self._boot_id = boot_id()
        self._job_id = f"{self._process.pid}-{self._process.start_ticks}-{self._boot_id[:8]}"
        self._children = Children()
        self._started_at: float | None = None

    def run(self, lock: int) -> None:
        """Record the job, give the lock back, and run the job to its end."""
        self._record()
        os.close(lock)
        try:
            end = self._see_through()
        except Stopped:
            end = self._stopped()
        except Exception as error:
            # A job without an end would count as lost.
            traceback.print_exc()
            end = self._end("FAILED", reason="REJECTED", message=f"The job could not be run: {error}.")
        if not self._children.end_all():
            print("some processes of the job could not be ended", file=sys.stderr)
        end |= self._usage()
        (self._directory / layout.ENVIRONMENT).unlink(missing_ok=True)
        layout.write_json(self._directory / layout.END, end)

    def _record(self) -> None:
        record = {
            "job_id": self._job_id,
            "pid": self._process.pid,
            "start_ticks": self._process.start_ticks,
            "boot_id": self._boot_id,
            "host": os.uname().nodename,
            "submitted_at": time.time(),
            "limit": self._limit,
        }
        layout.write_json(self._directory / layout.JOB, record)

    def _see_through(self) -> End:
        if (self._directory / layout.LOGIN_PRE_RUN).exists():
            self._start(layout.LOGIN_PRE_RUN, layout.LOGIN_LOG)
            if (exit_code := self._children.wait()) != 0:
                message = f"The login-node commands before the job failed; see {layout.LOGIN_LOG}."
                return self._end("FAILED", reason="LOGIN_COMMAND", exit_code=exit_code, message=message)
        take_slot(self._slots, self._limit)
        self._started_at = time.time()
        layout.write_json(self._directory / layout.STARTED, {"started_at": self._started_at})
        self._start(layout.JOB_SCRIPT, layout.SCHEDULER_OUTPUT)
        exit_code = self._children.wait(self._runtime_seconds or None)
        if exit_code is None:
            message = f"The job ran longer than its Runtime of {self._runtime_seconds} s."
            return self._end("FAILED", reason="TIMEOUT", message=message)
        if exit_code == 0:
            return self._end("SUCCEEDED", exit_code=0)
        return self._end("FAILED", reason="EXIT_CODE", exit_code=exit_code)

    def _stopped(self) -> End:
        if (self._directory / layout.CANCELLED).exists():
            return self._end("CANCELLED")
        return self._end(
            "FAILED",
            reason="NODE_FAILURE",
            message="Something other than a cancel ended the job; perhaps this host was shut down.",
        )

    def _start(self, script: str, output: str) -> None:
        environment = script_variables(self._directory) | {JOB_ID_VARIABLE: self._job_id}
        self._children.start(script, environment, self._directory / output)

    def _end(
        self,
        state: str,
        *,
        reason: str | None = None,
        exit_code: int | None = None,
        message: str | None = None,
    ) -> End:
        return {
            "state": state,
            "reason": reason,
            "exit_code": exit_code,
            "message": message,
            "started_at": self._started_at,
            "ended_at": time.time(),
        }

    def _usage(self) -> End:
        return {
            "cpu_seconds": self._children.cpu_seconds,
            "max_rss_mib": self._children.max_rss_mib,
        }


if __name__ == "__main__":
    main()
