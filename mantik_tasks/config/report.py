"""What is said about a config: problems, which stop a run, and warnings, which do not."""

from __future__ import annotations

from dataclasses import dataclass, field

from mantik_tasks.errors import ConfigError

KeyPath = tuple[str | int, ...]

_LONGEST_KEY = 60


@dataclass(frozen=True)
class Place:
    """Where something is written: a file or a block, and the line if there are lines."""

    source: str
    line: int | None = None

    def __str__(self) -> str:
        """Return the place as messages begin with it."""
        return self.source if self.line is None else f"{self.source}:{self.line}"


def show_key(key: str) -> str:
    """Return a key as a message may hold it: on one line, and not without end."""
    shown = key if key.isprintable() and key.strip() else ascii(key)
    return shown if len(shown) <= _LONGEST_KEY else f"{shown[:_LONGEST_KEY]}…"


def show_path(path: KeyPath) -> str:
    """Return a path as in `Environment.Modules[0]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{show_key(part)}" for part in path)
    return "".join(parts).removeprefix(".")


@dataclass(frozen=True)
class Finding:
    """One thing to say about one place."""

    place: Place
    path: KeyPath
    text: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return ": ".join(filter(None, (str(self.place), show_path(self.path), self.text)))


@dataclass
class Report:
    """Collects findings, so that a person sees all of them at once."""

    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def problem(self, place: Place, path: KeyPath, text: str) -> None:
        """Note what stops the run."""
        self.problems.append(Finding(place, path, text))

    def warning(self, place: Place, path: KeyPath, text: str) -> None:
        """Note what a person should know."""
        self.warnings.append(Finding(place, path, text))

    def raise_problems(self) -> None:
        """End here if anything stops the run.

        Raises:
            ConfigError: With every problem.
        """
        if self.problems:
            raise ConfigError(as_lines(self.problems))


def as_lines(findings: list[Finding]) -> tuple[str, ...]:
    """Return findings as text: those of one source together, in the order of its lines."""
    sources = list(dict.fromkeys(finding.place.source for finding in findings))
    ordered = sorted(findings, key=lambda f: (sources.index(f.place.source), f.place.line or 0))
    return tuple(dict.fromkeys(map(str, ordered)))
