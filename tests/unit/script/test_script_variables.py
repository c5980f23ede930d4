"""What of a variable's value acts, and what arrives as it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mantik_tasks.script.quoting import expandable_words

Job = Callable[..., str]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0$"), max_size=30)
# Dollars before what can't begin an expansion.
DOLLARS = st.text(st.sampled_from("$ 5'\"\\`.$!@#)}]ü\n"), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(TEXT | DOLLARS, min_size=20, max_size=40))
def test_any_value_without_an_expansion_arrives_byte_for_byte(node: Any, job: Job, values: list[str]) -> None:
    node.forget()
    variables = {f"VALUE_{number}": value for number, value in enumerate(values)}
    assert node.run(job(Variables=variables)).returncode == 0
    environment = node.calls("probe")[0].environment
    assert {name: environment[name] for name in variables} == variables


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$WORD", "two words"),
        ("${WORD}", "two words"),
        ("${NONE:-a '}' b}", "a '}' b"),
        ("${WORD%% *}", "two"),
        ("${#WORD}", "9"),
        ("$WORD/$WORD;ls", "two words/two words;ls"),
        ("$(printf '%s)' \"$WORD\")", "two words)"),
        ("$(echo $(echo a))$((1 + 2))", "a3"),
        ("$(echo a\necho b)", "a\nb"),
        ('"$WORD"', '"two words"'),
        ("'$WORD'", "'two words'"),
        (r"\$WORD", r"\two words"),
        ("$NONE", ""),
        ("$WORDS", ""),
        ("`echo a`", "`echo a`"),
        ("~/x", "~/x"),
        ("~", "~"),
        ("$", "$"),
        ("cost$ $5 $$ $? ${5} ${} $'a' $\"a\"", "cost$ $5 $$ $? ${5} ${} $'a' $\"a\""),
        ("$(open ${WORD", "$(open ${WORD"),
        ("a;b & c | d > e * ? [x] {a,b} # !", "a;b & c | d > e * ? [x] {a,b} # !"),
        ("#SBATCH --nodes=9\n#SBATCH -x", "#SBATCH --nodes=9\n#SBATCH -x"),
        ("\r\n\t", "\r\n\t"),
    ],
)
def test_only_dollar_expressions_act(node: Any, job: Job, value: str, expected: str) -> None:
    text = job(Variables={"WORD": "two words", "VALUE": value})
    assert "\r" not in text
    assert not any(line.startswith("#SBATCH") for line in text.splitlines())
    assert node.run(text).returncode == 0
    assert node.calls("probe")[0].environment["VALUE"] == expected


def test_later_variables_see_earlier_ones(node: Any, job: Job) -> None:
    node.run(job(Variables={"Z": "1", "A": "$Z$Z"}))
    assert node.calls("probe")[0].environment["A"] == "11"


def test_options_are_split_as_a_shell_splits_them() -> None:
    assert expandable_words("--a='b c' $X/$(d e) ~me/f ~ g~") == [
        '"--a=b c"',
        '"$X/$(d e)"',
        "~me/f",
        "~",
        '"g~"',
    ]
