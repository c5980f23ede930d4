"""A job's log as a person reads it."""

from hypothesis import given
from hypothesis import strategies as st

from mantik_tasks.loglines import LogLines


def lines(*chunks: bytes) -> list[str]:
    log = LogLines()
    return [record for chunk in chunks for record in log.feed(chunk)] + list(log.end())


def test_lines_come_when_they_are_whole() -> None:
    log = LogLines()
    assert list(log.feed(b"one\ntw")) == ["one"]
    assert list(log.feed(b"o\n")) == ["two"]
    assert list(log.end()) == []


def test_a_last_line_without_an_end_is_not_lost() -> None:
    assert lines(b"one\ntwo") == ["one", "two"]


def test_a_character_may_be_cut_between_two_reads() -> None:
    text = "grüße".encode()
    assert lines(text[:3], text[3:] + b"\n") == ["grüße"]


def test_a_progress_bar_shows_its_last_state() -> None:
    assert lines(b"10%\r20%\r30%\n") == ["30%"]


def test_colours_and_control_characters_are_dropped() -> None:
    assert lines(b"\x1b[31mred\x1b[0m\x07 \x1b]x\n") == ["red x"]


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert lines(b"a\xffb\n") == ["a\ufffdb"]


def test_many_lines_come_in_blocks() -> None:
    records = lines(b"".join(b"%d\n" % number for number in range(1000)))
    assert len(records) == 10
    assert "\n".join(records).split("\n") == [str(number) for number in range(1000)]


def test_an_endless_line_is_cut_and_said_to_be() -> None:
    records = lines(b"x" * 100_000)
    assert all(len(record) < 5000 for record in records)
    assert "(cut)" in records[0]


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_how_the_bytes_are_cut_changes_nothing(chunks: list[bytes]) -> None:
    assert "\n".join(lines(*chunks)) == "\n".join(lines(b"".join(chunks)))
