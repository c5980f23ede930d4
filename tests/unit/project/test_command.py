"""Values reach the program byte for byte, wherever the project's command puts them."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mantik_tasks.errors import ConfigError
from mantik_tasks.project.command import fill_in, quoted, quoted_site_path
from mantik_tasks.project.mlproject import EntryPoint, load_mlproject

SHOW_ARGUMENTS = "import sys; sys.stdout.buffer.write(b'\\0'.join(a.encode() for a in sys.argv[1:]))"
HARD_VALUES = [
    "plain",
    "two words",
    "it's",
    'say "hi"',
    "$HOME $(touch /tmp/owned) ${PATH}",
    "`touch /tmp/owned`",
    "a\nb",
    "\\",
    "\\'",
    "-leading",
    "--",
    "*",
    "~",
    "!history",
    "# no comment",
    "{braces}",
    "grüße 日本語 🍷",
    "",
    "tab\there",
    ";|&<>()",
]


def entry_point(folder: Path, command: str, *parameters: str) -> EntryPoint:
    lines = "".join(f"      {name}: string\n" for name in parameters)
    declared = f"    parameters:\n{lines}" if lines else ""
    body = "".join(f"      {line}\n" for line in command.splitlines())
    text = f"name: p\nentry_points:\n  main:\n{declared}    command: |\n{body}"
    (folder / "MLproject").write_text(text, encoding="utf-8")
    return load_mlproject(folder).entry_point("main")


def arguments(command: str) -> list[str]:
    """Run a command as a job does, and return the arguments that the program got."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    return [] if not done.stdout else done.stdout.decode().split("\0")


def filled(entry: EntryPoint, values: Mapping[str, str]) -> str:
    return fill_in(entry, {name: quoted(value) for name, value in values.items()})


@pytest.fixture
def show(tmp_path: Path) -> str:
    program = tmp_path / "show.py"
    program.write_text(SHOW_ARGUMENTS)
    return f"{sys.executable} {program}"


@pytest.mark.parametrize("value", HARD_VALUES)
@pytest.mark.parametrize("place", ["{value}", '"{value}"', "'{value}'", '--x="{value}"', "x{value}y"])
def test_a_value_arrives_byte_for_byte(tmp_path: Path, show: str, place: str, value: str) -> None:
    entry = entry_point(tmp_path, f"{show} {place} end", "value")
    expected = place.strip("\"'").replace('"', "").replace("{value}", value)
    assert arguments(filled(entry, {"value": value})) == [expected, "end"]


def test_a_value_inside_of_a_command_substitution_is_quoted_for_there(tmp_path: Path, show: str) -> None:
    entry = entry_point(tmp_path, f'{show} "$(printf %s {{a}})" "$(printf \'%s\' "{{b}}")"', "a", "b")
    assert arguments(filled(entry, {"a": "$HOME 'x'", "b": 'a "$b" `c`'})) == ["$HOME 'x'", 'a "$b" `c`']


def test_a_quote_in_a_comment_changes_nothing(tmp_path: Path, show: str) -> None:
    entry = entry_point(tmp_path, f"# don't mind {{a}}\n{show} {{a}} # 'it\n", "a")
    assert arguments(filled(entry, {"a": "x\ntouch /tmp/owned"})) == ["x\ntouch /tmp/owned"]


def test_escaped_quotes_are_no_quotes(tmp_path: Path, show: str) -> None:
    entry = entry_point(tmp_path, f"{show} \\' \\\" {{a}}", "a")
    assert arguments(filled(entry, {"a": "$x y"})) == ["'", '"', "$x y"]


def test_a_backslash_in_single_quotes_escapes_nothing(tmp_path: Path, show: str) -> None:
    entry = entry_point(tmp_path, f"{show} 'a\\' {{a}}", "a")
    assert arguments(filled(entry, {"a": "$x"})) == ["a\\", "$x"]


def test_subshells_and_arithmetic_do_not_confuse(tmp_path: Path, show: str) -> None:
    entry = entry_point(tmp_path, f'(true); {show} "$((1 + (2 * 3)))" "{{a}}"', "a")
    assert arguments(filled(entry, {"a": "'"})) == ["7", "'"]


def test_doubled_braces_stay_as_the_shell_s_own(tmp_path: Path, show: str) -> None:
    entry = entry_point(tmp_path, f'X=1; {show} "${{{{X}}}}" {{a}}', "a")
    assert arguments(filled(entry, {"a": "2"})) == ["1", "2"]


def test_values_in_a_here_document_are_refused(tmp_path: Path) -> None:
    entry = entry_point(tmp_path, "cat <<EOF\n{a}\nEOF", "a")
    with pytest.raises(ConfigError, match="here-document"):
        filled(entry, {"a": "x"})


@pytest.mark.parametrize(
    "command", ["echo `echo {a}`", 'echo "`echo {a}`"', "echo $(( {a} + 1 ))", 'echo "$((1 + ({a})))"']
)
def test_values_where_nothing_can_quote_them_are_refused(tmp_path: Path, command: str) -> None:
    with pytest.raises(ConfigError, match="can't be quoted inside of"):
        filled(entry_point(tmp_path, command, "a"), {"a": "1"})


def test_ansi_c_quotes_have_escapes_of_their_own(tmp_path: Path, show: str) -> None:
    entry = entry_point(tmp_path, f"{show} $'it\\'s' {{a}} $'x{{a}}\\ty'", "a")
    assert arguments(filled(entry, {"a": "a; touch /tmp/owned"})) == [
        "it's",
        "a; touch /tmp/owned",
        "xa; touch /tmp/owned\ty",
    ]


def test_a_shift_is_no_here_document(tmp_path: Path, show: str) -> None:
    entry = entry_point(tmp_path, f"{show} $((1<<3)) {{a}}", "a")
    assert arguments(filled(entry, {"a": "x"})) == ["8", "x"]


def test_a_here_string_is_fine(tmp_path: Path) -> None:
    entry = entry_point(tmp_path, "cat <<< {a}", "a")
    assert arguments(filled(entry, {"a": "$x"})) == ["$x\n"]


def test_a_site_path_expands_its_front_alone() -> None:
    word = quoted_site_path("inputs/data/$HOME it's.csv")
    shown = subprocess.run(
        ["bash", "-c", f"MANTIK_WORKING_DIRECTORY='/p/a b'; printf %s {word}"],
        capture_output=True,
        check=True,
    )
    assert shown.stdout.decode() == "/p/a b/inputs/data/$HOME it's.csv"


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@settings(max_examples=60, deadline=None)
@given(first=TEXT, second=TEXT)
def test_any_text_arrives(tmp_path_factory: pytest.TempPathFactory, first: str, second: str) -> None:
    folder = tmp_path_factory.mktemp("project")
    entry = entry_point(folder, "printf '%s\\0' {first} \"{second}\" '{first}'", "first", "second")
    shown = subprocess.run(
        ["bash", "-c", filled(entry, {"first": first, "second": second})], capture_output=True, check=True
    )
    assert shown.stdout.decode() == f"{first}\0{second}\0{first}\0"
