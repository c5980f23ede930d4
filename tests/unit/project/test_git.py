"""Projects from git, fetched from real repositories on this machine."""

import subprocess
from pathlib import Path

import pytest

from mantik_tasks.errors import ConfigError
from mantik_tasks.project import git
from mantik_tasks.project.source import open_project


def run_git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "repo.git"
    (folder / "sub" / "dir").mkdir(parents=True)
    (folder / "sub" / "dir" / "MLproject").write_text("one")
    run_git(folder, "init", "--quiet")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "--quiet", "-m", "one")
    run_git(folder, "tag", "v1")
    (folder / "sub" / "dir" / "MLproject").write_text("two")
    run_git(folder, "commit", "--quiet", "-am", "two")
    run_git(folder, "branch", "feature/x")
    return folder


def text_at(repository: Path, ref: str) -> str:
    return (open_project(f"file://{repository}{ref}#sub/dir").directory / "MLproject").read_text()


@pytest.mark.parametrize(
    ("ref", "text"), [("", "two"), ("@main", "two"), ("@v1", "one"), ("@feature/x", "two")]
)
def test_branches_and_tags(repository: Path, ref: str, text: str) -> None:
    assert text_at(repository, ref) == text


@pytest.mark.parametrize("length", [40, 10])
def test_a_commit_in_full_or_short(repository: Path, length: int) -> None:
    commit = run_git(repository, "rev-parse", "v1")
    assert text_at(repository, f"@{commit[:length]}") == "one"


def test_the_exact_commit_is_recorded_and_nothing_of_git_is_there(repository: Path) -> None:
    folder = open_project(f"file://{repository}@v1")
    assert folder.commit == run_git(repository, "rev-parse", "v1")
    assert folder.from_git
    assert not (folder.directory / ".git").exists()


def test_a_branch_that_moved_is_fetched_again_and_the_old_state_stays(repository: Path) -> None:
    before = open_project(f"file://{repository}#sub/dir")
    (repository / "sub" / "dir" / "MLproject").write_text("three")
    run_git(repository, "commit", "--quiet", "-am", "three")
    assert text_at(repository, "") == "three"
    assert (before.directory / "MLproject").read_text() == "two"


def test_a_known_commit_needs_no_repository_any_more(repository: Path) -> None:
    commit = run_git(repository, "rev-parse", "v1")
    text_at(repository, f"@{commit}")
    repository.rename(repository.with_name("gone"))
    assert text_at(repository, f"@{commit}") == "one"


@pytest.mark.parametrize("ref", ["@nowhere", "@0123456789"])
def test_what_is_not_there_is_told_in_git_s_words(repository: Path, ref: str) -> None:
    with pytest.raises(ConfigError, match=r"at (nowhere|0123456789): git can't fetch it: .+"):
        text_at(repository, ref)


def test_a_missing_folder_of_the_repository(repository: Path) -> None:
    with pytest.raises(ConfigError, match="has no folder other"):
        open_project(f"file://{repository}#other")


@pytest.mark.parametrize(
    "source", ["file:///x@--upload-pack=evil", "file:///x@a b", "file:///x@a..b", "file:///x#../../etc"]
)
def test_refs_and_folders_that_can_not_be_one(source: str) -> None:
    with pytest.raises(ConfigError):
        git.parse_git_url(source)


@pytest.mark.parametrize(
    ("source", "url", "ref", "folder"),
    [
        ("https://h/g/r.git@v1#a/b", "https://h/g/r.git", "v1", "a/b"),
        ("https://h:8080/g/r.git@feature/x", "https://h:8080/g/r.git", "feature/x", ""),
        ("file:///home/u@x/repo", "file:///home/u@x/repo", "", ""),
        ("file:///home/u@x/repo@v1", "file:///home/u@x/repo", "v1", ""),
        ("git+https://h/r@main", "https://h/r", "main", ""),
        ("git@h:g/r.git@v1#s", "git@h:g/r.git", "v1", "s"),
        ("ssh://git@h:22/g/r.git#s", "ssh://git@h:22/g/r.git", "", "s"),
    ],
)
def test_urls_are_taken_apart(source: str, url: str, ref: str, folder: str) -> None:
    assert git.is_git_url(source)
    parsed = git.parse_git_url(source)
    assert (parsed.url, parsed.ref, parsed.subdirectory) == (url, ref, folder)


@pytest.mark.parametrize("source", ["examples/wine", "/abs/path", "./a@b", "ext::sh -c evil", "C:folder"])
def test_folders_are_no_urls(source: str) -> None:
    assert not git.is_git_url(source)


@pytest.mark.parametrize("user", ["me:hunter2", "hunter2"])
def test_a_password_in_a_url_is_refused_and_not_told(user: str) -> None:
    with pytest.raises(ConfigError, match="leave user name and password out") as caught:
        open_project(f"https://{user}@127.0.0.1:9/r.git@main")
    assert "hunter2" not in str(caught.value)


def test_git_that_takes_too_long_says_no_more_than_that(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "FETCH_SECONDS", 0.0)
    with pytest.raises(ConfigError, match="git took longer") as caught:
        open_project(f"file://{repository}")
    assert str(repository) not in str(caught.value)


def test_a_folder_s_commit_and_changes(repository: Path) -> None:
    clean = open_project(str(repository / "sub" / "dir"))
    assert (clean.commit, clean.dirty) == (run_git(repository, "rev-parse", "HEAD"), False)
    (repository / "sub" / "dir" / "new.py").touch()
    assert open_project(str(repository / "sub" / "dir")).dirty


def test_a_folder_without_git(tmp_path: Path) -> None:
    (tmp_path / "MLproject").touch()
    folder = open_project(str(tmp_path / "MLproject"))
    assert (folder.directory, folder.commit, folder.dirty, folder.from_git) == (
        tmp_path.resolve(),
        None,
        False,
        False,
    )


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="there is no such folder on this machine"):
        open_project("/nowhere/at/all")
