"""Ready-made sessions."""

from collections.abc import Callable
from datetime import UTC, datetime

from lightframe.simulation._optics import Dust, Filter, Optics
from lightframe.simulation._sensor import BiasPattern, DarkCurrent, GainMode, Sensor
from lightframe.simulation._session import BiasSet, DarkSet, FlatSet, LightSet, Night, Session
from lightframe.simulation._sky import Galaxy, Nebula, Sky, Stars
from lightframe.tables import Table

__all__ = ["PRESETS", "preset"]

PRESETS: Table[Callable[[], Session]] = Table("preset")

_DUST = (
    Dust(x=0.24, y=0.63, radius_px=34.0, depth=0.07),
    Dust(x=0.71, y=0.28, radius_px=21.0, depth=0.11),
    Dust(x=0.82, y=0.77, radius_px=47.0, depth=0.04),
    Dust(x=0.43, y=0.18, radius_px=15.0, depth=0.05, obstruction=0.0),
    Dust(x=0.12, y=0.14, radius_px=28.0, depth=0.06),
)

_RED = Filter(name="R", passes=(0.92, 0.02, 0.0), dust=(Dust(x=0.63, y=0.55, depth=0.05),))
_GREEN = Filter(name="G", passes=(0.01, 0.9, 0.02), dust=(Dust(x=0.35, y=0.4, depth=0.04),))
_BLUE = Filter(name="B", passes=(0.0, 0.03, 0.9), dust=(Dust(x=0.55, y=0.8, depth=0.05),))
_LUMINANCE = Filter(name="L", passes=(0.95, 0.95, 0.95))


def preset(name: str) -> Session:
    """Return the ready-made session of this name.

    Raises
    ------
    SettingsError
        If there is none; the message lists them.
    """
    return PRESETS[name]()


@PRESETS.add("osc-cmos", "cooled colour camera (14 bit, RGGB), 16 lights over a meridian flip")
def _osc_cmos() -> Session:
    return Session(
        optics=Optics(dust=_DUST),
        night=Night(flip=True, trails=2),
        sky=Sky(object="NGC 7000"),
        sensor=Sensor(
            gains=(
                GainMode(setting=0, e_per_adu=3.1, read_noise_e=3.1, full_well_e=50000),
                GainMode(setting=99, e_per_adu=0.99, read_noise_e=2.7, full_well_e=16000),
                GainMode(setting=100, e_per_adu=0.8, read_noise_e=1.5, full_well_e=13000),
                GainMode(setting=300, e_per_adu=0.08, read_noise_e=1.0, full_well_e=1300),
            )
        ),
    )


@PRESETS.add("mono-cmos", "cooled monochrome camera (16 bit) with L, R, G, B: 20 lights each, bias")
def _mono_cmos() -> Session:
    return Session(
        sensor=Sensor(
            camera="ZWO ASI2600MM Pro",
            serial=2,
            width=1560,
            height=1040,
            adc_bits=16,
            offset_adu_per_unit=10.0,
            cfa=None,
            gains=(
                GainMode(setting=0, e_per_adu=0.77, read_noise_e=3.25, full_well_e=50500),
                GainMode(setting=99, e_per_adu=0.25, read_noise_e=2.9, full_well_e=16200),
                GainMode(setting=100, e_per_adu=0.245, read_noise_e=1.4, full_well_e=16500),
                GainMode(setting=300, e_per_adu=0.0245, read_noise_e=1.1, full_well_e=1600),
            ),
            dark=DarkCurrent(rate_e_s=0.00075, hot_fraction=0.0003),
        ),
        optics=Optics(
            telescope="Refractor 106/530", focal_length_mm=530, aperture_mm=106, dust=_DUST
        ),
        sky=Sky(
            object="M 33",
            field=2,
            ra_deg=23.46,
            dec_deg=30.66,
            nebula=None,
            galaxies=(Galaxy(x=0.5, y=0.5, peak_e_s=6.0, radius_px=130.0, axis_ratio=0.6),),
        ),
        night=Night(fwhm_px=2.6, start=datetime(2026, 10, 11, 20, 5, tzinfo=UTC)),
        filters=(_LUMINANCE, _RED, _GREEN, _BLUE),
        lights=LightSet(count=20, exposure_s=90.0),
        darks=DarkSet(count=20),
        flats=FlatSet(count=20, exposure_s=3.0),
        flat_darks=DarkSet(count=0),
        bias=BiasSet(count=30),
        offset=50.0,
    )


