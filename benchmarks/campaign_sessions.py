"""Random sessions for the campaign of the checks: cameras, nights, and one fault by rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lightframe.frames import FrameKind
from lightframe.simulation import (
    CAPTURE_PROGRAMS,
    AlreadyCalibrated,
    BiasDrift,
    BiasPattern,
    BiasSet,
    Binned,
    BzeroLost,
    CameraRawFile,
    ChangedGlow,
    Clouds,
    CorruptFile,
    Cropped,
    DarkSet,
    Duplicate,
    Fault,
    FewerBits,
    FlatLevel,
    Flicker,
    Flipped,
    GivenMaster,
    Glow,
    HeaderValue,
    HotPixelFilter,
    LightLeak,
    Mislabelled,
    Missing,
    NewHotPixels,
    Optics,
    OtherCamera,
    PoorStars,
    Session,
    ShadowShift,
    ShutterPattern,
    StarsInFlat,
    TornReadout,
    TruncatedFile,
    Unshifted,
    WhiteBalance,
    WrongSetting,
    preset,
)

__all__ = ["CAMERAS", "FAULTS", "RUN_RULES", "Kind", "draw"]

BIAS, DARK, FLAT, LIGHT = FrameKind.BIAS, FrameKind.DARK, FrameKind.FLAT, FrameKind.LIGHT
FLAT_DARK = FrameKind.FLAT_DARK
Draw = np.random.Generator
Make = Callable[[Draw, Session], Session]


def _with_sensor(session: Session, **changes: object) -> Session:
    return session.changed(sensor=session.sensor.model_copy(update=changes))


def _with_dark(session: Session, **changes: object) -> Session:
    return _with_sensor(session, dark=session.sensor.dark.model_copy(update=changes))


def _osc_16_bit() -> Session:
    mono = preset("mono-cmos")
    session = mono.changed(filters=preset("osc-cmos").filters, flats=preset("osc-cmos").flats)
    return _with_sensor(session, camera="ZWO ASI2600MC Pro", cfa="RGGB")


def _osc_glowing() -> Session:
    session = _with_dark(preset("osc-cmos"), glow=Glow(peak_e=120.0))
    return _with_sensor(session, camera="ZWO ASI294MC Pro", cfa="RGGB")


def _osc_gbrg() -> Session:
    return _with_sensor(preset("osc-cmos"), camera="QHY268C", cfa="GBRG")


def _full_frame() -> Session:
    return preset("large")


CAMERAS: dict[str, Callable[[], Session]] = {
    "osc-cmos": lambda: preset("osc-cmos"),
    "mono-cmos": lambda: preset("mono-cmos"),
    "mono-ccd": lambda: preset("mono-ccd"),
    "dslr": lambda: preset("dslr"),
    "osc-16-bit": _osc_16_bit,
    "osc-glowing": _osc_glowing,
    "osc-gbrg": _osc_gbrg,
    "full-frame": _full_frame,
}
"""Cooled colour and monochrome CMOS of 14 and 16 bits, a CCD, a camera with suppressed dark
current, a sensor with amplifier glow, another colour pattern, other noise and full wells."""

ALL = tuple(CAMERAS)
COOLED = ("osc-cmos", "mono-cmos", "osc-16-bit", "osc-gbrg", "full-frame")
UNSCALED = ("osc-cmos", "osc-gbrg", "osc-glowing", "full-frame")
"""With flat-darks and no bias frames: darks are not scaled."""
SHIFTED = ("osc-cmos", "osc-gbrg", "osc-glowing")
COLOUR = ("osc-cmos", "dslr", "osc-16-bit", "osc-glowing", "osc-gbrg")
MONO = ("mono-cmos", "mono-ccd", "full-frame")
WITH_BIAS = ("mono-cmos", "mono-ccd", "dslr", "osc-16-bit")
STEADY_BIAS = ("mono-cmos", "dslr", "osc-16-bit")
TALKATIVE = ("nina", "asiair", "sharpcap")
"""Programs that write gain and offset of any camera."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way to go wrong.

    Attributes
    ----------
    make : callable
        Takes random numbers and a clean session, gives the one that is wrong.
    cameras, programs : tuple of str
        Where it can happen.
    runs : bool
        Whether it shows in calibrated lights only, so that a whole run is needed.
    settings : mapping
        Settings of check and run.
    severity : str
        ``info`` for rules that are only mentioned.
    """

    make: Make
    cameras: tuple[str, ...] = ALL
    programs: tuple[str, ...] = tuple(CAPTURE_PROGRAMS)
    runs: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    severity: str = "warning"


def _faulty(
    make: Callable[[Draw], Fault | tuple[Fault, ...]],
    *cameras: str,
    programs: tuple[str, ...] = tuple(CAPTURE_PROGRAMS),
    **options: Any,  # noqa: ANN401 - the other fields of `Kind`
) -> Kind:
    """Return a kind that adds faults to a session."""

    def change(random: Draw, session: Session) -> Session:
        made = make(random)
        return session.changed(faults=made if isinstance(made, tuple) else (made,))

    return Kind(make=change, cameras=cameras or ALL, programs=programs, **options)


def _says(keyword: str, value: str | float, *kinds: FrameKind) -> HeaderValue:
    return HeaderValue(keyword=keyword, value=value, kinds=kinds)


def _truly(*kinds: FrameKind, **setting: float) -> WrongSetting:
    return WrongSetting(kinds=kinds, honest=True, **setting)


FILES = {
    "unreadable-file": [
        _faulty(lambda r: TruncatedFile(kinds=(DARK,), numbers=(1,), fraction=r.uniform(0.3, 0.9))),
        _faulty(lambda _: CorruptFile(kinds=(FLAT,), numbers=(2,))),
    ],
    "duplicate-frame": [
        _faulty(lambda r: Duplicate(kinds=(LIGHT,), numbers=(int(r.integers(3)),)))
    ],
    "frame-type-mislabelled": [
        _faulty(lambda _: Mislabelled(kinds=(FLAT,), numbers=(1,), claimed=DARK)),
        _faulty(lambda _: Mislabelled(kinds=(LIGHT,), numbers=(2,), claimed=DARK)),
        _faulty(lambda _: Mislabelled(kinds=(DARK,), numbers=(2,), claimed=FLAT)),
    ],
    "already-calibrated": [
        _faulty(lambda _: AlreadyCalibrated(kinds=(DARK,)), "osc-cmos", "mono-cmos", "osc-gbrg"),
        _faulty(lambda _: AlreadyCalibrated(kinds=(LIGHT,)), "osc-cmos", "mono-cmos"),
    ],
    "unsigned-offset-wrong": [_faulty(lambda _: BzeroLost(kinds=(DARK,)))],
    "units-mismatch": [
        _faulty(lambda r: GivenMaster(factor=1 / r.uniform(3000, 8000)), "mono-cmos", "osc-16-bit")
    ],
    "mixed-scaling": [
        _faulty(lambda _: Unshifted(kinds=(DARK,)), *SHIFTED),
        _faulty(lambda _: Unshifted(kinds=(FLAT,)), *SHIFTED),
        _faulty(lambda _: FewerBits(kinds=(DARK,)), *SHIFTED),
    ],
}

MATCHING = {
    "camera-mismatch": [
        _faulty(lambda r: OtherCamera(serial=int(r.integers(2000, 9000)))),
        _faulty(lambda r: OtherCamera(kinds=(FLAT,), serial=int(r.integers(2000, 9000)))),
        _faulty(lambda _: _says("INSTRUME", "ASI1600MM-Cool", DARK), "osc-cmos", "mono-cmos"),
    ],
    "format-mismatch": [
        _faulty(lambda _: CameraRawFile(kinds=(DARK, BIAS)), "dslr", programs=("ekos", "nina"))
    ],
    "binning-mismatch": [_faulty(lambda _: Binned(kinds=(DARK,)), "mono-cmos", "full-frame")],
    "geometry-mismatch": [
        _faulty(lambda r: Cropped(kinds=(DARK,), rows=2 * int(r.integers(1, 9)))),
        _faulty(lambda r: Cropped(kinds=(FLAT,), columns=2 * int(r.integers(1, 9)))),
    ],
    "readout-mode-mismatch": [
        _faulty(lambda _: (_says("READOUTM", "Fast"), _says("READOUTM", "Low noise", DARK)))
    ],
    "gain-mismatch": [
        _faulty(lambda _: _truly(DARK, gain=0), "osc-cmos", "mono-cmos", programs=TALKATIVE)
    ],
    "gain-label-wrong": [
        _faulty(lambda _: WrongSetting(kinds=(DARK,), gain=0), "osc-cmos", "osc-gbrg"),
        _faulty(lambda _: WrongSetting(kinds=(FLAT,), gain=0), "osc-cmos", "mono-cmos"),
    ],
    "offset-mismatch": [
        _faulty(
            lambda r: WrongSetting(kinds=(DARK,), offset=r.uniform(5.0, 35.0)),
            "osc-cmos", "mono-cmos",
        ),
        _faulty(
            lambda r: WrongSetting(kinds=(BIAS,), offset=r.uniform(100.0, 800.0)), *WITH_BIAS
        ),
        _faulty(
            lambda r: _truly(DARK, offset=float(r.integers(5, 35))), "osc-cmos", "mono-cmos",
            programs=TALKATIVE,
        ),
    ],
    "software-mismatch": [
        _faulty(
            lambda r: (
                WrongSetting(kinds=(FLAT_DARK,), offset=r.uniform(25.0, 45.0)),
                _says("SWCREATE", "SharpCap", FLAT_DARK),
                HeaderValue(keyword="OFFSET"),
            ),
            "osc-cmos", "osc-gbrg", programs=("nina",),
        )
    ],
    "dark-exposure-mismatch": [
        _faulty(lambda r: _truly(DARK, exposure_s=r.uniform(20, 40)), "osc-cmos", "osc-gbrg")
    ],
    "dark-shorter-than-light": [
        _faulty(lambda r: _truly(DARK, exposure_s=r.uniform(10, 30)), "mono-cmos", "osc-16-bit")
    ],
    "dark-temperature-mismatch": [
        _faulty(lambda r: _truly(DARK, temperature_c=r.uniform(-8.5, 5.0)), *COOLED)
    ],
    "flat-dark-exposure-mismatch": [
        _faulty(lambda r: _truly(FLAT_DARK, exposure_s=r.uniform(4, 20)), *UNSCALED)
    ],
    "hot-pixel-mismatch": [
        _faulty(lambda r: WrongSetting(kinds=(DARK,), temperature_c=r.uniform(-6, 5)), *COOLED),
        _faulty(
            lambda r: WrongSetting(kinds=(DARK,), exposure_s=r.uniform(20, 35)),
            "osc-cmos", "mono-cmos",
        ),
    ],
    "stale-dark": [
        _faulty(lambda r: NewHotPixels(per_megapixel=r.uniform(300, 900), e_s=8.0), *COOLED)
    ],
    "frame-flipped": [
        _faulty(lambda _: Flipped(kinds=(DARK,))),
        _faulty(lambda _: Flipped(kinds=(FLAT,))),
    ],
}  # fmt: skip

PLANS = {
    "flats-uncalibrated": [_faulty(lambda _: Missing(kinds=(FLAT_DARK,)), *UNSCALED)],
    "flat-filter-missing": [
        _faulty(
            lambda _: Missing(kinds=(FLAT,), filter_indices=(1,)),
            "mono-cmos",
            programs=("nina", "asiair", "maxim", "ekos"),
        )
    ],
    "flat-geometry-changed": [
        _faulty(
            lambda r: (
                _says("ROTATANG", 92.0, FLAT),
                _says("ROTATANG", 92.0 + float(r.uniform(3, 60)), LIGHT),
            )
        )
    ],
    "no-dark": [_faulty(lambda _: Missing(kinds=(DARK,)))],
    "no-flat": [_faulty(lambda _: Missing(kinds=(FLAT,)))],
    "too-few-frames": [_faulty(lambda _: Missing(kinds=(DARK,), numbers=(2, 3, 4, 5, 6, 7)))],
    "double-bias-subtraction": [
        Kind(
            make=lambda _, session: session,
            cameras=STEADY_BIAS,
            settings={"match": {"use_bias": "always"}, "calibration": {"calibrate_dark": False}},
        )
    ],
    "bias-never-subtracted": [
        _faulty(lambda _: GivenMaster(bias_subtracted=True, honest=True), *UNSCALED)
    ],
    "bias-not-recommended": [
        Kind(
            make=lambda r, session: _with_sensor(
                session, camera=str(r.choice(["ZWO ASI1600MM Pro", "QHY163M", "ZWO ASI294MM Pro"]))
            ),
            cameras=("mono-cmos",),
        )
    ],
}

BIAS_AND_DARK = {
    "bias-unstable": [
        _faulty(
            lambda r: BiasDrift(level_dn=r.uniform(60, 150), gradient_dn=r.uniform(0, 80)),
            *WITH_BIAS,
        )
    ],
    "black-clipped": [
        Kind(
            make=lambda r, session: session.changed(offset=float(r.uniform(0.1, 0.6))),
            cameras=("osc-cmos", "osc-gbrg", "full-frame"),
        )
    ],
    "dark-light-leak": [
        _faulty(lambda r: LightLeak(e_s=r.uniform(0.7, 3.0), angle_deg=r.uniform(0, 360))),
        _faulty(
            lambda r: LightLeak(e_s=r.uniform(1.0, 2.0), angle_deg=r.uniform(0, 360), change=0.0),
            "osc-cmos", "osc-gbrg", "mono-cmos", "full-frame", runs=True,
        ),
    ],
    "dark-inconsistent": [
        _faulty(
            lambda r: WrongSetting(kinds=(DARK,), numbers=(0,), temperature_c=r.uniform(-5, 3)),
            *COOLED,
        ),
        _faulty(
            lambda r: TornReadout(
                kinds=(DARK,), numbers=(1,), place=r.uniform(0.2, 0.8), step_dn=-100
            ),
            "dslr", "mono-ccd",
        ),
    ],
    "flat-dark-needed": [
        Kind(
            make=lambda r, session: _with_dark(
                session.changed(
                    flats=session.flats.model_copy(update={"exposure_s": 60.0, "level": 0.2})
                ),
                rate_e_s=float(r.uniform(0.15, 0.4)),
            ),
            cameras=("mono-cmos",),
        )
    ],
    "filtered-raw": [_faulty(lambda _: HotPixelFilter())],
    "master-dark-precalibrated": [
        _faulty(lambda _: GivenMaster(bias_subtracted=True), "mono-cmos", "osc-16-bit")
    ],
    "master-dark-clipped": [
        _faulty(
            lambda _: GivenMaster(bias_subtracted=True, negatives_cut=True),
            "mono-cmos", "osc-16-bit",
        )
    ],
}  # fmt: skip

FLATS = {
    "flat-saturated": [_faulty(lambda r: FlatLevel(level=r.uniform(1.05, 1.5)))],
    "flat-underexposed": [
        _faulty(lambda r: FlatLevel(level=r.uniform(0.02, 0.03)), "osc-cmos", "mono-cmos")
    ],
    "flat-weak-channel": [
        Kind(
            make=lambda r, session: session.changed(
                flats=session.flats.model_copy(
                    update={"panel": (float(r.uniform(0.01, 0.03)), 1.0, 0.5)}
                )
            ),
            cameras=("osc-cmos", "osc-gbrg"),
        )
    ],
    "flat-banding": [
        _faulty(lambda r: Flicker(amplitude=r.uniform(0.005, 0.05), period_rows=r.uniform(30, 140)))
    ],
    "flat-shutter-pattern": [
        _faulty(
            lambda r: (
                _truly(FLAT, exposure_s=0.2).model_copy(update={"numbers": (0, 1)}),
                ShutterPattern(lag_s=r.uniform(0.01, 0.03)),
            ),
            "mono-ccd",
        )
    ],
    "flat-inconsistent": [
        _faulty(lambda r: ShadowShift(numbers=(2,), dx_px=r.uniform(20, 40), dy_px=20.0))
    ],
    "stars-in-flat": [_faulty(lambda r: StarsInFlat(per_megapixel=r.uniform(40, 120)))],
}

COLOURS = {
    "cfa-pattern-missing": [
        _faulty(
            lambda _: (HeaderValue(keyword="BAYERPAT"), HeaderValue(keyword="COLORTYP")), *COLOUR
        )
    ],
    "cfa-pattern-wrong": [
        _faulty(
            lambda r: HeaderValue(keyword="BAYERPAT", value=str(r.choice(["GBRG", "GRBG"]))),
            "osc-cmos", "dslr", "osc-16-bit", "osc-glowing",
        ),
        _faulty(
            lambda r: HeaderValue(keyword="BAYERPAT", value=str(r.choice(["RGGB", "BGGR"]))),
            "osc-gbrg",
        ),
    ],
    "cfa-on-mono": [
        _faulty(lambda _: HeaderValue(keyword="BAYERPAT", value="RGGB"), "mono-cmos", "full-frame")
    ],
    "white-balance-scaled": [_faulty(lambda _: WhiteBalance(), *COLOUR)],
}  # fmt: skip


def _patterned(session: Session) -> Session:
    """Return a session with a sensor of strong fixed pattern and without hot pixels."""
    session = _with_dark(session, hot_fraction=0.0, warm_fraction=0.0)
    return _with_sensor(session, bias=BiasPattern(column_e=10.0, pixel_e=10.0))


RESULTS = {
    "over-correction": [
        _faulty(
            lambda r: WrongSetting(kinds=(DARK, FLAT_DARK), offset=r.uniform(38.0, 46.0)),
            "osc-cmos", "osc-gbrg", runs=True, settings={"check_pixels": False},
        )
    ],
    "under-correction": [
        _faulty(
            lambda r: WrongSetting(kinds=(DARK,), offset=70.0 + r.uniform(20.0, 30.0)),
            "osc-cmos", "osc-gbrg", runs=True, settings={"check_pixels": False},
        )
    ],
    "clipped-result": [
        Kind(
            make=lambda r, session: session.changed(
                optics=Optics(vignetting=0.0, dust=()),
                lights=session.lights.model_copy(update={"exposure_s": 20.0}),
                faults=(WrongSetting(kinds=(DARK,), offset=float(r.uniform(110, 130))),),
            ),
            cameras=("osc-cmos", "osc-gbrg"),
            runs=True,
            settings={"check_pixels": False},
        )
    ],
    "pedestal-subtracted": [
        Kind(
            make=lambda _, session: session.changed(
                lights=session.lights.model_copy(update={"exposure_s": 4.0}),
                faults=(AlreadyCalibrated(kinds=(LIGHT,), pedestal_dn=100, honest=True),),
            ),
            cameras=("osc-cmos", "osc-gbrg"),
            runs=True,
            settings={"match": {"calibrated_frames": "use"}, "check_pixels": False},
            severity="info",
        )
    ],
    "undithered": [
        Kind(
            make=lambda r, session: session.changed(
                night=session.night.model_copy(
                    update={"dither_px": float(r.uniform(0, 0.8)), "drift_px": (0.7, 0.3)}
                )
            ),
            cameras=("osc-cmos", "mono-cmos", "full-frame"),
            runs=True,
        )
    ],
    "bad-light": [
        _faulty(
            lambda r: Clouds(numbers=(3,), transparency=r.uniform(0.2, 0.45)), runs=True
        ),
        _faulty(lambda r: PoorStars(numbers=(1,), fwhm_factor=r.uniform(1.9, 2.3)), runs=True),
        _faulty(lambda r: PoorStars(numbers=(2,), eccentricity=r.uniform(0.86, 0.9)), runs=True),
    ],
    "no-dark-correlation": [
        Kind(
            make=lambda r, session: _with_dark(
                session.changed(faults=(OtherCamera(serial=int(r.integers(2000, 9000))),)),
                hot_fraction=0.0, warm_e_s=0.03,
            ),
            cameras=("mono-ccd",),
            runs=True,
        )
    ],
    "dark-scale-disagrees": [
        _faulty(
            lambda r: WrongSetting(kinds=(DARK,), exposure_s=r.uniform(180, 280)),
            "mono-ccd", runs=True,
        )
    ],
    "residual-pattern": [
        Kind(
            make=lambda r, session: _patterned(session).changed(
                faults=(OtherCamera(serial=int(r.integers(2000, 9000))),)
            ),
            cameras=("mono-cmos",),
            runs=True,
        )
    ],
    "dust-embossed": [
        _faulty(
            lambda r: ShadowShift(
                dx_px=float(r.choice([-1, 1]) * r.uniform(4, 9)), dy_px=r.uniform(-6, 6)
            ),
            "osc-cmos", "osc-gbrg", "mono-cmos", "full-frame", runs=True,
        )
    ],
    "dark-scaling-with-glow": [
        Kind(
            make=lambda r, session: _with_dark(
                session, glow=Glow(peak_e=float(r.uniform(100, 200)))
            ),
            cameras=("mono-ccd",),
            runs=True,
        )
    ],
    "residual-glow": [
        Kind(
            make=lambda r, session: _with_dark(session, glow=Glow(peak_e=600.0)).changed(
                sky=session.sky.model_copy(update={"galaxies": ()}),
                faults=(ChangedGlow(factor=float(r.uniform(0.4, 0.6))),),
            ),
            cameras=("mono-cmos",),
            runs=True,
        )
    ],
}  # fmt: skip

FAULTS: dict[str, list[Kind]] = {
    **FILES, **MATCHING, **PLANS, **BIAS_AND_DARK, **FLATS, **COLOURS, **RESULTS,
}  # fmt: skip
"""By the rule that must be named first: the ways to go wrong."""
RUN_RULES = frozenset(rule for rule, kinds in FAULTS.items() if any(k.runs for k in kinds))


def _base(random: Draw, camera: str, program: str, *, runs: bool) -> Session:
    """Return a clean session that differs from others in all that need not be alike."""
    clean = CAMERAS[camera]()
    frames = 8 if runs else int(random.integers(4, 8))
    height = int(random.integers(220, 320) if runs else random.integers(150, 300)) * 2
    session = clean.resized(height, int(height * random.uniform(1.2, 1.5)) // 2 * 2, frames)
    session = _with_dark(session, hot_fraction=float(random.uniform(0.001, 0.003)))
    sky = session.sky.brightness_e_s
    brightness = tuple(float(value * random.uniform(0.6, 2.5)) for value in sky)
    exposure = float(np.round(session.lights.exposure_s * random.uniform(0.7, 1.6)))
    darks = session.darks
    if darks.exposure_s is not None:
        darks = darks.model_copy(update={"exposure_s": 2.0 * exposure + 240.0})
    night = session.night.model_copy(
        update={
            "fwhm_px": float(random.uniform(2.4, 3.6)),
            "fwhm_spread": float(random.uniform(0.03, 0.08)),
            "transparency_spread": float(random.uniform(0.01, 0.06)),
            "sky_drift": float(random.uniform(-0.3, 0.6)),
            "gradient": float(random.uniform(0.0, 0.12)),
            "dither_px": float(random.uniform(8.0, 16.0)),
        }
    )
    return session.changed(
        seed=int(random.integers(1, 10**6)),
        sensor=session.sensor.model_copy(update={"serial": int(random.integers(1, 1000))}),
        sky=session.sky.model_copy(update={"brightness_e_s": brightness}),
        lights=session.lights.model_copy(update={"exposure_s": exposure}),
        darks=DarkSet.model_validate(dict(darks)),
        flats=session.flats.model_copy(update={"level": float(random.uniform(0.35, 0.6))}),
        bias=BiasSet.model_validate(dict(session.bias)),
        night=night,
        filters=session.filters[:2],
        capture=program,
    )


def draw(seed: int, number: int) -> tuple[str, Kind | None, str, Session]:
    """Return session `number` of a campaign: its rule ("" if clean), kind, camera, and itself.

    Every second one is clean, and every second clean one is run as a whole; any can be drawn alone.
    """
    random = np.random.default_rng([seed, number])
    if number % 2 == 0:
        camera, program = str(random.choice(ALL)), str(random.choice(list(CAPTURE_PROGRAMS)))
        return "", None, camera, _base(random, camera, program, runs=number % 4 == 0)
    place = number // 2
    rule = list(FAULTS)[place % len(FAULTS)]
    kinds = FAULTS[rule]
    kind = kinds[place // len(FAULTS) % len(kinds)]
    camera, program = str(random.choice(kind.cameras)), str(random.choice(kind.programs))
    return rule, kind, camera, kind.make(random, _base(random, camera, program, runs=kind.runs))
