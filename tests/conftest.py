"""What all tests share."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Return a copy of one of the projects in `tests/data/projects`, or of an example."""

    def copy(name: str) -> Path:
        source = DATA / "projects" / name
        if not source.is_dir():
            source = ROOT / "examples" / name
        return Path(shutil.copytree(source, tmp_path / "projects" / name))

    return copy


@pytest.fixture
def root() -> Path:
    """Return the checkout."""
    return ROOT
