"""Which sets of calibration frames can serve a set of frames, how well, and why."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightframe.checks._plan_records import Binding, Comparison, Outcome, Pairing
from lightframe.frames._info import FrameKind
from lightframe.session._match_settings import MatchSettings
from lightframe.session._sets import FrameSet, camera_words, filter_key, same_name

__all__ = ["Candidate", "candidates", "compare"]

_D, _T, _R = Binding.DECISIVE, Binding.TOLERATED, Binding.REMARK
_SAME_CAMERA = {"camera": _D, "format": _D, "geometry": _D, "binning": _D}
_SAME_READOUT = {"readout_mode": _D, "gain": _D, "offset": _D, "colours": _D, "row_order": _T}
_BINDINGS: Mapping[FrameKind, Mapping[str, Binding]] = {
    FrameKind.BIAS: {
        **_SAME_CAMERA, **_SAME_READOUT, "temperature": _R, "night": _R, "software": _R,
    },
    FrameKind.DARK: {
        **_SAME_CAMERA, **_SAME_READOUT, "exposure": _T, "temperature": _T,
        "night": _R, "software": _R,
    },
    FrameKind.FLAT_DARK: {
        **_SAME_CAMERA, **_SAME_READOUT, "exposure": _T, "temperature": _R,
        "night": _R, "software": _R,
    },
    FrameKind.FLAT: {
        **_SAME_CAMERA, "filter": _D, "colours": _D, "row_order": _T, "readout_mode": _T,
        "gain": _T, "offset": _T, "rotation": _T, "focal_length": _T, "telescope": _T,
        "night": _R, "software": _R,
    },
}  # fmt: skip
"""What is compared for which role. A flat of other gain is usable once it is calibrated with frames
of its own gain; bias and darks of other gain are not."""

_FAR = 1e9
"""Distance of what cannot be measured; candidates that can be measured come first."""
_HALF_TURN_DEG = 180.0


@dataclass(frozen=True, slots=True)
class _Values:
    """The two values of one quantity, ready to be judged and shown."""

    wanted: Any
    found: Any
    same: Callable[[Any, Any], bool] = lambda wanted, found: bool(wanted == found)
    show: Callable[[Any], str] = str
    difference: float | None = None
    tolerance: float | None = None
    unit: str = ""


def _number(
    wanted: float | None, found: float | None, tolerance: float = 0.0, unit: str = ""
) -> _Values:
    """Compare two numbers."""
    difference = None if wanted is None or found is None else found - wanted
    return _Values(
        wanted,
        found,
        same=lambda wanted, found: abs(found - wanted) <= tolerance + 1e-9,
        show=lambda value: f"{value:.5g}{' ' * bool(unit)}{unit}",
        difference=difference,
        tolerance=tolerance,
        unit=unit,
    )


def _fact(name: str) -> Callable[..., _Values]:
    return lambda target, source, *_: _Values(target.facts[name], source.facts[name])


def _setting(name: str) -> Callable[..., _Values]:
    return lambda target, source, *_: _number(target.facts[name], source.facts[name])


def _name(name: str) -> Callable[..., _Values]:
    return lambda target, source, *_: _Values(
        target.facts[name],
        source.facts[name],
        same=lambda wanted, found: same_name(wanted) == same_name(found),
    )


def _camera(target: FrameSet, source: FrameSet, *_: object) -> _Values:
    """Names agree if one holds all words of the other; names like 'ASCOM Camera' say nothing."""
    wanted, found = (
        camera if camera_words(camera) else None
        for camera in (target.facts["camera"], source.facts["camera"])
    )

    def same(wanted: str, found: str) -> bool:
        mine, its = camera_words(wanted), camera_words(found)
        return mine <= its or its <= mine or same_name(wanted) == same_name(found)

    return _Values(wanted, found, same=same)


def _format(target: FrameSet, source: FrameSet, *_: object) -> _Values:
    """Camera raw does not go with FITS or XISF; a master of either may come in any format."""
    wanted, found = (
        "camera raw" if frames.facts["format"] == "raw" else "FITS" for frames in (target, source)
    )
    return _Values(wanted, wanted if source.is_master else found)


def _geometry(target: FrameSet, source: FrameSet, *_: object) -> _Values:
    return _Values(
        target.shape,
        source.shape,
        show=lambda shape: f"{shape[2]} x {shape[1]}" + (f" x {shape[0]}" if shape[0] > 1 else ""),
    )


def _binning(target: FrameSet, source: FrameSet, *_: object) -> _Values:
    return _Values(
        target.facts["binning"], source.facts["binning"], show=lambda pair: f"{pair[0]} x {pair[1]}"
    )


def _filter(target: FrameSet, source: FrameSet, settings: MatchSettings, _: FrameKind) -> _Values:
    wanted, found = (
        frames.facts["filter"] if filter_key(frames.facts["filter"], settings) else None
        for frames in (target, source)
    )
    return _Values(
        wanted,
        found,
        same=lambda wanted, found: filter_key(wanted, settings) == filter_key(found, settings),
    )


def _colours(target: FrameSet, source: FrameSet, *_: object) -> _Values:
    return _Values(target.facts["cfa"], source.facts["cfa"], show=lambda cfa: str(cfa.name))


def _exposure(
    target: FrameSet, source: FrameSet, settings: MatchSettings, role: FrameKind
) -> _Values:
    limits = (settings.exposure_tolerance_s, settings.exposure_tolerance_fraction)
    if role is FrameKind.FLAT_DARK:
        limits = (settings.flat_dark_tolerance_s, settings.flat_dark_tolerance_fraction)
    tolerance = max(limits[0], limits[1] * (target.exposure_s or 0.0))
    return _number(target.exposure_s, source.exposure_s, tolerance, "s")


def _temperature(
    target: FrameSet, source: FrameSet, settings: MatchSettings, _: FrameKind
) -> _Values:
    cooled = target.cooled or source.cooled
    tolerance = settings.temperature_tolerance_c if cooled else settings.uncooled_tolerance_c
    return _number(target.temperature_c, source.temperature_c, tolerance, "°C")


def _rotation(target: FrameSet, source: FrameSet, settings: MatchSettings, _: FrameKind) -> _Values:
    wanted, found = target.facts["rotation_deg"], source.facts["rotation_deg"]
    values = _number(wanted, found, settings.rotation_tolerance_deg, "°")
    if values.difference is None:
        return values
    turn = (values.difference + _HALF_TURN_DEG / 2) % _HALF_TURN_DEG - _HALF_TURN_DEG / 2
    return _Values(
        wanted,
        found,
        same=lambda *_: abs(turn) <= settings.rotation_tolerance_deg,
        show=values.show,
        difference=turn,
        tolerance=values.tolerance,
        unit=values.unit,
    )


def _focal_length(
    target: FrameSet, source: FrameSet, settings: MatchSettings, _: FrameKind
) -> _Values:
    wanted, found = target.facts["focal_length_mm"], source.facts["focal_length_mm"]
    tolerance = settings.focal_length_tolerance_fraction * (wanted or 0.0)
    return _number(wanted, found, tolerance, "mm")


def _night(target: FrameSet, source: FrameSet, *_: object) -> _Values:
    wanted, found = target.facts["night"], source.facts["night"]
    days = None if wanted is None or found is None else float((found - wanted).days)
    return _Values(wanted, found, difference=days, tolerance=0.0, unit="days")


_COMPARE: Mapping[str, Callable[[FrameSet, FrameSet, MatchSettings, FrameKind], _Values]] = {
    "camera": _camera,
    "format": _format,
    "geometry": _geometry,
    "binning": _binning,
    "readout_mode": _name("readout_mode"),
    "gain": _setting("gain"),
    "offset": _setting("offset"),
    "filter": _filter,
    "colours": _colours,
    "row_order": _fact("row_order"),
    "exposure": _exposure,
    "temperature": _temperature,
    "rotation": _rotation,
    "focal_length": _focal_length,
    "telescope": _name("telescope"),
    "night": _night,
    "software": _name("software"),
}


def compare(
    target: FrameSet, source: FrameSet, role: FrameKind, settings: MatchSettings
) -> tuple[Comparison, ...]:
    """Compare frames in need of calibration frames with candidates for the role `role`.

    Returns
    -------
    tuple of Comparison
        One for each quantity that matters for the role, ignored ones left out.
    """
    return tuple(
        _comparison(quantity, binding, _COMPARE[quantity](target, source, settings, role))
        for quantity, binding in _BINDINGS[role].items()
        if quantity not in settings.ignored_quantities
    )


def _comparison(quantity: str, binding: Binding, values: _Values) -> Comparison:
    wanted = None if values.wanted is None else values.show(values.wanted)
    found = None if values.found is None else values.show(values.found)
    if wanted is None or found is None:
        outcome = Outcome.UNKNOWN
    else:
        same = values.same(values.wanted, values.found)
        outcome = Outcome.SAME if same else Outcome.DIFFERENT
    return Comparison(
        quantity=quantity,
        outcome=outcome,
        binding=binding,
        wanted=wanted,
        found=found,
        difference=values.difference,
        tolerance=values.tolerance,
        unit=values.unit,
        text=_phrase(quantity.replace("_", " "), outcome, wanted, found, values),
    )


def _phrase(
    name: str, outcome: Outcome, wanted: str | None, found: str | None, values: _Values
) -> str:
    """Tell the comparison from the candidates' side."""
    if wanted is None and found is None:
        return f"{name} unknown on both sides"
    if wanted is None:
        return f"{name} {found}, unknown on the other side"
    if found is None:
        return f"{name} unknown, wanted {wanted}"
    if outcome is Outcome.SAME:
        return f"{name} {found}" if wanted == found else f"{name} {found} for {wanted}"
    allowed = f" (tolerance {values.tolerance:.3g} {values.unit})" if values.tolerance else ""
    return f"{name} {found} instead of {wanted}{allowed}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A set of calibration frames compared with the frames that need them.

    Attributes
    ----------
    source : FrameSet
        The calibration frames.
    role : FrameKind
        What they would serve as.
    comparisons : tuple of Comparison
        Quantity by quantity.
    named : bool
        Whether the user named this master by hand.
    """

    source: FrameSet
    role: FrameKind
    comparisons: tuple[Comparison, ...]
    named: bool = False

    def of(self, quantity: str) -> Comparison | None:
        """Return the comparison of `quantity`, or None if it was not compared."""
        return next((c for c in self.comparisons if c.quantity == quantity), None)

    def differing(self, binding: Binding) -> list[Comparison]:
        """Return the differences that bind as `binding`."""
        return [
            c for c in self.comparisons if c.outcome is Outcome.DIFFERENT and c.binding is binding
        ]

    def differs(self, quantity: str) -> bool:
        """Whether both values of `quantity` are known and differ."""
        comparison = self.of(quantity)
        return comparison is not None and comparison.outcome is Outcome.DIFFERENT

    @property
    def usable(self) -> bool:
        """Whether no difference is decisive."""
        return not self.differing(Binding.DECISIVE)

    def distance(self, quantity: str) -> float:
        """Return the absolute difference of a number; very far where one is unknown."""
        comparison = self.of(quantity)
        if comparison is None or comparison.difference is None:
            return _FAR
        return abs(comparison.difference)

    def rank(self, *, may_scale: bool) -> tuple[object, ...]:
        """Return the key by which candidates are ordered, the best first.

        The order of preference: no decisive difference (a flat of another filter is the last
        resort of all); named by the user; fewest tolerated differences, a dark too short to be
        scaled counting twice where it could be scaled otherwise; fewest unknown quantities; nearest
        exposure; nearest temperature; nearest night, the earlier of two; more frames; frames
        rather than a master found among them; the path.
        """
        shorter = (c := self.of("exposure")) is not None and (c.difference or 0.0) < 0
        night = self.of("night")
        return (
            len(self.differing(Binding.DECISIVE)) + 9 * self.differs("filter"),
            not self.named,
            len(self.differing(Binding.TOLERATED))
            + (may_scale and shorter and self.differs("exposure")),
            sum(
                c.outcome is Outcome.UNKNOWN and c.binding is not Binding.REMARK
                for c in self.comparisons
            ),
            self.distance("exposure"),
            self.distance("temperature"),
            self.distance("night"),
            (night.difference or 0.0) if night is not None else 0.0,
            self.source.is_master,
            -len(self.source.frames),
            self.source.paths[0],
        )

    def pairing(
        self,
        target: FrameSet,
        *,
        used: bool,
        replaced: bool = False,
        own_calibration: bool = False,
    ) -> Pairing:
        """Return the candidate as the rules see it."""
        return Pairing(
            role=self.role,
            target=target.record(),
            source=self.source.record(),
            comparisons=self.comparisons,
            used=used,
            replaced=replaced,
            own_calibration=own_calibration,
        )


def candidates(
    target: FrameSet,
    role: FrameKind,
    sources: Iterable[FrameSet],
    settings: MatchSettings,
    *,
    named: Collection[Path] = (),
    may_scale: bool = False,
) -> list[Candidate]:
    """Return all `sources` as candidates for `role`, the best first."""
    compared = [
        Candidate(source, role, compare(target, source, role, settings), source.paths[0] in named)
        for source in sources
    ]
    return sorted(compared, key=lambda candidate: candidate.rank(may_scale=may_scale))
