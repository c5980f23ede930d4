"""Bringing a bundle into its run directory."""

from __future__ import annotations

from pathlib import Path

from mantik_tasks.backends.base import Bundle, BundleFile, TransferProgress
from mantik_tasks.backends.local import layout
from mantik_tasks.backends.local.folders import read_intent
from mantik_tasks.backends.local.records import read_record
from mantik_tasks.backends.manifest import Manifest
from mantik_tasks.backends.tree import PART_PREFIX, Tree
from mantik_tasks.errors import TransferError
from mantik_tasks.models import Intent


def stage(path: Path, bundle: Bundle, progress: TransferProgress) -> None:
    """Bring every file of a bundle into a run directory that exists.

    Raises:
        TransferError: If a file did not arrive whole, or the job has been submitted.
    """
    manifest = Manifest.of(bundle.files)
    with layout.locked(path / layout.STAGE_LOCK):
        if read_record(path) is not None:
            raise TransferError(f"{path}: its job has been submitted; its files stay as they are")
        write_intent(path, bundle.intent)
        if layout.read_file(path / layout.STAGED) == manifest.digest.encode():
            return
        (path / layout.STAGED).unlink(missing_ok=True)
        tree = Tree(path)
        _tidy(path, tree, manifest)
        layout.write_file(path / layout.MANIFEST, manifest.encode())
        for file in bundle.files:
            _bring(tree, file, progress)
            progress.advance(files=1)
        layout.write_file(path / layout.STAGED, manifest.digest.encode())


def write_intent(path: Path, intent: Intent) -> None:
    """Write what is to be run, before anything else; an attempt keeps the time it was opened at."""
    known = read_intent(path)
    if known is None or (known.spec, known.script) != (intent.spec, intent.script):
        layout.write_file(path / layout.INTENT, intent.model_dump_json().encode())
    script = intent.script
    for name, text in (
        (layout.JOB_SCRIPT, script.job),
        (layout.LOGIN_PRE_RUN, script.login_pre_run),
        (layout.LOGIN_POST_RUN, script.login_post_run),
    ):
        if text is None:
            (path / name).unlink(missing_ok=True)
        else:
            layout.write_file(path / name, text.encode())


def _tidy(path: Path, tree: Tree, manifest: Manifest) -> None:
    """Delete what an earlier staging left that was cut, or had other files."""
    for part in path.glob(f"{PART_PREFIX}*"):
        part.unlink(missing_ok=True)
    earlier = layout.read_file(path / layout.MANIFEST)
    if earlier is not None:
        for stale in sorted(Manifest.decode(earlier).paths - manifest.paths):
            tree.delete(stale)


def _bring(tree: Tree, file: BundleFile, progress: TransferProgress) -> None:
    there = tree.digest(file.path) if file.sha256 is not None else None
    if (
        there is not None
        and there[0].sha256 == file.sha256
        and file.size_bytes in (None, there[0].size_bytes)
    ):
        if there[1] != file.mode & 0o777:
            tree.set_mode(file.path, file.mode)
        progress.advance(size_bytes=there[0].size_bytes)
        return
    try:
        with file.open() as content:
            tree.write(
                file.path, content, progress, mode=file.mode, size_bytes=file.size_bytes, sha256=file.sha256
            )
    except OSError as error:
        raise TransferError(f"{file.path!r}: {error}") from error
