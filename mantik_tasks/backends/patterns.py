"""Which files of a run directory are wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pathspec import GitIgnoreSpec

from mantik_tasks.backends.base import PRIVATE_FOLDER
from mantik_tasks.errors import ConfigError


def wanted_files(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a function that tells whether patterns, in the words of gitignore, name a file.

    The last pattern that matches decides; `!` takes files out again. Our own files are never wanted.

    Raises:
        ConfigError: If a pattern is none.
    """
    try:
        spec = GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise ConfigError(f"patterns of files to fetch: {error}") from error

    def wanted(path: str) -> bool:
        return path.partition("/")[0] != PRIVATE_FOLDER and spec.match_file(path)

    return wanted
