"""A small camera for the tests of calibration: every term of a frame is known."""

from dataclasses import dataclass

import numpy as np

from lightframe.frames import CfaPattern

BAYER = CfaPattern.from_name("RGGB")
XTRANS = CfaPattern.from_name("GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG")


@dataclass(frozen=True)
class Camera:
    """How a camera and a sky are; levels in DN, gain 1 e-/DN."""

    size: int = 512
    cfa: CfaPattern | None = None
    bias: float = 500.0
    read_noise: float = 6.0
    dark_level: float = 8.0
    warm_fraction: float = 0.005
    warm_level: float = 1000.0
    glow: float = 0.0
    sky: float = 2000.0
    gradient: float = 0.1
    stars: int = 300
    vignetting: float = 0.0
    dark_current_suppression: bool = False
    darks: int = 20

    def _grid(self):
        y, x = np.mgrid[0 : self.size, 0 : self.size] / self.size
        return y, x

    def fixed_bias(self):
        """Offset with its fixed pattern."""
        pattern = np.random.default_rng(7).normal(0, 3, (self.size, self.size))
        return self.bias + pattern

    def dark_signal(self, seed=1):
        """Dark signal of the master's exposure: scales with the exposure."""
        rng = np.random.default_rng(seed)
        signal = np.full((self.size, self.size), self.dark_level)
        warm = rng.random(signal.shape) < self.warm_fraction
        signal[warm] += rng.exponential(self.warm_level, np.count_nonzero(warm))
        return signal

    def amplifier_glow(self):
        """Glow of a corner that does not scale."""
        y, x = self._grid()
        return self.glow * np.exp(-((1 - x) ** 2 + (1 - y) ** 2) / 0.05)

    def transmission(self):
        """Share of the light that vignetting leaves."""
        y, x = self._grid()
        return 1 - self.vignetting * ((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.5

    def scene(self, seed):
        """Sky with a gradient, colours and stars."""
        rng = np.random.default_rng(seed)
        _, x = self._grid()
        scene = self.sky * (1 + self.gradient * (x - 0.5))
        if self.cfa is not None:
            repeats = -(-self.size // self.cfa.period)
            colours = np.tile(self.cfa.planes(), (repeats, repeats))[: self.size, : self.size]
            scene = scene * np.array([0.6, 1.0, 0.75])[colours]
        for _ in range(self.stars * self.size**2 // 1024**2):
            centre = rng.uniform(0, self.size, 2)
            flux, width = 10 ** rng.uniform(2.5, 5.5), rng.uniform(1.2, 1.8)
            low = np.maximum(0, centre.astype(int) - 12)
            rows, columns = slice(low[0], low[0] + 25), slice(low[1], low[1] + 25)
            part = scene[rows, columns]
            y, x = np.mgrid[: part.shape[0], : part.shape[1]]
            r2 = (y + low[0] - centre[0]) ** 2 + (x + low[1] - centre[1]) ** 2
            part += flux / (2 * np.pi * width**2) * np.exp(-r2 / (2 * width**2))
        return scene

    def expose(self, signal, seed, frames=1):
        """Mean of frames with shot noise and read noise, bias included."""
        rng = np.random.default_rng(seed)
        electrons = rng.poisson(np.maximum(signal, 0) * frames) / frames
        noise = rng.normal(0, self.read_noise / np.sqrt(frames), signal.shape)
        return self.fixed_bias() + electrons + noise

    def master_bias(self, frames=50):
        """Integrated bias frames."""
        return self.expose(np.zeros((self.size, self.size)), 11, frames).astype(np.float32)

    def master_dark(self):
        """Integrated dark frames, bias contained."""
        dark = self.expose(self.dark_signal() + self.amplifier_glow(), 12, self.darks)
        if self.dark_current_suppression:
            dark -= np.median(dark - self.fixed_bias())
        return dark.astype(np.float32)

    def light(self, k, seed=1):
        """Light whose dark signal is `k` times the master's, as the camera delivers it."""
        signal = k * self.dark_signal() + self.amplifier_glow()
        frame = self.expose(signal + self.scene(seed) * self.transmission(), seed + 100)
        if self.dark_current_suppression:
            frame -= np.median(k * self.dark_signal())
        return np.clip(frame.round(), 0, 65535).astype(np.uint16)
