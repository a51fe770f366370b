"""Saved questions: what auditors ask, one commented .sql file a question, with named parameters.

The head of a file is its title, what it answers, and a line for each parameter:

    -- Did a message ever reach a third party?
    --
    -- Each arrival of the message in a dataset …
    --
    -- $message (text): Id of the message.
    -- $since (timestamp, default null): Only from this instant on.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from lineage.errors import QueryError

__all__ = ["Parameter", "SavedQuestion", "read_question", "saved_question", "saved_questions"]

_PARAMETER = re.compile(
    r"\$(?P<name>\w+) \((?P<kind>text|timestamp)(?:, default (?P<default>[^)]+))?\): (?P<text>.+)"
)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a question.

    Attributes:
        name: The name, as in $name.
        kind: text, or timestamp: an instant in ISO 8601, UTC where it names no zone.
        default: The value where none is given, as text; None: null.
        description: The meaning, in one sentence.
        required: True where a value has to be given.
    """

    name: str
    kind: str
    default: str | None
    description: str
    required: bool = False

    def value(self, text: str | None) -> object:
        """Return a value of this kind; raises QueryError for a text that is none."""
        if text is None or self.kind == "text":
            return text
        try:
            instant = datetime.fromisoformat(text)
            zoned = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
            return zoned.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise QueryError(
                f"{self.name} must be an instant, as 2024-09-18 or 2024-09-18T12:00:00Z"
            ) from None


@dataclass(frozen=True)
class SavedQuestion:
    """A question that is kept in a file.

    Attributes:
        name: The name of the file.
        title: The question in one line.
        description: What its rows are.
        parameters: In the order of the file.
        sql: One SELECT, without its head.
    """

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    sql: str

    def values(self, given: Mapping[str, str]) -> dict[str, object]:
        """Return a value for each parameter, by its name, of its kind.

        Raises QueryError for a name that the question has not, for a required one that is missing
        and for a text that is no value of the kind.
        """
        names = [each.name for each in self.parameters]
        for name in given:
            if name not in names:
                known = f"it has {', '.join(names)}" if names else "it has none"
                raise QueryError(f"{self.name} has no parameter {name!r}; {known}")
        missing = [
            each.name for each in self.parameters if each.required and each.name not in given
        ]
        if missing:
            raise QueryError(f"{self.name} needs a value for {' and '.join(missing)}")
        return {
            each.name: each.value(given.get(each.name, each.default)) for each in self.parameters
        }


@cache
def saved_questions() -> dict[str, SavedQuestion]:
    """Return all saved questions by their names, in the order of these."""
    folders = (each for each in files(__package__).iterdir() if each.is_dir())
    found = [each for folder in folders for each in folder.iterdir() if each.name.endswith(".sql")]
    texts = {each.name.removesuffix(".sql"): each.read_text(encoding="utf-8") for each in found}
    return {name: read_question(name, texts[name]) for name in sorted(texts)}


def saved_question(name: str) -> SavedQuestion:
    """Return one saved question. Raises QueryError for an unknown name, with the nearest one."""
    known = saved_questions()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise QueryError(f"there is no question {name!r}{hint}")
    return known[name]


def read_question(name: str, text: str) -> SavedQuestion:
    """Return the question of a file's text. Raises ValueError where its head is not as above."""
    lines = text.splitlines()
    end = next((at for at, line in enumerate(lines) if not line.startswith("--")), len(lines))
    head = "\n".join(line.removeprefix("--").strip() for line in lines[:end])
    title, *paragraphs = head.split("\n\n")
    parameters: tuple[Parameter, ...] = ()
    if paragraphs and paragraphs[-1].startswith("$"):
        parameters = tuple(map(_parameter, re.split(r"\n(?=\$)", paragraphs.pop())))
    description = "\n\n".join(each.replace("\n", " ") for each in paragraphs)
    if "\n" in title or not description:
        raise ValueError(f"{name}.sql begins with a title, an empty line, and a description")
    return SavedQuestion(name, title, description, parameters, "\n".join(lines[end:]) + "\n")


def _parameter(text: str) -> Parameter:
    found = _PARAMETER.fullmatch(text.replace("\n", " "))
    if found is None:
        raise ValueError(f"{text!r} is not as $name (text, default null): Meaning.")
    default = found["default"]
    return Parameter(
        found["name"],
        found["kind"],
        None if default == "null" else default,
        found["text"],
        required=default is None,
    )
