"""Bringing files of a run directory home."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mantik_tasks.backends.base import PRIVATE_FOLDER, TransferProgress
from mantik_tasks.backends.local import layout
from mantik_tasks.backends.patterns import wanted_files
from mantik_tasks.backends.tree import Tree
from mantik_tasks.errors import TransferError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Found:
    """A file to fetch: its name in the run directory, and the file that is meant by it."""

    path: str
    file: Path
    size_bytes: int


def fetch(path: Path, patterns: Sequence[str], target: Path, progress: TransferProgress) -> tuple[str, ...]:
    """Copy files that match patterns into a folder, verified; return their paths, sorted.

    Raises:
        TransferError: If a file did not arrive whole, or the target leads elsewhere by a link.
    """
    found = sorted(_find(path, patterns), key=lambda file: file.path)
    progress.total_files = len(found)
    progress.total_bytes = sum(file.size_bytes for file in found)
    target.mkdir(parents=True, exist_ok=True)
    tree = Tree(target)
    for file in found:
        _copy(file, tree, progress)
        progress.advance(files=1)
    layout.write_json(path / layout.FETCHED, {"fetched_at": time.time()})
    return tuple(file.path for file in found)


def _find(path: Path, patterns: Sequence[str]) -> Iterator[_Found]:
    wanted = wanted_files(patterns)
    real_root = path.resolve()

    def fail(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(path, onerror=fail):
        for name in (*names, *(name for name in folders if (Path(folder) / name).is_symlink())):
            file = Path(folder) / name
            relative = str(file.relative_to(path))
            if not wanted(relative):
                continue
            meant = _meant_file(file, real_root)
            if meant is None:
                logger.warning("not fetched: %r is no file, or a link out of the run directory", relative)
            else:
                yield _Found(relative, meant, meant.stat().st_size)


def _meant_file(file: Path, real_root: Path) -> Path | None:
    """Return the regular file that a name means, if it is one of the run directory's own."""
    try:
        meant = file.resolve(strict=True)
        regular = stat.S_ISREG(meant.stat().st_mode)
    except (OSError, RuntimeError):
        return None
    if not regular or not meant.is_relative_to(real_root) or meant.is_relative_to(real_root / PRIVATE_FOLDER):
        return None
    return meant


class _Beginning:
    """The first bytes of a file: a log may grow meanwhile, and what it held at first is fetched."""

    def __init__(self, content: BinaryIO, size_bytes: int) -> None:
        self._content = content
        self._left_bytes = size_bytes

    def read(self, size_bytes: int, /) -> bytes:
        block = self._content.read(min(size_bytes, self._left_bytes))
        self._left_bytes -= len(block)
        return block


def _copy(file: _Found, tree: Tree, progress: TransferProgress) -> None:
    descriptor = os.open(file.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as content:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode) | stat.S_IRUSR | stat.S_IWUSR
        beginning = _Beginning(content, file.size_bytes)
        written = tree.write(file.path, beginning, progress, mode=mode, size_bytes=file.size_bytes)
    arrived = tree.digest(file.path)
    if arrived is None or arrived[0] != written:
        raise TransferError(
            f"{file.path!r}: what was written into the target is not what can be read from it"
        )
