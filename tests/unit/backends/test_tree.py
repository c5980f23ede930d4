import io
from pathlib import Path

import pytest

from mantik_tasks.backends.base import TransferProgress, TransferStopped
from mantik_tasks.backends.tree import BLOCK_BYTES, Tree
from mantik_tasks.errors import TransferError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def write(root: Path, path: str, content: bytes = b"x", size_bytes: int | None = None) -> None:
    Tree(root).write(path, io.BytesIO(content), TransferProgress(), mode=0o640, size_bytes=size_bytes)


def test_a_file_is_written_with_its_folders_and_mode(root: Path) -> None:
    write(root, "a/b/c", b"content")
    assert (root / "a/b/c").read_bytes() == b"content"
    assert (root / "a/b/c").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("link", ["a", "a/b"])
def test_no_file_is_written_through_a_link(root: Path, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "b").mkdir(parents=True)
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(elsewhere)
    with pytest.raises(TransferError, match="link"):
        write(root, "a/b/c")
    assert [path for path in elsewhere.rglob("*") if path.is_file()] == []


def test_a_link_in_a_file_s_place_is_replaced_and_what_it_leads_to_stays(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"keep")
    (root / "a").symlink_to(tmp_path / "elsewhere")
    write(root, "a", b"new")
    assert (root / "a").read_bytes() == b"new"
    assert (tmp_path / "elsewhere").read_bytes() == b"keep"


def test_a_file_that_is_not_whole_leaves_the_old_one_and_nothing_else(root: Path) -> None:
    write(root, "a", b"old")
    with pytest.raises(TransferError):
        write(root, "a", b"new!", size_bytes=3)
    assert [path.name for path in root.iterdir()] == ["a"]
    assert (root / "a").read_bytes() == b"old"


def test_a_transfer_stops_between_two_blocks(root: Path) -> None:
    progress = TransferProgress()
    progress.stop.set()
    content = io.BytesIO(b"x" * 3 * BLOCK_BYTES)
    with pytest.raises(TransferStopped):
        Tree(root).write("a", content, progress, mode=0o600)
    assert content.tell() == BLOCK_BYTES
    assert list(root.iterdir()) == []


def test_deleting_takes_empty_folders_along_and_leaves_others(root: Path) -> None:
    for path in ("a/b/c", "a/d", "e/f"):
        write(root, path)
    tree = Tree(root)
    for path in ("a/b/c", "e/f", "not/there", "a"):
        tree.delete(path)
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == ["a", "a/d"]


def test_only_regular_files_have_a_digest(root: Path) -> None:
    write(root, "a", b"")
    (root / "link").symlink_to("a")
    (root / "folder").mkdir()
    tree = Tree(root)
    assert tree.digest("a") is not None
    assert [tree.digest(path) for path in ("link", "folder", "none", "a/b")] == [None] * 4
