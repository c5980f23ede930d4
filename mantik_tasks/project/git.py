"""Projects from git: fetched shallowly at one exact commit, into a cache on this machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from mantik_tasks.errors import ConfigError

FETCH_SECONDS = 600
_URL = re.compile(r"(https?|ssh|git|file)://|[\w.-]+@[\w.-]+:")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class GitSource:
    """`URL@REF#sub/dir`, taken apart.

    Attributes:
        url: The repository.
        ref: Branch, tag or commit; empty for the default branch.
        subdirectory: The project's folder in it; empty for its root.
    """

    url: str
    ref: str
    subdirectory: str

    @property
    def safe_url(self) -> str:
        """The URL without user name and password."""
        if "://" not in self.url:
            return self.url
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def is_git_url(source: str) -> bool:
    """Whether a project's source is a git URL rather than a folder."""
    return _URL.match(source.removeprefix("git+")) is not None


def parse_git_url(source: str) -> GitSource:
    """Take a git URL apart.

    Raises:
        ConfigError: If the ref or the folder can't be one.
    """
    rest, _, subdirectory = source.removeprefix("git+").partition("#")
    # A user name stands before an @ too, but never after the first / of the path.
    start = (
        rest.index("/", rest.index("://") + 3) if "://" in rest and rest.count("/") > 2 else rest.find(":")
    )
    path, ref = _path_and_ref(rest[start:])
    parsed = GitSource(rest[:start] + path, ref, subdirectory.strip("/"))
    parts = urlsplit(parsed.url)
    if parts.password is not None or (parts.scheme in ("http", "https") and parts.username is not None):
        raise ConfigError(
            f"project {parsed.safe_url}: leave user name and password out of the URL, which is kept and "
            "shown with the run; let a git credential helper or ssh supply them"
        )
    if ref.startswith("-") or re.search(r"[\s~^:?*\[\\]|\.\.", ref):
        raise ConfigError(f"project {parsed.safe_url}: {ref!r} can't be a branch, tag or commit")
    if ".." in Path(subdirectory).parts:
        raise ConfigError(
            f"project {parsed.safe_url}: the folder {subdirectory!r} leads out of the repository"
        )
    return parsed


def _path_and_ref(rest: str) -> tuple[str, str]:
    """Tell the ref from an @ in a folder's name: it follows .git, or is in the last part."""
    path, suffix, ref = rest.partition(".git@")
    if suffix:
        return f"{path}.git", ref
    folders, slash, last = rest.rpartition("/")
    name, _, ref = last.partition("@")
    return f"{folders}{slash}{name}", ref


def fetch(source: GitSource, cache: Path) -> tuple[Path, str]:
    """Return a folder with the repository at the commit that `source` names now, and that commit.

    Raises:
        ConfigError: If it can't be fetched, in git's own words.
    """
    folder = cache / hashlib.sha256(source.url.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(folder / "lock"):
        repository = folder / "repository.git"
        if not repository.is_dir():
            _git(source, "init", "--quiet", "--bare", str(repository))
        commit = _fetch_commit(source, repository)
        checkout = folder / commit
        if not checkout.is_dir():
            _check_out(source, repository, commit, checkout)
        return checkout, commit


def state_of(directory: Path) -> tuple[str | None, bool]:
    """Return the commit of a folder's repository and whether files differ from it; None if it has none."""
    try:
        head = _run(["-C", str(directory), "rev-parse", "--verify", "HEAD"])
        if head.returncode:
            return None, False
        status = _run(["-C", str(directory), "status", "--porcelain", "--", "."])
    except (OSError, ConfigError):
        return None, False
    return head.stdout.strip(), bool(status.stdout.strip())


def _fetch_commit(source: GitSource, repository: Path) -> str:
    """Fetch one commit; a server that gives no single commit away is asked for everything."""
    ref = source.ref or "HEAD"
    at = ["-C", str(repository)]
    if _COMMIT.fullmatch(ref) and not _run([*at, "cat-file", "-e", f"{ref}^{{commit}}"]).returncode:
        return ref
    shallow = _run([*at, "fetch", "--quiet", "--depth", "1", "--no-tags", source.url, ref])
    if not shallow.returncode:
        return _git(source, *at, "rev-parse", "--verify", "FETCH_HEAD^{commit}")
    if not re.fullmatch(r"[0-9a-f]{7,64}", ref):
        raise _failure(source, shallow.stderr)
    # HEAD lives in the cache's own name space, so that no branch of the remote collides with it.
    everything = ["+refs/heads/*:refs/fetched/*", "+refs/tags/*:refs/tags/*"]
    _git(source, *at, "fetch", "--quiet", *_unshallow(repository), source.url, *everything)
    return _git(source, *at, "rev-parse", "--verify", f"{ref}^{{commit}}")


def _unshallow(repository: Path) -> list[str]:
    return ["--unshallow"] if (repository / "shallow").exists() else []


def _check_out(source: GitSource, repository: Path, commit: str, checkout: Path) -> None:
    with tempfile.TemporaryDirectory(dir=checkout.parent, prefix="checkout-") as folder:
        tree = Path(folder, "tree")
        tree.mkdir()
        _git(
            source,
            f"--git-dir={repository}",
            f"--work-tree={tree}",
            "checkout",
            "--quiet",
            "--force",
            commit,
            "--",
            ".",
        )
        tree.rename(checkout)
    # The index describes a tree that is gone now; the next checkout begins without one.
    (repository / "index").unlink(missing_ok=True)


def _git(source: GitSource, *arguments: str) -> str:
    done = _run(list(arguments))
    if done.returncode:
        raise _failure(source, done.stderr)
    return done.stdout.strip()


def _failure(source: GitSource, stderr: str) -> ConfigError:
    words = stderr.strip().replace(source.url, source.safe_url)
    ref = f" at {source.ref}" if source.ref else ""
    return ConfigError(f"project {source.safe_url}{ref}: git can't fetch it: {words}")


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C.UTF-8",
    }
    try:
        return subprocess.run(
            [
                "git",
                "-c",
                "core.fsmonitor=false",
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "advice.detachedHead=false",
                *arguments,
            ],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=FETCH_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise ConfigError("git is not installed here; install it, or name a folder as the project") from error
    except subprocess.TimeoutExpired:
        # Without its cause, whose text is the whole command with the URL.
        raise ConfigError(
            f"git took longer than {FETCH_SECONDS} s; look whether the repository's server answers"
        ) from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
