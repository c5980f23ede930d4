"""Which files of a project travel."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from mantik_tasks.errors import ConfigError

_NEVER = frozenset({".git", ".mantik"})
_OWN_LOGS = frozenset({"mantik.log", "mantik-login.log"})
_PROBLEMS_SHOWN = 20


@dataclass(frozen=True)
class ProjectFile:
    """One file that travels.

    Attributes:
        path: Its path in the project, with `/` between its parts.
        source: Where its content is; elsewhere in the project if `path` is a link.
        size_bytes: Its size.
        mode: Its permission bits.
    """

    path: str
    source: Path
    size_bytes: int
    mode: int


def project_files(directory: Path, exclude: Sequence[str] = ()) -> list[ProjectFile]:
    """Return the files of a project that no pattern excludes, in a stable order.

    Links inside of the project travel as what they point to. `.git/` and our own files stay.

    Raises:
        ConfigError: Naming every file that can't travel: links out of the project or to nothing,
            unreadable files, pipes and the like.
    """
    walk = _Walk(directory.resolve(), GitIgnoreSpec.from_lines(exclude))
    files = sorted(walk.files(directory.resolve(), "", ()), key=lambda file: file.path)
    if walk.problems:
        shown = sorted(walk.problems)[:_PROBLEMS_SHOWN]
        more = len(walk.problems) - len(shown)
        raise ConfigError([*shown, f"… and {more} more files like these"] if more else shown)
    return files


class _Walk:
    def __init__(self, root: Path, excluded: GitIgnoreSpec) -> None:
        self.root = root
        self.excluded = excluded
        self.problems: list[str] = []
        # A folder can be skipped as a whole unless a pattern may take a file of it back in.
        self.prune = not any(pattern.include is False for pattern in excluded.patterns)

    def files(self, folder: Path, prefix: str, parents: tuple[Path, ...]) -> Iterator[ProjectFile]:
        """Yield the files below a real folder that is known as `prefix` in the project."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._refuse(
                prefix or ".", f"can't be read ({error.strerror}); change its permissions or exclude it"
            )
            return
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.name in _NEVER or path in _OWN_LOGS:
                continue
            yield from self._entry(entry, path, (*parents, folder))

    def _entry(self, entry: os.DirEntry[str], path: str, parents: tuple[Path, ...]) -> Iterator[ProjectFile]:
        try:
            is_folder = entry.is_dir()
        except OSError:  # a link to itself, which is no folder and is refused below
            is_folder = False
        if self.excluded.match_file(f"{path}/" if is_folder else path) and (self.prune or not is_folder):
            return
        target = Path(entry.path)
        if entry.is_symlink():
            try:
                target = target.resolve(strict=True)
            except (OSError, RuntimeError):  # Python 3.11 raises the latter for a link to itself
                self._refuse(path, "is a link to nothing; remove it, or exclude it")
                return
            if not self._is_good_link(target, path, parents):
                return
        if is_folder:
            yield from self.files(target, f"{path}/", parents)
        elif (file := self._file(target, path)) is not None:
            yield file

    def _is_good_link(self, target: Path, path: str, parents: tuple[Path, ...]) -> bool:
        if not target.is_relative_to(self.root):
            self._refuse(path, f"is a link out of the project, to {target}; copy the file in, or exclude it")
        elif target in parents:
            self._refuse(path, "is a link to a folder that holds it; remove it, or exclude it")
        else:
            return True
        return False

    def _file(self, target: Path, path: str) -> ProjectFile | None:
        status = target.stat()
        if not stat.S_ISREG(status.st_mode):
            self._refuse(path, "is a pipe, socket or device; remove it, or exclude it")
            return None
        if not os.access(target, os.R_OK, effective_ids=True):
            self._refuse(path, "can't be read; change its permissions, or exclude it")
            return None
        return ProjectFile(path, target, status.st_size, stat.S_IMODE(status.st_mode) & 0o777)

    def _refuse(self, path: str, why: str) -> None:
        self.problems.append(f"project file {os.fsencode(path).decode('utf-8', 'replace')!r}: {why}")
