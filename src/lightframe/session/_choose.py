"""What calibrates a set of lights or flats: which masters, how the dark is subtracted, and why."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lightframe.frames._info import FrameKind
from lightframe.session._choice import Choice, Ranked, Taken, as_they_are, choose
from lightframe.session._match import Candidate, candidates
from lightframe.session._match_settings import MatchSettings
from lightframe.session._sets import FrameSet, split_by_exposure

__all__ = ["Chooser"]


_BIAS_ONLY = {
    "auto": "bias only: no flat-dark of this exposure",
    "bias": "bias only, as set",
    "dark": "bias only: no dark that could be scaled",
}


@dataclass(frozen=True, slots=True)
class _Dark:
    """How a dark is to be subtracted, and why."""

    scaling: str
    reason: str
    wants_bias: bool = False


class Chooser:
    """Chooses calibration frames among the sets of a session.

    Parameters
    ----------
    sets : iterable of FrameSet
        All calibration frames.
    settings : MatchSettings
        Tolerances and overrides.
    named : frozenset of Path
        Masters that the user named by hand.
    calibrate_dark : bool or None
        The setting of the calibration: whether the bias is subtracted from the master dark; None
        as the dark says of itself.
    """

    def __init__(
        self,
        sets: Iterable[FrameSet],
        settings: MatchSettings,
        *,
        named: frozenset[Path] = frozenset(),
        calibrate_dark: bool | None = None,
    ) -> None:
        self._settings = settings
        self._named = named
        self._calibrate_dark = calibrate_dark
        self._sets: dict[FrameKind, list[FrameSet]] = {kind: [] for kind in FrameKind}
        for frames in sets:
            self._sets[frames.kind].append(frames)

    def for_lights(self, lights: FrameSet, flats: dict[FrameSet, tuple[Choice, ...]]) -> Choice:
        """Choose for a set of lights; `flats` says how each set of flats is calibrated."""
        if lights.calibrated:
            return as_they_are(lights)
        settings = self._settings
        biases = self._ranked(lights, FrameKind.BIAS)
        bias = _best(biases)
        at_hand = bias is not None and settings.use_bias != "never"
        may_scale = at_hand and settings.dark_scaling != "none"
        darks = self._ranked(lights, FrameKind.DARK, may_scale=may_scale)
        dark, flat = _best(darks), _best(ranked_flats := self._ranked(lights, FrameKind.FLAT))
        how = self._subtraction(lights, dark, bias_at_hand=at_hand)
        needed = dark is None or how.scaling != "none" or not dark.source.holds_bias
        subtracted = at_hand and (needed or settings.use_bias == "always")
        reasons = [
            how.reason,
            _about_bias(bias, dark, needed=needed, subtracted=subtracted),
            _about_flat(flat),
        ]
        ranked = {FrameKind.DARK: darks, FrameKind.FLAT: ranked_flats}
        if needed or subtracted or how.wants_bias:
            ranked[FrameKind.BIAS] = biases
        taken = Taken(
            bias=bias if subtracted else None, dark=dark, flat=flat, dark_scaling=how.scaling
        )
        choice = choose(lights, taken, reasons, ranked)
        own = flat is not None and _all_calibrated(flats.get(flat.source, ()))
        return self._recorded(
            choice,
            bias_at_hand=bias is not None,
            scaling_allowed=settings.dark_scaling != "none",
            by_settings=settings.use_bias == "never",
            own_calibration=own,
        )

    def for_flats(self, flats: FrameSet) -> tuple[Choice, ...]:
        """Choose for a set of flats: one choice for each exposure that needs its own flat-dark."""
        if flats.is_master:
            return ()
        if flats.calibrated:
            return (as_they_are(flats),)
        return tuple(self._for_flats(part) for part in split_by_exposure(flats, self._settings))

    def _for_flats(self, flats: FrameSet) -> Choice:
        mode = self._settings.flat_calibration
        flat_darks = self._flat_darks(flats)
        biases = self._ranked(flats, FrameKind.BIAS)
        darks = self._ranked(flats, FrameKind.DARK, may_scale=True)
        flat_dark, bias, dark = _best(flat_darks), _best(biases), _best(darks)
        ranked: Ranked = {FrameKind.FLAT_DARK: flat_darks, FrameKind.BIAS: biases}
        fits = flat_dark is not None and not flat_dark.differs("exposure")
        if mode == "none":
            taken, reason = Taken(), "not calibrated, as set"
        elif flat_dark is not None and (
            mode == "flat-dark" or (mode == "auto" and (fits or bias is None))
        ):
            taken, reason = Taken(dark=flat_dark), f"flat-darks: {_exposure_text(flat_dark)}"
        elif (reason := self._scaled_dark_reason(flats, bias, dark)) and mode in {"auto", "dark"}:
            taken = Taken(bias=bias, dark=dark, dark_scaling="optimize")
            ranked = {**ranked, FrameKind.DARK: darks}
        elif bias is not None and mode in {"auto", "bias", "dark"}:
            taken, reason = Taken(bias=bias), _BIAS_ONLY[mode]
        else:
            taken, reason = Taken(), "nothing to calibrate these flats with"
        choice = choose(flats, taken, [reason], ranked)
        choice = self._recorded(choice, bias_at_hand=bias is not None, by_settings=mode != "auto")
        return choice if flat_dark is None else _with_flat_dark(choice, flat_dark)

    def _flat_darks(self, flats: FrameSet) -> list[Candidate]:
        """Return flat-darks, and darks of the same exposure: some programs know no flat-darks."""
        ranked = self._ranked(
            flats,
            FrameKind.FLAT_DARK,
            [*self._sets[FrameKind.FLAT_DARK], *self._sets[FrameKind.DARK]],
        )
        return [
            candidate
            for candidate in ranked
            if candidate.source.kind is FrameKind.FLAT_DARK
            or (candidate.usable and candidate.distance("exposure") <= _tolerance(candidate))
        ]

    def _scaled_dark_reason(
        self, flats: FrameSet, bias: Candidate | None, dark: Candidate | None
    ) -> str:
        """Return why bias and a scaled dark calibrate these flats, or nothing if they do not."""
        settings = self._settings
        if bias is None or dark is None or dark.source.exposure_s is None:
            return ""
        shorter = dark.source.exposure_s < (flats.exposure_s or 0.0)
        if shorter and not settings.allow_dark_scale_up:
            return ""
        if settings.flat_calibration == "dark":
            return "bias and optimised dark, as set"
        technology = flats.sensor.technology if settings.sensor == "auto" else settings.sensor
        if technology != "ccd" or (flats.exposure_s or 0.0) < settings.long_flat_s:
            return ""
        return "bias and optimised dark: long flats of a CCD hold dark signal, no flat-dark fits"

    def _subtraction(
        self, lights: FrameSet, dark: Candidate | None, *, bias_at_hand: bool
    ) -> _Dark:
        """Decide how the dark is subtracted from lights (guide, sections 8.1 and 8.6)."""
        mode = self._settings.dark_scaling
        if dark is None:
            return _Dark("none", "")
        if mode == "none":
            return _Dark("none", "dark as it is, as set")
        causes = self._reasons_to_scale(lights, dark)
        if mode == "auto" and not causes:
            return _Dark("none", f"dark as it is: {_agreement(dark)}")
        cause = "; ".join(causes) or "as set"
        if not bias_at_hand:
            reason = f"dark as it is: {cause}, but without a bias it cannot be scaled"
            return _Dark("none", reason, wants_bias=True)
        return self._scaled(lights, dark, cause)

    def _scaled(self, lights: FrameSet, dark: Candidate, cause: str) -> _Dark:
        """Decide how a dark is scaled that could be."""
        by_exposure = self._settings.dark_scaling == "exposure"
        exposure = dark.of("exposure")
        difference = None if exposure is None else exposure.difference
        shorter = dark.differs("exposure") and (difference or 0.0) < 0
        if shorter and not self._settings.allow_dark_scale_up:
            return _Dark("none", f"dark as it is: {cause}; a dark is not scaled up unless allowed")
        if by_exposure and difference is None:
            return _Dark("none", "dark as it is: an exposure is unknown, so there is no ratio")
        if by_exposure:
            return _Dark("exposure", f"dark scaled by the ratio of exposures: {cause}")
        glow = "; watch the amplifier glow of this sensor" if lights.sensor.glows else ""
        return _Dark("optimize", f"dark optimised: {cause}{glow}")

    def _reasons_to_scale(self, lights: FrameSet, dark: Candidate) -> list[str]:
        if dark.differs("exposure"):
            return [_exposure_text(dark)]
        if lights.sensor.glows:
            return []  # optimisation leaves the glow in (guide 8.6)
        temperature = dark.of("temperature")
        if dark.differs("temperature") and temperature is not None:
            return [temperature.text]
        if lights.cooled is False:
            return ["the sensor is not cooled"]
        drift = dark.distance("temperature")
        drifting = (
            not lights.cooled and temperature is not None and temperature.difference is not None
        )
        if drifting and drift > self._settings.temperature_tolerance_c:
            return [f"the sensor is not regulated and was {drift:.2g} °C off"]
        return []

    def _ranked(
        self,
        target: FrameSet,
        role: FrameKind,
        sources: Iterable[FrameSet] | None = None,
        *,
        may_scale: bool = False,
    ) -> list[Candidate]:
        return candidates(
            target,
            role,
            self._sets[role] if sources is None else sources,
            self._settings,
            named=self._named,
            may_scale=may_scale,
        )

    def _recorded(
        self,
        choice: Choice,
        *,
        bias_at_hand: bool,
        scaling_allowed: bool = True,
        by_settings: bool = False,
        own_calibration: bool = False,
    ) -> Choice:
        """Fill in what the rules look at."""
        holds = choice.dark is None or choice.dark.holds_bias
        flag = self._calibrate_dark
        loses = (
            choice.bias is not None
            and choice.dark is not None
            and (holds if flag is None else flag)
        )
        dark = _taken(choice, FrameKind.DARK)
        record = replace(
            choice.record,
            dark_holds_bias=holds,
            dark_loses_bias=loses,
            bias_at_hand=bias_at_hand,
            scaling_allowed=scaling_allowed,
            by_settings=by_settings or (flag is not None and flag != holds),
            own_calibration=own_calibration,
            dark_pairing=None if dark is None else dark.pairing(choice.target, used=True),
        )
        return replace(choice, record=record)


def _best(ranked: list[Candidate]) -> Candidate | None:
    return ranked[0] if ranked and ranked[0].usable else None


def _taken(choice: Choice, role: FrameKind) -> Candidate | None:
    return choice.ranked[role][0] if role in choice.taken else None


def _with_flat_dark(choice: Choice, flat_dark: Candidate) -> Choice:
    """Record how the nearest flat-darks compare, used or not."""
    used = FrameKind.FLAT_DARK in choice.taken
    pairing = flat_dark.pairing(choice.target, used=used)
    return replace(choice, record=replace(choice.record, dark_pairing=pairing))


def _all_calibrated(choices: Iterable[Choice]) -> bool:
    return all(
        choice.bias is not None or choice.dark is not None or choice.record.already_calibrated
        for choice in choices
    )


def _tolerance(candidate: Candidate) -> float:
    exposure = candidate.of("exposure")
    return (exposure.tolerance or 0.0) if exposure is not None else 0.0


def _exposure_text(candidate: Candidate) -> str:
    exposure = candidate.of("exposure")
    return "exposure not compared, as set" if exposure is None else exposure.text


def _agreement(dark: Candidate) -> str:
    texts = [c.text for name in ("exposure", "temperature") if (c := dark.of(name)) is not None]
    return ", ".join(texts)


def _about_bias(
    bias: Candidate | None, dark: Candidate | None, *, needed: bool, subtracted: bool
) -> str:
    """Say what becomes of the bias of lights."""
    if subtracted and not needed:
        return "bias subtracted, as set, though the dark takes it away"
    if subtracted:
        return "bias only: no dark" if dark is None else ""
    if needed and bias is not None:
        return "the bias is left in, as set"
    if dark is None:
        return "nothing is subtracted: neither dark nor bias"
    return "bias not needed for the lights: the dark takes it away" if bias is not None else ""


def _about_flat(flat: Candidate | None) -> str:
    """Say where the flat of lights comes from, if that is not their own night."""
    if flat is None:
        return "no flat"
    night = flat.of("night")
    if night is None or night.difference is None or not night.difference:
        return ""
    days = abs(night.difference)
    side = "after" if night.difference > 0 else "before"
    return f"flat of another night, {days:.0f} day{'s' * (days != 1)} {side}: the nearest there is"
