"""Frames of a plain sensor with known figures, for the tests of its characterization."""

from dataclasses import dataclass, field

import numpy as np
from astropy.io import fits

TYPES = {"bias": "Bias", "dark": "Dark", "flat": "Flat", "light": "Light"}


@dataclass
class PlainSensor:
    """A sensor whose every figure is known; it writes FITS frames."""

    folder: object
    e_per_dn: float = 0.5
    read_noise_e: float = 4.0
    bias_dn: float = 500.0
    dark_e_s: float = 0.0
    doubling_c: float = 6.0
    step: int = 1
    full_well_dn: float = 1e9
    bend_dn: float = 1e9
    hot: int = 0
    suppressed: bool = False
    glow_e_s: float = 0.0
    drift_dn: float = 0.0
    gains: tuple = (1.0, 1.0, 1.0, 1.0)
    side: int = 256
    camera: str | None = "Test camera"
    header: dict = field(default_factory=dict)
    seed: int = 1

    def __post_init__(self):
        self.random = np.random.default_rng(self.seed)
        shape = self.side, self.side
        fixed = np.random.default_rng(99)
        self.prnu = 1.0 + 0.01 * fixed.normal(size=shape)
        y, x = np.mgrid[0 : 1 : 1j * self.side, 0 : 1 : 1j * self.side]
        self.shade = 1.0 - 0.3 * ((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.5
        self.glow = np.exp(-np.hypot(x - 1.0, y - 1.0) / 0.1)
        self.hot_pixels = np.zeros(shape)
        # On a grid, so that each stands alone.
        places = fixed.choice((self.side // 8) ** 2, self.hot, replace=False)
        self.hot_pixels[places // (self.side // 8) * 8 + 3, places % (self.side // 8) * 8 + 3] = 1.0
        self.count = 0

    def pixels(self, kind, exposure_s, light_dn_s, temperature_c):
        """Return one frame in DN."""
        factor = 2.0 ** ((temperature_c + 10.0) / self.doubling_c) * exposure_s
        dark_e = self.dark_e_s * factor + self.glow_e_s * self.glow * exposure_s
        mean = dark_e + 50.0 * self.dark_e_s * factor * self.hot_pixels + np.zeros_like(self.glow)
        if kind == "flat":
            light = light_dn_s * exposure_s * self.shade
            over = np.maximum(light - self.bend_dn, 0.0)
            light = np.where(over > 0, self.bend_dn + 0.8 * over, light)
            mean = mean + light * self.e_per_dn * self.prnu
        electrons = self.random.poisson(mean) + self.read_noise_e * self.random.normal(
            size=mean.shape
        )
        level = self.bias_dn + self.drift_dn * self.count
        if self.suppressed:
            level -= self.dark_e_s * factor / self.e_per_dn
        dn = electrons / self.e_per_dn
        for phase, gain in enumerate(self.gains):
            dn[phase // 2 :: 2, phase % 2 :: 2] *= gain
        return np.minimum(dn + level, self.full_well_dn)

    def write(
        self, kind, count=1, *, exposure_s=0.001, light_dn_s=0.0, temperature_c=-10.0, **more
    ):
        """Write some frames of a kind, and return their paths."""
        paths = []
        for _ in range(count):
            flicker = more.get("flicker", 0.0) * self.random.normal()
            values = self.pixels(kind, exposure_s, light_dn_s * (1.0 + flicker), temperature_c)
            if more.get("float32"):
                pixels = (values / 65535.0).astype(np.float32)
            else:
                pixels = np.clip(np.rint(values / self.step) * self.step, 0, 65535).astype(
                    np.uint16
                )
            card = fits.PrimaryHDU(pixels)
            card.header["IMAGETYP"] = TYPES[kind]
            card.header["EXPTIME"] = exposure_s
            card.header["CCD-TEMP"] = temperature_c
            card.header["GAIN"] = 100
            card.header["OFFSET"] = 20
            card.header["DATE-OBS"] = f"2026-10-01T20:{self.count // 60:02d}:{self.count % 60:02d}"
            if self.camera is not None:
                card.header["INSTRUME"] = self.camera
            card.header.update(self.header | more.get("header", {}))
            path = self.folder / f"{kind}_{self.count:03d}.fits"
            card.writeto(path)
            paths.append(path)
            self.count += 1
        return paths
