"""What is wrong with declarations, each with file, line, column, field, what was expected and an example."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    file: Path
    line: int
    column: int
    field: str
    expected: str
    example: str = ""

    def __str__(self) -> str:
        field = f" {self.field}:" if self.field else ""
        example = f" (for example {self.example})" if self.example else ""
        return f"{self.file}:{self.line}:{self.column}:{field} {self.expected}{example}"


class DeclarationError(Exception):
    """Declarations that can't be used; its text is the message for the person who wrote them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
