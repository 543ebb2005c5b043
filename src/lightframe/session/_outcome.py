"""What a run has made."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has made.

    Attributes
    ----------
    document : dict
        The content of run.json.
    exit_code : int
        0 done; 1 done, but with findings of severity error; 3 no result could be made.
    """

    document: dict[str, Any]
    exit_code: int
