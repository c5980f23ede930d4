"""The variables that scripts of a run get.

Standard library only: the supervisor of every job imports this.
"""

from __future__ import annotations

import os
from pathlib import Path

_INHERITED = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "SHELL", "TMPDIR", "TZ", "TERM"})


def inherited_variables() -> dict[str, str]:
    """Return the variables of this process that a script may see: a worker's secrets are not among them."""
    return {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("LC_")}


def script_variables(run_directory: Path) -> dict[str, str]:
    """Return the variables that every script of a run gets, on whichever node it runs."""
    return inherited_variables() | {
        "MANTIK_WORKING_DIRECTORY": str(run_directory),
        "UC_WORKING_DIRECTORY": str(run_directory),
    }
