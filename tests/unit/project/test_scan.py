"""Programs that would send their log elsewhere are found before they run."""

from pathlib import Path

from mantik_tasks.project.files import project_files
from mantik_tasks.project.scan import tracking_warnings


def warnings(folder: Path, text: str, name: str = "train.py") -> list[str]:
    (folder / name).write_text(text)
    return tracking_warnings(project_files(folder))


def test_calls_are_found_with_their_line(tmp_path: Path) -> None:
    found = warnings(
        tmp_path, "import mlflow\n\nmlflow.set_experiment('x')\nif 1:\n    mlflow.set_tracking_uri('y')\n"
    )
    assert [warning.partition(": ")[0] for warning in found] == ["train.py:3", "train.py:5"]
    assert "MLFLOW_RUN_ID" in found[0]


def test_imported_names_are_found(tmp_path: Path) -> None:
    assert len(warnings(tmp_path, "from mlflow import set_experiment\nset_experiment('x')\n")) == 1


def test_words_in_comments_and_strings_are_no_calls(tmp_path: Path) -> None:
    assert warnings(tmp_path, "import mlflow\n# mlflow.set_experiment('x')\n'mlflow.set_experiment'\n") == []


def test_a_program_that_does_not_parse_is_left_alone(tmp_path: Path) -> None:
    assert warnings(tmp_path, "import mlflow\nmlflow.set_experiment(\n") == []


def test_other_files_are_not_read(tmp_path: Path) -> None:
    assert warnings(tmp_path, "mlflow.set_experiment('x')", "notes.txt") == []
