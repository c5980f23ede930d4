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
        ConfigError: If MLflow refuses the command, or a value stands where it can't be quoted.
    """
    marks = {name: f"mark://{secrets.token_hex(12)}/" for name in words}
    words_by_mark = {marks[name]: word for name, word in words.items()}
    command = entry_point.command(marks)
    if words and "<<" in re.sub(r"<<<|\$\(\([^)]*", "", command):  # neither a here-string nor a shift
        raise ConfigError(
            f"entry point {entry_point.name}: its command holds a here-document (<<), in which values can't "
            "be quoted; put that command in a script of the project"
        )
    try:
        return _put(command, words_by_mark)
    except ConfigError as error:
        raise ConfigError(f"entry point {entry_point.name}: its command: {error}") from error


def quoted(value: str) -> str:
    """Return a value as one shell word that nothing expands in."""
    return shlex.quote(value)


def quoted_site_path(path: str) -> str:
    """Return a path in the run directory as one shell word."""
    return f'"$MANTIK_WORKING_DIRECTORY"/{shlex.quote(path)}'


_PLAIN, _SINGLE, _DOUBLE, _ANSI, _BACKTICK, _ARITHMETIC = "", "'", '"', "$'", "`", "$(("
_CLOSES = {_SINGLE: "'", _DOUBLE: '"', _ANSI: "'", _BACKTICK: "`"}
_QUOTES = (_SINGLE, _DOUBLE, _ANSI)
_MARK = r"mark://[0-9a-f]{24}/"
_COMMENT = r"(?:(?<=[\s;&|(])|^)\#[^\n]*"
_OPENS = r"\$\(\(|\$\("
_PIECES = {
    _PLAIN: re.compile(rf"{_MARK}|{_COMMENT}|\\.|{_OPENS}|\$'|.", re.DOTALL),
    _BACKTICK: re.compile(rf"{_MARK}|\\.|{_OPENS}|\$'|.", re.DOTALL),
    _ARITHMETIC: re.compile(rf"{_MARK}|\\.|{_OPENS}|.", re.DOTALL),
    _DOUBLE: re.compile(rf"{_MARK}|\\.|{_OPENS}|.", re.DOTALL),
    _ANSI: re.compile(rf"{_MARK}|\\.|.", re.DOTALL),
    _SINGLE: re.compile(rf"{_MARK}|.", re.DOTALL),  # nothing is escaped there
}
_UNFIT = {
    _BACKTICK: "backticks; write $(…) instead",
    _ARITHMETIC: "$((…)); compute in a script of the project",
}


def _put(command: str, words: Mapping[str, str]) -> str:
    contexts = [_PLAIN]
    result = []
    position = 0
    while match := _PIECES[contexts[-1]].match(command, position):
        piece, position = match[0], match.end()
        if piece in words:
            piece = _in_context(words[piece], contexts)
        elif len(piece) == 1 or piece in ("$(", _ARITHMETIC, _ANSI):
            _enter_or_leave(contexts, piece)
        result.append(piece)
    return "".join(result)


def _in_context(word: str, contexts: list[str]) -> str:
    """Return a word as it has to stand in the innermost context: quotes are left for it."""
    for context in contexts:
        if context in _UNFIT:
            raise ConfigError(f"a value can't be quoted inside of {_UNFIT[context]}")
    innermost = contexts[-1]
    return f"{_CLOSES[innermost]}{word}{innermost}" if innermost in _QUOTES else word


def _enter_or_leave(contexts: list[str], piece: str) -> None:
    """Follow the shell into and out of quotes and substitutions."""
    context = contexts[-1]
    if piece == _CLOSES.get(context):
        contexts.pop()
    elif context in (_SINGLE, _ANSI):
        return
    elif piece == _ARITHMETIC:
        contexts.extend([_ARITHMETIC, _ARITHMETIC])  # two parentheses to close
    elif piece == "$(" or (piece == "(" and context != _DOUBLE):
        contexts.append(_ARITHMETIC if context == _ARITHMETIC and piece == "(" else _PLAIN)
    elif piece == ")" and context in (_PLAIN, _ARITHMETIC) and len(contexts) > 1:
        contexts.pop()
    elif piece in (_DOUBLE, _BACKTICK) or (piece in (_SINGLE, _ANSI) and context in (_PLAIN, _BACKTICK)):
        contexts.append(piece)
