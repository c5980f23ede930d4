"""What travels to the site."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import fsspec
import pytest
from pydantic import JsonValue

from mantik_tasks.backends.base import Bundle
from mantik_tasks.errors import TransferError
from mantik_tasks.models import JobScript
from mantik_tasks.project.bundle import build_bundle
from mantik_tasks.project.spec import make_spec

Project = Callable[[str], Path]
SCRIPT = JobScript(job="#!/bin/bash\n")


def bundle(folder: Path, data: str, config: Mapping[str, JsonValue] | None = None) -> Bundle:
    return build_bundle(
        make_spec(str(folder), entry_point="read", parameters={"data": data}, config=config), SCRIPT
    )


def contents(made: Bundle) -> dict[str, bytes]:
    result = {}
    for file in made.files:
        with file.open() as content:
            result[file.path] = content.read()
    return result


def test_local_files_come_with_size_and_digest(project: Project) -> None:
    made = bundle(project("echo"), "MLproject")
    for file in made.files:
        with file.open() as content:
            data = content.read()
        assert (file.size_bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert made.intent.spec.entry_point == "read"


def test_a_folder_as_input_keeps_its_shape(project: Project, tmp_path: Path) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "deep" / "a").write_text("x")
    assert contents(bundle(project("echo"), str(tmp_path / "data")))["inputs/data/data/deep/a"] == b"x"


def test_a_url_of_a_file_or_a_folder(project: Project) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe({"/bundle/one": b"1", "/bundle/deep/two": b"2"})
    folder = project("echo")
    assert contents(bundle(folder, "memory://bundle/one"))["inputs/data/one"] == b"1"
    made = contents(bundle(folder, "memory://bundle"))
    assert (made["inputs/data/bundle/one"], made["inputs/data/bundle/deep/two"]) == (b"1", b"2")


def test_a_url_that_can_not_be_read_is_named(project: Project) -> None:
    with pytest.raises(TransferError, match="memory://nothing/here"):
        contents(bundle(project("echo"), "memory://nothing/here"))


def test_an_image_travels_even_if_it_is_excluded(project: Project) -> None:
    folder = project("echo")
    (folder / "sub").mkdir()
    (folder / "sub" / "image.sif").write_bytes(b"image")
    config: dict[str, JsonValue] = {
        "Local": {},
        "Environment": {"Apptainer": {"Path": "sub/image.sif"}},
        "Exclude": ["*.sif", "*.py"],
    }
    made = contents(bundle(folder, "MLproject", config))
    assert made["sub/image.sif"] == b"image"
    assert "echo.py" not in made
