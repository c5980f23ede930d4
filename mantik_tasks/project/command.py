"""An entry point's command with parameter values in it, quoted wherever they stand.

MLflow quotes values for a place outside of quotes; projects also write `"{name}"`, where such a
value would arrive with quotes around it, and `$` in it would act. So MLflow fills in marks, and the
values are put where the marks are, quoted for that place.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Mapping

from mantik_tasks.errors import ConfigError
from mantik_tasks.project.mlproject import EntryPoint


def fill_in(entry_point: EntryPoint, words: Mapping[str, str]) -> str:
    """Return the command of an entry point.

    Args:
        entry_point: The entry point.
        words: For each parameter its value as one shell word, quoted for a place outside of quotes.

    Raises:
        ConfigError: If MLflow refuses the command, or a value stands in a here-document.
    """
    marks = {name: f"mark://{secrets.token_hex(12)}/" for name in words}
    words_by_mark = {marks[name]: word for name, word in words.items()}
    command = entry_point.command(marks)
    if words and "<<" in command.replace("<<<", ""):
        raise ConfigError(
            f"entry point {entry_point.name}: its command holds a here-document (<<), in which values can't "
            "be quoted; put that command in a script of the project"
        )
    return _put(command, words_by_mark)


def quoted(value: str) -> str:
    """Return a value as one shell word that nothing expands in."""
    return shlex.quote(value)


def quoted_site_path(path: str) -> str:
    """Return a path in the run directory as one shell word."""
    return f'"$MANTIK_WORKING_DIRECTORY"/{shlex.quote(path)}'


_PLAIN, _SINGLE, _DOUBLE, _BACKTICK = "", "'", '"', "`"
_MARK = r"mark://[0-9a-f]{24}/"
_COMMENT = r"(?:(?<=[\s;&|(])|^)\#[^\n]*"
_ESCAPED = r"\\."
_PIECES = {
    _PLAIN: re.compile(rf"{_MARK}|{_COMMENT}|{_ESCAPED}|\$\(|.", re.DOTALL),
    _BACKTICK: re.compile(rf"{_MARK}|{_ESCAPED}|\$\(|.", re.DOTALL),
    _DOUBLE: re.compile(rf"{_MARK}|{_ESCAPED}|\$\(|.", re.DOTALL),
    _SINGLE: re.compile(rf"{_MARK}|.", re.DOTALL),  # nothing is escaped there
}


def _put(command: str, words: Mapping[str, str]) -> str:
    contexts = [_PLAIN]
    result = []
    position = 0
    while match := _PIECES[contexts[-1]].match(command, position):
        piece, position = match[0], match.end()
        if piece in words:
            quote = contexts[-1] if contexts[-1] in (_SINGLE, _DOUBLE) else ""
            piece = f"{quote}{words[piece]}{quote}"
        elif len(piece) == 1 or piece == "$(":
            _enter_or_leave(contexts, piece)
        result.append(piece)
    return "".join(result)


def _enter_or_leave(contexts: list[str], piece: str) -> None:
    """Follow the shell into and out of quotes and substitutions."""
    context = contexts[-1]
    in_quotes = context in (_SINGLE, _DOUBLE)
    if piece == context:
        contexts.pop()
    elif context == _SINGLE:
        return
    elif piece == "$(" or (piece == "(" and not in_quotes):
        contexts.append(_PLAIN)
    elif piece == ")" and context == _PLAIN and len(contexts) > 1:
        contexts.pop()
    elif piece in (_DOUBLE, _BACKTICK) or (piece == _SINGLE and not in_quotes):
        contexts.append(piece)
