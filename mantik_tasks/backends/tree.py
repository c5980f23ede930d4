"""Writing below a folder, and never outside it, whatever names and links are there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mantik_tasks.backends.base import TransferProgress
from mantik_tasks.backends.manifest import safe_parts
from mantik_tasks.errors import TransferError

BLOCK_BYTES = 1024 * 1024
PART_PREFIX = ".mantik-part-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Readable(Protocol):
    """What a file's content is read from."""

    def read(self, size_bytes: int, /) -> bytes:
        """Return at most so many bytes, none at the end."""


@dataclass(frozen=True)
class Digest:
    """What tells one content from another."""

    size_bytes: int
    sha256: str


class Tree:
    """A folder and what is below it, reached without following a symbolic link.

    Args:
        root: The folder; it may itself be a link.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(
        self,
        path: str,
        content: Readable,
        progress: TransferProgress,
        *,
        mode: int,
        size_bytes: int | None = None,
        sha256: str | None = None,
    ) -> Digest:
        """Write a file so that it is there whole or not at all; its folders are made as needed.

        Args:
            path: Where, relative to the root.
            content: What.
            progress: Advanced by every block.
            mode: Permission bits.
            size_bytes: Size that it must have, if known.
            sha256: Digest that it must have, if known.

        Raises:
            TransferError: If the content is not what it must be, or the path leads through a link.
        """
        with self._parent(path, create=True) as (parent, name):
            part = f"{PART_PREFIX}{secrets.token_hex(8)}"
            try:
                written = self._write_part(part, content, mode, progress)
                if size_bytes not in (None, written.size_bytes) or sha256 not in (None, written.sha256):
                    raise TransferError(
                        f"{path!r}: {written.size_bytes} bytes with SHA-256 {written.sha256} arrived, not "
                        f"the {size_bytes} bytes with SHA-256 {sha256} that were sent; perhaps it changed"
                    )
                os.replace(self._root / part, name, dst_dir_fd=parent)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    (self._root / part).unlink()
                raise
        return written

    def _write_part(self, part: str, content: Readable, mode: int, progress: TransferProgress) -> Digest:
        digest = hashlib.sha256()
        size_bytes = 0
        with open(self._root / part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            while block := content.read(BLOCK_BYTES):
                file.write(block)
                digest.update(block)
                size_bytes += len(block)
                progress.advance(size_bytes=len(block))
            os.fchmod(file.fileno(), mode & 0o777)
        return Digest(size_bytes, digest.hexdigest())

    def digest(self, path: str) -> tuple[Digest, int] | None:
        """Return digest and permission bits of a regular file, or nothing if there is none."""
        try:
            with self._parent(path, create=False) as (parent, name):
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        except (OSError, TransferError):
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            with open(descriptor, "rb", closefd=False) as file:
                found = Digest(status.st_size, hashlib.file_digest(file, "sha256").hexdigest())
        finally:
            os.close(descriptor)
        return found, stat.S_IMODE(status.st_mode)

    def set_mode(self, path: str, mode: int) -> None:
        """Set the permission bits of a file."""
        with self._parent(path, create=False) as (parent, name):
            os.chmod(name, mode & 0o777, dir_fd=parent)

    def delete(self, path: str) -> None:
        """Delete a file if it is there, and the folders that are empty then."""
        try:
            with self._parent(path, create=False) as (parent, name):
                os.unlink(name, dir_fd=parent)
        except (FileNotFoundError, IsADirectoryError, TransferError):
            return
        folder, _, _ = path.rpartition("/")
        while folder:
            with (
                contextlib.suppress(OSError, TransferError),
                self._parent(folder, create=False) as (parent, name),
            ):
                os.rmdir(name, dir_fd=parent)
            folder, _, _ = folder.rpartition("/")

    @contextlib.contextmanager
    def _parent(self, path: str, *, create: bool) -> Iterator[tuple[int, str]]:
        *folders, name = safe_parts(path)
        current = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, dir_fd=current)
                following = _open_folder(folder, current, path)
                os.close(current)
                current = following
            yield current, name
        finally:
            os.close(current)


def _open_folder(name: str, parent: int, path: str) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TransferError(
            f"{path!r}: {name!r} on the way is no folder of its own, perhaps a link"
        ) from error
