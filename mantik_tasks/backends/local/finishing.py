"""The login-node commands that follow a success."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mantik_tasks.backends.local import layout
from mantik_tasks.backends.local.variables import script_variables
from mantik_tasks.errors import BackendError

FINISH_SECONDS = 3600.0

# The script holds the lock, which it inherited, and records its own end: a client that dies meanwhile
# neither ends it nor makes it run again.
_RUN_AND_RECORD = """
bash "$1" >>"$2" 2>&1
printf %s "$?" >"$3.tmp" && mv -f -- "$3.tmp" "$3"
"""


def finish(path: Path) -> None:
    """Run the commands, or wait for those that another process has started; once in all.

    Raises:
        BackendError: If they failed.
    """
    if not (path / layout.LOGIN_POST_RUN).exists():
        return
    if (exit_code := _recorded(path)) is None:
        with layout.locked(path / layout.FINISH_LOCK, FINISH_SECONDS) as lock:
            if (exit_code := _recorded(path)) is None:
                _run(path, lock)
                exit_code = _recorded(path)
    if exit_code != "0":
        raise BackendError(
            f"The login-node commands after the job failed with exit code {exit_code}; "
            f"see {path / layout.LOGIN_LOG}."
        )


def _recorded(path: Path) -> str | None:
    content = layout.read_file(path / layout.FINISHED)
    return None if content is None else content.decode(errors="replace")


def _run(path: Path, lock: int) -> None:
    arguments = [layout.LOGIN_POST_RUN, layout.LOGIN_LOG, layout.FINISHED]
    subprocess.run(
        ["bash", "-c", _RUN_AND_RECORD, "bash", *arguments],
        cwd=path,
        env=script_variables(path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(lock,),
        start_new_session=True,
        check=False,
    )
