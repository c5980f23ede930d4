import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mantik_tasks.backends.base import BundleFile
from mantik_tasks.backends.manifest import Manifest, safe_parts
from mantik_tasks.errors import TransferError

names = (
    st.binary(min_size=1, max_size=12)
    .map(os.fsdecode)
    .filter(lambda name: name not in (".", "..", ".mantik") and "/" not in name and "\0" not in name)
)


def file(path: str, mode: int = 0o644) -> BundleFile:
    return BundleFile(path, lambda: io.BytesIO(b""), mode)


@given(st.sets(names, max_size=5))
def test_any_name_survives_the_file(paths: set[str]) -> None:
    manifest = Manifest.of(file(path) for path in paths)
    assert Manifest.decode(manifest.encode()).paths == manifest.paths == paths


def test_the_digest_depends_on_the_files_and_not_on_their_order() -> None:
    assert Manifest.of([file("a"), file("b")]).digest == Manifest.of([file("b"), file("a")]).digest
    assert Manifest.of([file("a")]).digest != Manifest.of([file("a", 0o755)]).digest


def test_only_permission_bits_travel() -> None:
    assert Manifest.of([file("a", 0o104755)]).entries[0].mode == 0o755


@pytest.mark.parametrize("paths", [["a", "a"], ["a", "a/b"], ["a/b/c", "a/b"], [".mantik/x"], [".mantik"]])
def test_files_that_are_in_each_other_s_way_are_refused(paths: list[str]) -> None:
    with pytest.raises(TransferError):
        Manifest.of(file(path) for path in paths)


@pytest.mark.parametrize(
    "path", ["", "/", "/a", "a/", "a//b", ".", "./a", "..", "../a", "a/..", "a\0", "\ud800"]
)
def test_paths_that_are_not_plain_and_relative_are_refused(path: str) -> None:
    with pytest.raises(TransferError):
        safe_parts(path)


@given(st.text(alphabet=st.sampled_from("./a\0"), max_size=8))
def test_a_safe_path_stays_below(path: str) -> None:
    try:
        safe_parts(path)
    except TransferError:
        return
    assert os.path.normpath(f"/root/{path}") == f"/root/{path}"