@PRESETS.add("mono-ccd", "CCD (16 bit) with bias and long darks to be scaled, mechanical fields")
def _mono_ccd() -> Session:
    return Session(
        sensor=Sensor(
            camera="Apogee Alta U8300",
            serial=3,
            width=1664,
            height=1252,
            pixel_size_um=5.4,
            adc_bits=16,
            offset_adu_per_unit=1.0,
            cfa=None,
            linear_to=0.9,
            gains=(GainMode(setting=0, e_per_adu=0.48, read_noise_e=9.0, full_well_e=25500),),
            dark=DarkCurrent(
                rate_e_s=0.02,
                reference_c=-25.0,
                doubling_c=5.8,
                spread=0.25,
                warm_fraction=0.05,
                warm_e_s=0.1,
                hot_fraction=0.002,
                telegraph_fraction=0.0005,
            ),
            bias=BiasPattern(column_e=2.0, pixel_e=1.5, gradient_e=6.0, row_e=0.3),
            prnu=0.01,
        ),
        optics=Optics(
            telescope="RC 400", focal_length_mm=1425, aperture_mm=392, vignetting=0.22, dust=_DUST
        ),
        sky=Sky(
            object="M 17",
            field=3,
            ra_deg=275.2,
            dec_deg=-16.17,
            brightness_e_s=(0.5, 0.45, 0.35),
            nebula=Nebula(emission_e_s=2.5),
            galaxies=(),
        ),
        night=Night(fwhm_px=2.4, start=datetime(2026, 7, 4, 21, 3, tzinfo=UTC)),
        filters=(_LUMINANCE,),
        lights=LightSet(count=12, exposure_s=180.0),
        darks=DarkSet(count=15, exposure_s=600.0),
        flats=FlatSet(count=12, exposure_s=6.0),
        flat_darks=DarkSet(count=0),
        bias=BiasSet(count=25),
        gain=0.0,
        offset=1000.0,
        temperature_c=-25.0,
        capture="maxim",
    )


@PRESETS.add("dslr", "uncooled camera (14 bit, unshifted) with dark current suppression and drift")
def _dslr() -> Session:
    return Session(
        sensor=Sensor(
            camera="Canon EOS 6D",
            serial=4,
            width=1824,
            height=1216,
            pixel_size_um=6.54,
            shifted=False,
            offset_adu_per_unit=1.0,
            cooled=False,
            gains=(
                GainMode(setting=100, e_per_adu=5.2, read_noise_e=25.0, full_well_e=76000),
                GainMode(setting=800, e_per_adu=0.65, read_noise_e=3.8, full_well_e=9800),
                GainMode(setting=1600, e_per_adu=0.33, read_noise_e=2.3, full_well_e=4900),
                GainMode(setting=6400, e_per_adu=0.083, read_noise_e=1.7, full_well_e=1200),
            ),
            dark=DarkCurrent(
                rate_e_s=0.06,
                reference_c=20.0,
                spread=0.4,
                warm_fraction=0.03,
                warm_e_s=0.5,
                hot_fraction=0.001,
                hot_e_s=8.0,
                suppressed=True,
            ),
            bias=BiasPattern(column_e=0.4, pixel_e=0.5, row_e=0.4, banding_e=0.5),
            sensitivity=(0.5, 1.0, 0.7),
        ),
        optics=Optics(vignetting=0.45, dust=_DUST[:3]),
        sky=Sky(
            object="M 31",
            field=4,
            ra_deg=10.68,
            dec_deg=41.27,
            nebula=None,
            galaxies=(Galaxy(x=0.5, y=0.5, peak_e_s=25.0, radius_px=210.0, axis_ratio=0.35),),
        ),
        night=Night(trails=1, rotation_deg=0.6, start=datetime(2026, 9, 12, 20, 30, tzinfo=UTC)),
        lights=LightSet(count=20, exposure_s=120.0),
        darks=DarkSet(count=15),
        flats=FlatSet(count=15, exposure_s=0.25, panel=(0.9, 1.0, 0.9)),
        flat_darks=DarkSet(count=0),
        bias=BiasSet(count=25, exposure_s=1.0 / 4000.0),
        gain=800.0,
        offset=2048.0,
        capture="ekos",
    )


@PRESETS.add("large", "full-frame monochrome camera, 24 Mpx, 20 frames of each kind; for timing")
def _large() -> Session:
    return Session(
        sensor=Sensor(
            camera="QHY600M",
            serial=5,
            width=6000,
            height=4000,
            adc_bits=16,
            offset_adu_per_unit=10.0,
            cfa=None,
            gains=(GainMode(setting=26, e_per_adu=0.4, read_noise_e=2.0, full_well_e=26000),),
            dark=DarkCurrent(rate_e_s=0.0006),
        ),
        optics=Optics(dust=_DUST),
        sky=Sky(
            object="IC 1396", field=5, ra_deg=324.7, dec_deg=57.5, stars=Stars(per_megapixel=400)
        ),
        night=Night(dither_px=20.0, start=datetime(2026, 10, 3, 20, 0, tzinfo=UTC)),
        filters=(_LUMINANCE,),
        lights=LightSet(count=20),
        darks=DarkSet(count=20),
        flats=FlatSet(count=20),
        flat_darks=DarkSet(count=20),
        gain=26.0,
        offset=40.0,
    )
