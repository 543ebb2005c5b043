"""A file that cannot be used, and why: what readers hand over to plans and rules."""

from dataclasses import dataclass
from pathlib import Path

from lightframe.errors import LightframeError

__all__ = ["Refusal"]


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """A file or folder that cannot be used, and why.

    Parameters
    ----------
    path : Path
        The file.
    reason : str
        What is wrong with it, in the user's words.
    cause, remedy : str, optional
        The likely cause and what to do, where the reader knows.
    """

    path: Path
    reason: str
    cause: str = ""
    remedy: str = ""

    @classmethod
    def of(cls, path: Path, error: LightframeError) -> "Refusal":
        """Return what an error says of a file."""
        return cls(path, error.what, error.cause, error.remedy)

    def as_dict(self) -> dict[str, str]:
        """Return JSON values."""
        return {
            "path": str(self.path),
            "reason": self.reason,
            "cause": self.cause,
            "remedy": self.remedy,
        }
