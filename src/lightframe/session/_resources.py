"""What a run costs: time, memory, bytes, step by step."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

__all__ = ["Meter", "StepCost", "default_memory_bytes", "default_threads"]

_SHARE_OF_FREE_MEMORY = 0.5
_LEAST_MEMORY = 256 << 20
_MOST_MEMORY = 512 << 20
"""More than this buys little: of 100 frames of 24 Mpx, tiles are then 100 rows high for each of two
threads, and a tenth of the rows is read twice, for resampling needs those around a tile."""


@dataclass(frozen=True, slots=True)
class StepCost:
    """Wall and processor seconds of one step."""

    step: str
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class WorkCost:
    """Wall and processor seconds of work beside the steps, in threads of its own."""

    work: str
    wall_s: float
    cpu_s: float


@dataclass(slots=True)
class Meter:
    """Adds up what a run costs; counting is safe from several threads.

    The processor seconds of a step are those of the whole process while it lasts, with what is done
    beside it. Those of `beside` are of the threads that did the work: a part of the same seconds,
    not more of them.
    """

    steps: dict[str, StepCost] = field(default_factory=dict)
    beside: dict[str, WorkCost] = field(default_factory=dict)
    bytes_read: int = 0
    bytes_written: int = 0
    _start: tuple[float, float] = field(
        default_factory=lambda: (time.perf_counter(), time.process_time())
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one step; several of the same name are added up."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            before = self.steps.get(name, StepCost(name, 0.0, 0.0))
            self.steps[name] = StepCost(
                name,
                before.wall_s + time.perf_counter() - wall,
                before.cpu_s + time.process_time() - cpu,
            )

    @contextmanager
    def work(self, name: str) -> Iterator[None]:
        """Measure work beside the steps, in the thread that does it."""
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
            with self._lock:
                before = self.beside.get(name, WorkCost(name, 0.0, 0.0))
                self.beside[name] = WorkCost(name, before.wall_s + wall, before.cpu_s + cpu)

    def read(self, count: int) -> None:
        """Count bytes read from input files."""
        with self._lock:
            self.bytes_read += count

    def wrote(self, count: int) -> None:
        """Count bytes written to output or scratch files."""
        with self._lock:
            self.bytes_written += count

    def as_dict(self) -> dict[str, Any]:
        """Return the totals so far, as `resources` of run.json."""
        wall, cpu = self._start
        return {
            "wall_s": round(time.perf_counter() - wall, 3),
            "cpu_s": round(time.process_time() - cpu, 3),
            "peak_rss_mb": round(_peak_rss_bytes() / 1e6, 1),
            "bytes_read": self.bytes_read,
            "bytes_written": self.bytes_written,
            "steps": [_rounded(cost) for cost in self.steps.values()],
            "beside": [_rounded(cost) for cost in self.beside.values()],
        }


def _rounded(cost: StepCost | WorkCost) -> dict[str, Any]:
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in asdict(cost).items()
    }


def _peak_rss_bytes() -> int:
    """Return the largest resident size this process has had."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # noqa: PLC0415 (does not exist on Windows)

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def default_memory_bytes() -> int:
    """Return the memory that tiles may take: half of what is free, between 256 and 512 MB."""
    free = psutil.virtual_memory().available
    return int(min(max(_SHARE_OF_FREE_MEMORY * free, _LEAST_MEMORY), _MOST_MEMORY))


def default_threads() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
