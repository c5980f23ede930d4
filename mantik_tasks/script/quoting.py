"""Text that strangers wrote, as words of bash.

Every line of a script is ours: line breaks and control characters are written as escapes, so no
value can begin a line that looks like a scheduler's directive, and Slurm never sees the carriage
returns for which it refuses a script.
"""

import re
import shlex
from collections.abc import Iterator

from mantik_tasks.errors import ConfigError

_CONTROL = re.compile(r"[\x01-\x1f\x7f]")
_NEXT_LINE = "$'\\n'\\\n"
_HIDDEN = "\0"  # stands for an expansion while text is split
_LITERAL = re.compile(r'["\\`$]')
_TILDE = re.compile(r"~[A-Za-z0-9._-]*(?=/|$)")
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_BRACED_VARIABLE = re.compile(r"\$\{[!#]?[A-Za-z_]")
_TOKEN = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|.""", re.DOTALL)


def quote(text: str) -> str:
    """Return `text` as one word in which nothing acts, each of its lines on a line of its own.

    Raises:
        ConfigError: If it holds the NUL character, which no program can be given.
    """
    if "\0" in text:
        raise ConfigError("A command, variable or parameter holds the NUL character.")
    return _NEXT_LINE.join(map(_quote_line, text.split("\n")))


def expandable(text: str) -> str:
    r"""Return `text` as one word in which `$VAR`, `${VAR...}` and `$(command)` act, and nothing else.

    A `$` that begins none of these (`$5`, `cost$`, an unclosed `$(`) is a dollar sign. A backslash and
    a backtick are themselves, so `\$VAR` is a backslash and the variable's value.
    """
    if shlex.quote(text) == text:
        return text
    return (
        '"' + "".join(part if acts else _LITERAL.sub(r"\\\g<0>", part) for part, acts in _parts(text)) + '"'
    )


def expandable_words(text: str) -> list[str]:
    """Split `text` as a shell does; return its words as `expandable` does, a leading `~` as a home.

    Raises:
        ValueError: If a quote is not closed.
    """
    expansions = []
    hidden = ""
    for part, acts in _parts(text):
        if acts:
            expansions.append(part)
        hidden += _HIDDEN if acts else part.replace(_HIDDEN, "")
    shown = iter(expansions)
    return [_with_home(re.sub(_HIDDEN, lambda _: next(shown), word)) for word in shlex.split(hidden)]


def has_expansion(text: str) -> bool:
    """Whether anything in `text` acts in `expandable(text)`."""
    return any(acts for _, acts in _parts(text))


def _with_home(word: str) -> str:
    if not (tilde := _TILDE.match(word)):
        return expandable(word)
    rest = word[tilde.end() + 1 :]
    return f"{tilde[0]}/{expandable(rest)}" if rest else tilde[0]


def _quote_line(line: str) -> str:
    if not _CONTROL.search(line):
        return shlex.quote(line)
    escaped = line.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + _CONTROL.sub(lambda character: f"\\{ord(character[0]):03o}", escaped) + "'"


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of `text`, and whether each is an expansion."""
    literal = position = 0
    while (start := text.find("$", position)) >= 0:
        position = start + 1
        if end := _expansion_end(text, start):
            yield text[literal:start], False
            yield text[start:end], True
            literal = position = end
    yield text[literal:], False


def _expansion_end(text: str, start: int) -> int | None:
    """Return where the expansion ends that begins at `start`, if one does."""
    if variable := _VARIABLE.match(text, start):
        return variable.end()
    if text.startswith("$(", start):
        return _closing(text, start + 1, "()")
    if _BRACED_VARIABLE.match(text, start):
        return _closing(text, start + 1, "{}")
    return None


def _closing(text: str, start: int, brackets: str) -> int | None:
    """Return the end of what the bracket at `start` opens, if it is closed."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        depth += {brackets[0]: 1, brackets[1]: -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return None
