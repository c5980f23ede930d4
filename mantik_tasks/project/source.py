"""Where a project is: a folder, or a git URL that is fetched into one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mantik_tasks.errors import ConfigError
from mantik_tasks.project import git


@dataclass(frozen=True)
class ProjectFolder:
    """A project on this machine.

    Attributes:
        source: What the person named, without passwords.
        directory: The folder with `MLproject`.
        commit: Its git commit, if it has one.
        dirty: Whether files differ from the commit.
        from_git: Whether it came from elsewhere, so that its files are not trusted with ours.
    """

    source: str
    directory: Path
    commit: str | None
    dirty: bool
    from_git: bool


def open_project(source: str) -> ProjectFolder:
    """Return the project's folder, fetched if `source` is a git URL.

    Args:
        source: A folder, its `MLproject` file, or `URL@REF#sub/dir`.

    Raises:
        ConfigError: If there is no such folder or repository.
    """
    if git.is_git_url(source):
        return _from_git(source)
    directory = Path(source).expanduser()
    if directory.name.lower() == "mlproject" and directory.is_file():
        directory = directory.parent
    if not directory.is_dir():
        raise ConfigError(
            f"project {source}: there is no such folder on this machine ({directory.absolute()})"
        )
    directory = directory.resolve()
    commit, dirty = git.state_of(directory)
    return ProjectFolder(source, directory, commit, dirty, from_git=False)


def _from_git(source: str) -> ProjectFolder:
    parsed = git.parse_git_url(source)
    checkout, commit = git.fetch(parsed, cache_directory())
    directory = (checkout / parsed.subdirectory).resolve()
    if not directory.is_relative_to(checkout.resolve()):
        raise ConfigError(f"project {parsed.safe_url}: {parsed.subdirectory} is a link out of the repository")
    if not directory.is_dir():
        raise ConfigError(f"project {parsed.safe_url}: has no folder {parsed.subdirectory} at {commit}")
    ref = f"@{parsed.ref}" if parsed.ref else ""
    folder = f"#{parsed.subdirectory}" if parsed.subdirectory else ""
    return ProjectFolder(f"{parsed.safe_url}{ref}{folder}", directory, commit, dirty=False, from_git=True)


def cache_directory() -> Path:
    """Where fetched repositories are kept on this machine."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "mantik-prefect" / "git"
