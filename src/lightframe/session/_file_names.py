"""Names of files made of what people call things: valid everywhere, unique, not too long."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["LONGEST_NAME", "shortened", "slug", "unique_names"]

LONGEST_NAME = 255
"""Bytes of a file name that file systems allow."""

_LONGEST_WORD = 64
"""Bytes of one part of a name. Three of them, a size and an ending are a name that is allowed."""

_HASH_DIGITS = 8


def slug(text: str) -> str:
    """Return `text` as part of a file name: letters, digits, ``.``, ``+`` and ``-`` stay.

    What is longer than 64 bytes is cut, and ends with a hash of the whole.
    """
    word = re.sub(r"[^\w.+-]+", "_", text.strip()).strip("_.") or "unknown"
    return shortened(word, _LONGEST_WORD)


def shortened(name: str, limit: int) -> str:
    """Cut a name that is longer than `limit` bytes; its end becomes a hash of the whole."""
    encoded = name.encode(errors="surrogatepass")
    if len(encoded) <= limit:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:_HASH_DIGITS]
    kept = encoded[: limit - len(digest) - 1].decode(errors="ignore")
    return f"{kept}-{digest}"


def unique_names(names: Sequence[str], distinctions: Sequence[str]) -> list[str]:
    """Make names unique, ignoring case: by what distinguishes their bearers, then by numbers."""
    counts = Counter(name.casefold() for name in names)
    longer = [
        f"{name}_{distinction}" if counts[name.casefold()] > 1 and distinction else name
        for name, distinction in zip(names, distinctions, strict=True)
    ]
    taken: set[str] = set()
    result = []
    for name in longer:
        candidate, number = name, 2
        while candidate.casefold() in taken:
            candidate, number = f"{name}_{number}", number + 1
        taken.add(candidate.casefold())
        result.append(candidate)
    return result
