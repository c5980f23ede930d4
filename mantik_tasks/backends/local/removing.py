"""Deleting a run directory, and nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

REMOVED_PREFIX = ".removed-"


def remove(path: Path) -> None:
    """Delete a run directory. One that is half deleted is out of sight, and the next call goes on with it."""
    doomed = path.with_name(f"{REMOVED_PREFIX}{path.name}")
    _delete(doomed)
    with contextlib.suppress(FileNotFoundError):
        path.rename(doomed)
    _delete(doomed)


def _delete(folder: Path) -> None:
    if folder.exists():
        # A job may have made folders that can't be written to.
        folder.chmod(0o700)
        for current, names, _ in os.walk(folder):
            for below in (Path(current, name) for name in names):
                if not below.is_symlink():
                    below.chmod(0o700)
        shutil.rmtree(folder)
