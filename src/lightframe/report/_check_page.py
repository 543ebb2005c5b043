"""The page of a check: findings with their pictures, and what was looked at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightframe.errors import SettingsError
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
    """
    page = (
        environment()
        .get_template("check.html.jinja")
        .render(check=check, findings=by_severity(check["findings"]))
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"the page cannot be written: {error.strerror}",
            where=path,
            remedy="name a file in a folder that can be written to",
        ) from error
    return path
