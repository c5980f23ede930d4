"""Which files of a project travel, and which can't."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mantik_tasks.errors import ConfigError
from mantik_tasks.project.files import project_files

NOBODY = 65534


@pytest.fixture
def as_ordinary_user() -> Iterator[Path]:
    """A folder of a user whom permissions hold back, unlike root."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0:
            yield Path(folder)
            return
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


def paths(folder: Path, *exclude: str) -> list[str]:
    return [file.path for file in project_files(folder, exclude)]


def problems(folder: Path, *exclude: str) -> str:
    with pytest.raises(ConfigError) as caught:
        project_files(folder, exclude)
    return str(caught.value)


def test_everything_travels_but_git_and_our_own_files(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "sub/b.py", ".hidden", ".git/config", "sub/.git", ".mantik/x", "mantik.log")
    assert paths(tmp_path) == [".hidden", "a.py", "sub/b.py"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.bin", ["a.py", "data/c.txt", "sub/data/d.txt"]),
        ("data/", ["a.py", "b.bin"]),
        ("/data", ["a.py", "b.bin", "sub/data/d.txt"]),
        ("data/*.txt", ["a.py", "b.bin", "sub/data/d.txt"]),
        ("**/*.txt", ["a.py", "b.bin"]),
    ],
)
def test_exclude_has_gitignore_s_meaning(tmp_path: Path, pattern: str, left: list[str]) -> None:
    write(tmp_path, "a.py", "b.bin", "data/c.txt", "sub/data/d.txt")
    assert paths(tmp_path, pattern) == left


def test_a_negated_pattern_takes_a_file_back_in(tmp_path: Path) -> None:
    write(tmp_path, "data/a.txt", "data/keep.txt")
    assert paths(tmp_path, "data/*", "!data/keep.txt") == ["data/keep.txt"]


def test_links_inside_travel_as_what_they_point_to(tmp_path: Path) -> None:
    write(tmp_path, "real/a.txt")
    (tmp_path / "file").symlink_to("real/a.txt")
    (tmp_path / "folder").symlink_to("real")
    files = {file.path: file.source.read_text() for file in project_files(tmp_path)}
    assert files == {"file": "real/a.txt", "folder/a.txt": "real/a.txt", "real/a.txt": "real/a.txt"}


def test_links_that_lead_nowhere_good_are_refused_all_at_once(tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(project, "sub/a")
    (project / "passwd").symlink_to("/etc/passwd")
    (project / "nothing").symlink_to("missing")
    (project / "itself").symlink_to("itself")
    (project / "sub" / "loop").symlink_to("..")
    text = problems(project)
    assert "'passwd': is a link out of the project" in text
    assert "'nothing': is a link to nothing" in text
    assert "'itself': is a link to nothing" in text
    assert "'sub/loop': is a link to a folder that holds it" in text


def test_an_excluded_link_troubles_nobody(tmp_path: Path) -> None:
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    assert paths(tmp_path, "passwd") == []


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "'pipe': is a pipe" in problems(tmp_path)


def test_an_unreadable_file_is_named(as_ordinary_user: Path) -> None:
    write(as_ordinary_user, "secret", "closed/a")
    (as_ordinary_user / "secret").chmod(0)
    (as_ordinary_user / "closed").chmod(0)
    text = problems(as_ordinary_user)
    assert "'secret': can't be read" in text
    assert "'closed/': can't be read" in text


@pytest.mark.parametrize(
    "name", ["two words", "new\nline", "-dash", "ünïcode", "qu'ote\"", "$HOME", "#", "back\\slash"]
)
def test_odd_names_travel(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert paths(tmp_path) == [name]


def test_a_name_that_is_no_text_travels(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    assert [os.fsencode(path) for path in paths(tmp_path)] == [b"\xff"]


def test_permissions_travel(tmp_path: Path) -> None:
    write(tmp_path, "run.sh")
    (tmp_path / "run.sh").chmod(0o755)
    assert project_files(tmp_path)[0].mode == 0o755


def test_ten_thousand_files(tmp_path: Path) -> None:
    for folder in range(100):
        (tmp_path / str(folder)).mkdir()
        for number in range(100):
            (tmp_path / str(folder) / str(number)).touch()
    assert len(paths(tmp_path, "*.pyc", "data/")) == 10_000


def test_many_problems_are_cut_but_counted(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"link{number}").symlink_to("missing")
    assert "10 more files" in problems(tmp_path)
