"""Bytes of a job's log as lines for a person."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_LONGEST_LINE = 4000
_LINES_PER_RECORD = 100
_LINES_ONE_BY_ONE = 20
# Colours and cursor movements mean nothing on a web page, and can hide text on a terminal.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]")


class LogLines:
    """Cuts a growing log into records: whole lines, one by one while there are few."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the records that `data` completes."""
        *lines, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = ""
        yield from _records([_shown(line) for line in lines])

    def end(self) -> Iterator[str]:
        """Yield what is left of a last line without an end."""
        rest = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        if rest:
            yield _shown(rest)


def _shown(line: str) -> str:
    """Return a line as a terminal would show it last: progress bars write over themselves."""
    line = _CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2])
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} … (cut)"


def _records(lines: list[str]) -> Iterator[str]:
    if len(lines) <= _LINES_ONE_BY_ONE:
        yield from lines
        return
    for start in range(0, len(lines), _LINES_PER_RECORD):
        yield "\n".join(lines[start : start + _LINES_PER_RECORD])
