"""What travels to the site for one attempt: the project, its inputs and its image."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import fsspec

from mantik_tasks.backends.base import Bundle, BundleFile
from mantik_tasks.errors import TransferError
from mantik_tasks.models import Intent, JobScript, RunSpec, StagedInput
from mantik_tasks.project.files import ProjectFile, project_files


def build_bundle(spec: RunSpec, script: JobScript) -> Bundle:
    """Return the files of a run and the intent that goes with them.

    Blocking: reads every local file once for its digest, and asks remote stores for their lists.

    Raises:
        ConfigError: If the project changed since it was validated, so that it can't travel.
        TransferError: If an input can't be read.
    """
    files: dict[str, BundleFile] = {}
    for file in project_files(Path(spec.project.directory), spec.config.exclude):
        files[file.path] = _local_file(file.path, file.source, file.mode)
    apptainer = spec.config.environment.apptainer
    if spec.image is not None and apptainer is not None:
        # It travels even if the project excludes it.
        path = apptainer.staged_path
        files[path] = _local_file(path, Path(spec.image), 0o644)
    for staged in spec.inputs:
        for bundle_file in _input_files(staged):
            files[bundle_file.path] = bundle_file
    intent = Intent(created_at=datetime.now(UTC), spec=spec, script=script)
    return Bundle(intent, tuple(files.values()))


def _local_file(path: str, source: Path, mode: int) -> BundleFile:
    try:
        with source.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        size = source.stat().st_size
    except OSError as error:
        raise TransferError(f"{source}: can't be read: {error.strerror}") from error
    return BundleFile(path, partial(_open_local, source), mode, size, digest)


def _open_local(source: Path) -> BinaryIO:
    return source.open("rb")


def _input_files(staged: StagedInput) -> Iterator[BundleFile]:
    if "://" not in staged.url:
        yield from _local_input(staged)
        return
    try:
        filesystem, root = fsspec.url_to_fs(staged.url)
        paths = filesystem.find(root) if filesystem.isdir(root) else [root]
    except Exception as error:  # each of fsspec's many stores has errors of its own
        raise _unreadable(staged, error) from error
    for path in paths:
        rest = path.removeprefix(root).strip("/") if path != root else ""
        yield BundleFile(
            f"{staged.path}/{rest}" if rest else staged.path, partial(_open, staged, filesystem, path)
        )


def _local_input(staged: StagedInput) -> Iterator[BundleFile]:
    source = Path(staged.url)
    if not source.is_dir():
        mode = stat.S_IMODE(source.stat().st_mode) if source.exists() else 0o644
        yield _local_file(staged.path, source, mode)
        return
    for file in project_files(source):
        yield _in_folder(staged, file)


def _in_folder(staged: StagedInput, file: ProjectFile) -> BundleFile:
    return _local_file(f"{staged.path}/{file.path}", file.source, file.mode)


def _open(staged: StagedInput, filesystem: fsspec.AbstractFileSystem, path: str) -> BinaryIO:
    try:
        return cast("BinaryIO", filesystem.open(path, "rb"))
    except Exception as error:  # the same
        raise _unreadable(staged, error) from error


def _unreadable(staged: StagedInput, error: Exception) -> TransferError:
    return TransferError(f"parameter {staged.parameter}: {staged.url} can't be read: {error}")
