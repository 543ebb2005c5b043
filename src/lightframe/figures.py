"""Figures as people write them."""

__all__ = ["duration", "percent"]


def duration(seconds: float) -> str:
    """Return e.g. ``"2 h 05 min"``, ``"3 min 20 s"`` or ``"12.5 s"``."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3g} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {whole % 60:02d} s"


def percent(fraction: float, digits: int, *, signed: bool = False) -> str:
    """Return e.g. ``"1.5 %"``, or ``"+1.5 %"`` if it is to show its sign."""
    return f"{100.0 * fraction:{'+' if signed else ''}.{digits}f} %"
