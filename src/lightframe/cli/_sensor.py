"""``lightframe sensor``: what frames tell of the camera that took them."""

import argparse
from collections.abc import Iterator
from math import floor, log10
from pathlib import Path

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.text import Text

from lightframe.checks import Figure, Remark, SensorReport, State, counted, number
from lightframe.cli._console import ConsoleProgress, print_error, stdout
from lightframe.cli._hanging import Hanging
from lightframe.cli._options import add_sources, read_config, settings_from
from lightframe.cli._outcome import table
from lightframe.cli._output import print_json
from lightframe.errors import UnreadableFileError
from lightframe.frames import FrameKind
from lightframe.session import RunSettings, SensorSurvey, survey_sensors

__all__ = ["add_arguments", "execute", "render_report", "rounded"]

_TITLES = {
    "e_per_dn": "e-/DN",
    "read_noise_e": "read noise",
    "read_noise_dn": "read noise",
    "frame_noise_dn": "noise in frames",
    "bias_level_dn": "bias level",
    "bias_scatter_dn": "frame to frame",
    "bias_drift_dn": "first to last",
    "bias_gradient_dn": "gradient",
    "bias_against_darks_dn": "bias less darks",
    "row_noise_dn": "row noise",
    "column_pattern_dn": "column pattern",
    "step_dn": "integer step",
    "adc_bits": "bits of the ADC",
    "saturation_dn": "saturation",
    "full_well_e": "full well",
    "dynamic_range_stops": "dynamic range",
    "linear_to_dn": "linear up to",
    "linearity_percent": "deviation to there",
    "dark_current_dn_s": "dark current",
    "dark_current_e_s": "dark current",
    "dark_temperature_c": "at temperature",
    "dark_doubling_c": "doubles every",
    "hot_fraction": "hot pixels",
    "glow_dn": "amplifier glow",
    "dark_suppression": "dark suppression",
}
_UNITS = {"e_per_dn": "", "dynamic_range_stops": "stops", "hot_fraction": "%"}
_PERCENT = {"hot_fraction"}
_COLUMNS = 80
_FEWEST_COLUMNS = 60
"""Numbers take as many; a narrower terminal breaks the lines."""
_MOST_DIGITS = 6
_FOUR_DIGITS = 9999.5
_STYLES = {State.SEEN: "bold yellow", State.NOT_SEEN: "green", State.KNOWN: "cyan"}
_SIDES = (1.0 / 3.0, 2.0 / 3.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "folders",
        metavar="DIR",
        nargs="+",
        type=Path,
        help="raw frames; bias frames, darks of several exposures and flats tell most",
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    add_sources(parser, "check.bias_unstable_sigma=2", "settings as for run; table [check]")
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="keep measurements here for the next time"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Measure and print; the exit code is 1 where files could not be read."""
    settings = settings_from(arguments, RunSettings, read_config(arguments.config))
    survey = survey_sensors(
        arguments.folders,
        settings,
        progress=ConsoleProgress(quiet=arguments.json),
        cache=arguments.cache,
    )
    for refusal in survey.refused:
        print_error(
            UnreadableFileError(
                refusal.reason, where=refusal.path, cause=refusal.cause, remedy=refusal.remedy
            )
        )
    if arguments.json:
        print_json(survey.as_dict())
    else:
        console = stdout(_COLUMNS)
        console.width = max(console.width, _FEWEST_COLUMNS)
        for report in survey.reports:
            console.print(render_report(report, with_sources=console.width >= _COLUMNS))
        _print_left_out(survey)
    return survey.exit_code


def _print_left_out(survey: SensorSurvey) -> None:
    counts: dict[str, int] = {}
    for refusal in survey.left_out:
        counts[refusal.reason] = counts.get(refusal.reason, 0) + 1
    for reason, count in counts.items():
        frames = "1 frame was" if count == 1 else f"{count} frames were"
        stdout(_COLUMNS).print(f"{frames} left out: {reason}", style="dim")


def render_report(report: SensorReport, *, with_sources: bool = True) -> RenderableType:
    """Return a report as something `rich` prints within 80 columns.

    Without a column for what figures were measured on, which is told below the table then, 60
    columns will do.
    """
    parts: list[RenderableType] = [_heading(report), _figures(report, with_sources=with_sources)]
    if not with_sources:
        parts += _sources(report)
    parts += _unknowns(report)
    if len(report.darks) > 1:
        parts.append(_darks(report))
    if report.planes:
        parts.append(_planes(report))
    parts += [_remark(remark) for remark in report.remarks]
    parts += [
        _item(
            f"{_TITLES[name]} differs from what is typical: another gain or mode than the header"
            " says, or another way of measuring",
            "yellow",
        )
        for name in report.differs
    ]
    parts += [_item(note) for note in report.notes]
    return Lines(*parts, Text())


def _heading(report: SensorReport) -> RenderableType:
    setup = report.setup
    height, width = setup.shape
    facts = [f"{width} x {height}"]
    cfa, binning = setup.fact("cfa"), setup.fact("binning")
    if cfa is not None:
        facts.append(cfa.name)
    for name in ("gain", "offset"):
        value = setup.fact(name)
        facts.append(f"{name} unknown" if value is None else f"{name} {value:g}")
    if setup.fact("readout_mode") is not None:
        facts.append(f"mode {setup.fact('readout_mode')}")
    if binning not in {None, (1, 1)}:
        facts.append(f"binned {binning[0]}x{binning[1]}")
    frames = ", ".join(_counted(count, kind) for kind, count in report.frames.items())
    known = "" if report.known is None else f"  ({report.known.name})"
    return Lines(
        Text.assemble((setup.fact("camera") or "unknown camera", "bold"), known),
        Text(", ".join(facts)),
        Text(frames, "dim"),
    )


def _counted(count: int, kind: str) -> str:
    noun = "bias frame" if kind == FrameKind.BIAS else kind
    return counted(count, noun, f"{noun}s")


def _figures(report: SensorReport, *, with_sources: bool) -> RenderableType:
    typical = report.typical.as_dict()
    compared = any(typical.get(name) is not None for name in report.figures)
    columns = ["", "measured", "", *(["typical"] if compared else [])]
    shown = table(*columns)
    shown.columns[2].justify = "left"
    shown.columns[0].no_wrap = True
    if with_sources:
        shown.add_column("from", overflow="fold")
    before = ("", "")
    for name, figure in report.figures.items():
        if not figure.known:
            continue
        expected = typical.get(name)
        title, how = _TITLES[name], _where(report, name) + figure.how
        again = title == before[0]
        text, unit = _shown(name, figure)
        row: list[RenderableType] = [
            "" if again else title,
            Text(text, "yellow" if name in report.differs else ""),
            _UNITS.get(name, figure.unit) if unit else "",
            *(["" if expected is None else rounded(expected, None)] if compared else []),
        ]
        if with_sources:
            row.append("" if again and how == before[1] else how)
        shown.add_row(*row)
        before = title, how
    return shown


def _sources(report: SensorReport) -> Iterator[RenderableType]:
    """Yield what figures were measured on, those of one source together."""
    titles: dict[str, list[str]] = {}
    for name, figure in report.figures.items():
        if figure.known:
            titles.setdefault(_where(report, name) + figure.how, []).append(_TITLES[name])
    for how, several in titles.items():
        yield _item(f"{', '.join(dict.fromkeys(several))}: from {how}")


def _shown(name: str, figure: Figure) -> tuple[str, bool]:
    """Return a figure in words, and whether its unit belongs to it."""
    if isinstance(figure.value, bool):
        return ("yes" if figure.value else "no"), False
    factor = 100.0 if name in _PERCENT else 1.0
    error = None if figure.error is None else factor * figure.error
    return rounded(factor * figure.number, error), True


def _where(report: SensorReport, name: str) -> str:
    """Return where the glow is, as a beginning of how it was measured."""
    if name != "glow_dn" or report.figures[name].value in {None, 0.0}:
        return ""
    places = [p.glow_place for p in report.darks if p.glow.value == report.figures[name].value]
    if not places or places[0] is None:
        return ""
    x, y = places[0]
    down = "top" if y < _SIDES[0] else "bottom" if y > _SIDES[1] else ""
    side = "left" if x < _SIDES[0] else "right" if x > _SIDES[1] else ""
    return f"{' '.join(word for word in (down, side) if word) or 'centre'} (first row on top); "


def rounded(value: float, error: float | None) -> str:
    """Return a value and its error, rounded to the two leading digits of the error."""
    if error is None or error <= 0:
        plain = number(value, 4) if abs(value) < _FOUR_DIGITS else f"{value:.0f}"
        return plain if error is None else f"{plain} ± 0"
    digits = min(max(1 - floor(log10(error)), 0), _MOST_DIGITS)
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _unknowns(report: SensorReport) -> Iterator[RenderableType]:
    """Yield why figures are unknown, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for name, figure in report.figures.items():
        if not figure.known:
            by_reason.setdefault(figure.reason, []).append(_TITLES[name])
    for reason, titles in by_reason.items():
        yield _item(f"unknown: {', '.join(dict.fromkeys(titles))}: {reason}")


def _darks(report: SensorReport) -> RenderableType:
    shown = table("darks", "°C", "DN/s", "hot\n%", "above\nDN", "glow\nDN")
    for point in report.darks:
        temperature = point.group.temperature_c
        shown.add_row(
            f"{len(point.group.frames)} of {point.group.exposure_s:.4g} s",
            "-" if temperature is None else f"{temperature:.1f}",
            rounded(point.rate.number, point.rate.error) if point.rate.known else "-",
            f"{100.0 * point.hot.number:.3g}",
            f"{point.hot_limit_dn:.0f}",
            f"{point.glow.number:.1f}" if point.glow.known else "-",
        )
    return shown


def _planes(report: SensorReport) -> RenderableType:
    known = [
        f"{name} {rounded(figure.number, figure.error)}"
        for name, figure in report.planes.items()
        if figure.known
    ]
    return _item(f"e-/DN by colour: {', '.join(known) or 'unknown'}", "")


def _remark(remark: Remark) -> RenderableType:
    facts = remark.as_dict()
    text = Text.assemble(
        (f"{remark.state.value} ", _STYLES[remark.state]),
        (remark.name, "bold"),
        f": {facts['meaning']}" + (f" ({remark.text})" if remark.text else ""),
    )
    if remark.state is State.NOT_SEEN:
        return Hanging(text, 2, 4)
    return Lines(Hanging(text, 2, 4), Hanging(Text(f"to do: {facts['advice']}", "dim"), 4, 4))


def _item(text: str, style: str = "dim") -> RenderableType:
    return Hanging(Text(text, style), 2, 4)
