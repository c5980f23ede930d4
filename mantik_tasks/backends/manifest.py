"""The list of files that a bundle puts on a site, as it is kept there.

Plain `json`, because names may hold bytes that are no UTF-8, which pydantic refuses.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from mantik_tasks.backends.base import PRIVATE_FOLDER, BundleFile
from mantik_tasks.errors import TransferError


@dataclass(frozen=True)
class ManifestEntry:
    """One planned file. Size and digest are absent where they are not known beforehand."""

    path: str
    mode: int
    size_bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class Manifest:
    """All planned files."""

    entries: tuple[ManifestEntry, ...] = ()

    @classmethod
    def of(cls, files: Iterable[BundleFile]) -> Manifest:
        """Return the manifest of a bundle's files.

        Raises:
            TransferError: If a path leads out of the run directory, into our own folder, or to
                the place of another file.
        """
        entries = tuple(ManifestEntry(f.path, f.mode & 0o777, f.size_bytes, f.sha256) for f in files)
        files_seen: set[str] = set()
        folders_seen: set[str] = set()
        for entry in entries:
            parts = safe_parts(entry.path)
            if parts[0] == PRIVATE_FOLDER:
                raise TransferError(
                    f"{entry.path!r}: the folder {PRIVATE_FOLDER} is not for files of a project"
                )
            if entry.path in files_seen:
                raise TransferError(f"{entry.path!r}: there are two files of this name")
            files_seen.add(entry.path)
            folders_seen.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        for path in files_seen & folders_seen:
            raise TransferError(f"{path!r}: is a file and a folder at once")
        return cls(entries)

    @classmethod
    def decode(cls, content: bytes) -> Manifest:
        """Return a manifest from what `encode` gave."""
        return cls(tuple(ManifestEntry(**entry) for entry in json.loads(content)))

    def encode(self) -> bytes:
        """Return the manifest as JSON in ASCII; the same manifest gives the same bytes."""
        entries = sorted(self.entries, key=lambda entry: entry.path)
        return json.dumps([asdict(entry) for entry in entries]).encode("ascii")

    @property
    def digest(self) -> str:
        """What tells this manifest from others."""
        return hashlib.sha256(self.encode()).hexdigest()

    @property
    def paths(self) -> frozenset[str]:
        """The paths of all files."""
        return frozenset(entry.path for entry in self.entries)


def safe_parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path that stays below the folder it is relative to.

    Any byte but NUL and `/` may be in a name; bytes that are no UTF-8 are escaped as `os.fsdecode` does.

    Raises:
        TransferError: If the path is absolute, holds `..`, or can't be a path.
    """
    parts = tuple(path.split("/"))
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise TransferError(f"{path!r}: not a plain relative path")
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise TransferError(f"{path!r}: can't be a file name") from error
    return parts
