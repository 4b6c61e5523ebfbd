"""What a check found: how many tries, and how many of them went wrong."""

from dataclasses import dataclass, field


@dataclass
class Figures:
    """`wrong` of `total`; `errors` are refusals, which are right."""

    total: int = 0
    wrong: int = 0
    errors: int = 0
    notes: list[str] = field(default_factory=list)

    def judge(self, *, is_right: bool, note: str = "") -> None:
        """Count one try."""
        self.total += 1
        if not is_right:
            self.wrong += 1
            self.notes.append(note)

    def __str__(self) -> str:
        return f"wrong={self.wrong}/{self.total}"
