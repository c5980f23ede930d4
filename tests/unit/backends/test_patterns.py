import pytest
from hypothesis import given
from hypothesis import strategies as st

from mantik_tasks.backends.patterns import wanted_files
from mantik_tasks.errors import ConfigError


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        (["*.png"], "a/b.png", True),
        (["/*.png"], "a/b.png", False),
        (["out/"], "out/a/b", True),
        (["out/"], "out", False),
        (["out", "!*.tmp"], "out/a.tmp", False),
        (["a/**/b"], "a/x/y/b", True),
        (["# comment", ""], "# comment", False),
        (["**"], "anything", True),
        (["*"], ".mantik/environment", False),
        (["/.mantik/result.json"], ".mantik/result.json", False),
        (["*"], "deep/.mantik/theirs", True),
        ([], "anything", False),
    ],
)
def test_patterns_mean_what_they_mean_in_gitignore(patterns: list[str], path: str, expected: bool) -> None:
    assert wanted_files(patterns)(path) is expected


def test_a_pattern_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="fetch"):
        wanted_files(["!"])


@given(st.lists(st.text(max_size=20), max_size=4), st.text(min_size=1, max_size=20))
def test_our_own_files_are_never_wanted(patterns: list[str], name: str) -> None:
    try:
        wanted = wanted_files(patterns)
    except ConfigError:
        return
    assert not wanted(f".mantik/{name}")
