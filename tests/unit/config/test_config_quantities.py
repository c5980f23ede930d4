"""Runtimes, memory, whole numbers and flags, as files write them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mantik_tasks.config.quantities import (
    LARGEST_COUNT,
    format_runtime,
    parse_flag,
    parse_memory,
    parse_runtime,
    parse_whole_number,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1_800),
        ("1h30m", 5_400),
        ("12h", 43_200),
        ("12H", 43_200),
        ("1d", 86_400),
        ("1d2h3m4s", 93_784),
        ("01:00:00", 3_600),
        ("100:00:00", 360_000),
        ("2-12:30:00", 217_800),
        ("0-00:00:01", 1),
    ],
)
def test_a_runtime_is_a_number_with_units_or_a_clock(text: str, seconds: int) -> None:
    assert parse_runtime(text) == seconds


@pytest.mark.parametrize("number", ["3600", 3600])
def test_a_bare_number_is_no_runtime_because_sites_read_it_differently(number: object) -> None:
    with pytest.raises(ValueError, match="3600s or 3600m"):
        parse_runtime(number)


@pytest.mark.parametrize("text", ["0s", "0", "0h0m", "00:00:00", "99999d"])
def test_a_runtime_is_longer_than_nothing_and_shorter_than_a_life(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_runtime(text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "h",
        "1.5h",
        "-1h",
        "1h 30m",
        "30m1h",
        "1w",
        "10:00",
        "1:60:00",
        "1-24:00:00",
        "１h",
        "9" * 10,
        True,
        1.5,
        None,
        [],
    ],
)
def test_anything_else_is_no_runtime(value: object) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_runtime(value)


@given(st.integers(1, LARGEST_COUNT))
def test_a_formatted_runtime_means_the_same(seconds: int) -> None:
    assert parse_runtime(format_runtime(seconds)) == seconds


@given(st.integers(0, 20_000), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_clock_and_units_agree(days: int, hours: int, minutes: int, seconds: int) -> None:
    clock = f"{days}-{hours:02}:{minutes:02}:{seconds:02}"
    assert parse_runtime(clock) == parse_runtime(f"{days}d{hours}h{minutes}m{seconds}s")


@pytest.mark.parametrize(
    ("value", "mib"),
    [
        (4096, 4096),
        ("4096", 4096),
        ("512M", 512),
        ("512MiB", 512),
        ("10G", 10_240),
        ("10g", 10_240),
        ("12GiB", 12_288),
        ("1T", 1_048_576),
    ],
)
def test_memory_is_counted_in_mib(value: object, mib: int) -> None:
    assert parse_memory(value) == mib


@pytest.mark.parametrize(
    "value", [0, "0G", "-1", -1, "1.5G", 1.5, "10GB", "10 G", "1K", "G", "", True, None, "9999999999T"]
)
def test_anything_else_is_no_memory(value: object) -> None:
    with pytest.raises(ValueError, match="MiB"):
        parse_memory(value)


@given(st.integers(1, 1000))
def test_units_of_memory_are_binary(count: int) -> None:
    assert (
        parse_memory(f"{count}T") == 1024 * parse_memory(f"{count}G") == 1024**2 * parse_memory(f"{count}M")
    )


@given(st.integers(0, LARGEST_COUNT))
def test_a_whole_number_may_be_written_as_text(number: int) -> None:
    assert parse_whole_number(number, 0) == parse_whole_number(str(number), 0) == number


@pytest.mark.parametrize(
    "value",
    [0, -1, "-1", 1.9, "1.9", 1.0, "1e3", "1_000", "010", "0x10", "+1", " 1", "", True, "true", None, 2**31],
)
def test_anything_else_is_no_count(value: object) -> None:
    with pytest.raises(ValueError, match="whole number from 1"):
        parse_whole_number(value, 1)


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (True, True),
        ("true", True),
        ("Yes", True),
        ("ON", True),
        (False, False),
        ("no", False),
        ("off", False),
    ],
)
def test_a_flag_is_one_of_yamls_words(value: object, flag: bool) -> None:
    assert parse_flag(value) is flag


@pytest.mark.parametrize("value", [1, 0, "1", "y", "", None, []])
def test_anything_else_is_no_flag(value: object) -> None:
    with pytest.raises(ValueError, match="true or false"):
        parse_flag(value)


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none())
@example("9" * 5000)
@example(10**5000)
def test_whatever_is_given_is_parsed_or_refused(value: object) -> None:
    for parse in (parse_runtime, parse_memory, parse_flag, lambda v: parse_whole_number(v, 0)):
        message = ""
        try:
            assert parse(value) >= 0
        except ValueError as error:
            message = str(error)
        assert not message or message.startswith(("must ", "has no unit"))
