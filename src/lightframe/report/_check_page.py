"""The page of a check: findings with their pictures, and what was looked at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightframe.frames import write_text
from lightframe.report._environment import environment
from lightframe.report._facts import by_severity

__all__ = ["write_check_report"]


def write_check_report(check: Mapping[str, Any], path: Path) -> Path:
    """Write what a check has found as a self-contained page.

    Parameters
    ----------
    check : mapping
        ``version``, ``created``, ``inputs``, ``findings`` as in run.json, and ``sets``: label,
        kind, is_master, frames, exposure_s, gain, filter, level_dn, noise_dn of each set of frames.
    path : Path
        The page; its folder is made if it does not exist.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    SettingsError
        If it cannot be written there.
    ResourceError
        If there is no room.
    """
    page = (
        environment()
        .get_template("check.html.jinja")
        .render(check=check, findings=by_severity(check["findings"]))
    )
    write_text(path, page)
    return path
