"""Pictures and masters are written beside the main job."""

import threading
import time
from concurrent import futures

import numpy as np
import pytest
from PIL import Image

from lightframe.errors import InputError, ResourceError
from lightframe.session import RunSettings, Silent, _execution, _masters, _previews, run
from lightframe.session._beside import Beside
from lightframe.session._context import Context
from lightframe.session._previews import write_map_preview, write_preview_of
from lightframe.simulation import LightLeak, ShadowShift, preset, simulate_session


def refuse(*_, **__):
    """Fail as a full disk does."""
    raise ResourceError("cannot be written: No space left on device")


def test_what_goes_wrong_beside_is_raised_in_the_end():
    """By `finish`, once what was begun before it is done."""
    beside, done = Beside(2), []
    beside.do(lambda: done.append(1))
    beside.do(refuse)
    with pytest.raises(ResourceError, match="No space left"):
        beside.finish()
    beside.stop()
    assert done == [1]


def test_nothing_is_begun_once_something_has_gone_wrong():
    """Whoever asks next is told, long before the end."""
    beside, done = Beside(1), []
    beside.do(refuse)
    futures.wait(beside._begun)
    with pytest.raises(ResourceError, match="No space left"):
        beside.do(lambda: done.append(1))
    beside.stop()
    assert done == []


class FailingWhenAsked(futures.Future):
    """Not done when asked first, and then done at once, in vain."""

    def done(self):
        """Tell whether it was done, and fail."""
        done = super().done()
        if not done:
            self.set_exception(ResourceError("cannot be written: No space left on device"))
        return done


def test_what_goes_wrong_while_something_else_is_begun_is_not_forgotten():
    """A failure may come at any moment."""
    beside, done = Beside(1), []
    beside._begun.append(FailingWhenAsked())
    beside.do(lambda: done.append(1))
    with pytest.raises(ResourceError, match="No space left"):
        beside.finish()
    beside.stop()
    assert done == [1]


def test_what_has_not_begun_is_forgotten_where_a_run_ends_early():
    """What is being done is waited for."""
    beside, begun, go_on, done = Beside(1), threading.Event(), threading.Event(), []

    def first():
        begun.set()
        go_on.wait(60)
        done.append("first")

    beside.do(first)
    beside.do(lambda: done.append("second"))
    begun.wait(60)
    threading.Timer(0.05, go_on.set).start()
    beside.stop()
    assert done == ["first"]


def test_what_work_beside_costs_is_told_by_what_it_is(tmp_path):
    """Processor seconds are those of its thread alone; sleeping costs none, failing as much."""
    context = Context(RunSettings(), tmp_path, Silent(), threads=2, memory_bytes=1 << 28)

    def compute():
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        raise InputError("in vain")

    context.do_beside("sleeping", lambda: time.sleep(0.1))
    context.do_beside("sleeping", lambda: time.sleep(0.1))
    context.do_beside("computing", compute)
    with pytest.raises(InputError, match="in vain"):
        context.beside.finish()
    context.beside.stop()

    costs = {cost["work"]: cost for cost in context.meter.as_dict()["beside"]}
    assert costs["sleeping"]["wall_s"] >= 0.2
    assert costs["sleeping"]["cpu_s"] < 0.04
    assert 0.05 <= costs["computing"]["cpu_s"] < 0.09


def test_pictures_are_there_when_all_is_finished(tmp_path):
    """A mosaic's and a map's; their bytes are counted."""
    context = Context(RunSettings(), tmp_path, Silent(), threads=2, memory_bytes=1 << 28)
    planes = np.random.default_rng(1).normal(1000, 10, (1, 40, 60)).astype(np.float32)
    names = [
        write_preview_of(planes, None, "a.png", context),
        write_map_preview(planes, "b.png", context),
    ]
    context.beside.finish()
    context.beside.stop()
    assert names == ["previews/a.png", "previews/b.png"]
    sizes = [(tmp_path / name).stat().st_size for name in names]
    assert min(sizes) > 0
    assert context.meter.bytes_written == sum(sizes)


@pytest.mark.parametrize("known", [True, False])
def test_pixels_without_a_value_leave_the_rest_of_a_map(tmp_path, known):
    """A variance is NaN where no frame has a sample: black there, and the others as they are."""
    context = Context(RunSettings(), tmp_path, Silent(), threads=1, memory_bytes=1 << 28)
    planes = np.full((1, 40, 60), np.nan, np.float32)
    if known:
        planes[:, :, 5:] = np.random.default_rng(1).normal(1000, 10, (1, 40, 55))
    name = write_map_preview(planes, "a.png", context)
    context.beside.finish()
    context.beside.stop()
    with Image.open(tmp_path / name) as picture:
        shown = np.asarray(picture)
    assert not shown[:, :5].any()
    assert (shown[:, 5:].std() > 20) == known


def test_a_picture_that_cannot_be_written_ends_the_run(tmp_path, monkeypatch):
    """As any other file; there is no record of a run that did not come to its end."""
    simulate_session(tmp_path / "raw", preset("osc-cmos").resized(200, 300, frames=3), threads=2)
    monkeypatch.setattr(_previews, "write_png", refuse)
    with pytest.raises(ResourceError, match="No space left"):
        run([tmp_path / "raw"], tmp_path / "out", RunSettings(check_pixels=False))
    assert not (tmp_path / "out" / "run.json").exists()
    assert_no_thread_is_left()


def test_a_master_that_cannot_be_written_ends_the_run_and_is_not_remembered(tmp_path, monkeypatch):
    """The lights are not integrated without it, and the next run makes it."""
    simulate_session(tmp_path / "raw", preset("osc-cmos").resized(200, 300, frames=3), threads=2)
    out = tmp_path / "out"
    settings = RunSettings(check_pixels=False)
    with monkeypatch.context() as broken:
        broken.setattr(_masters, "write_fits", refuse)
        with pytest.raises(ResourceError, match="No space left"):
            run([tmp_path / "raw"], out, settings)
    assert not (out / ".lightframe" / "journal.json").exists()
    assert not list((out / "results").glob("*.fits"))
    assert_no_thread_is_left()
    made = run([tmp_path / "raw"], out, settings).document["masters"]
    assert made
    assert all((out / master["path"]).is_file() for master in made)


@pytest.mark.parametrize("camera", ["mono-ccd", "osc-cmos"])
def test_masters_are_not_changed_by_what_they_calibrate(tmp_path, monkeypatch, camera):
    """They may still be on their way to the disk."""
    build, made = _masters._build, []

    def built(*arguments):
        master, header = build(*arguments)
        made.append((master.pixels, master.pixels.copy()))
        return master, header

    monkeypatch.setattr(_masters, "_build", built)
    simulate_session(tmp_path / "raw", preset(camera).resized(200, 300, frames=3), threads=2)
    run([tmp_path / "raw"], tmp_path / "out", RunSettings(check_pixels=False))
    assert made
    for pixels, copy in made:
        np.testing.assert_array_equal(pixels, copy)


def test_judging_that_goes_wrong_is_not_laid_to_the_lights(tmp_path, monkeypatch):
    """It ends the run as what it is; no light is set aside for it."""

    class Told(Silent):
        def message(self, text):
            told.append(text)

    def misjudge(*_):
        raise InputError("cannot be judged")

    told = []
    simulate_session(tmp_path / "raw", preset("osc-cmos").resized(401, 601, frames=6), threads=2)
    monkeypatch.setattr(_execution, "judge_lights", misjudge)
    with pytest.raises(InputError, match="cannot be judged"):
        run([tmp_path / "raw"], tmp_path / "out", progress=Told())
    assert not [text for text in told if "set aside" in text]
    assert_no_thread_is_left()


def test_findings_do_not_depend_on_how_long_judging_takes(tmp_path, monkeypatch):
    """Those of raw pixels come before those of lights, and the record waits for both."""
    faults = (LightLeak(numbers=(0,)), ShadowShift())
    session = preset("osc-cmos").resized(401, 601, frames=6)
    simulate_session(tmp_path / "raw", session.model_copy(update={"faults": faults}), threads=2)
    at_once = run([tmp_path / "raw"], tmp_path / "at once").document["findings"]
    rules = [finding["rule"] for finding in at_once]
    assert rules.index("dark-light-leak") < rules.index("dust-embossed")
    for name in ("judge_all", "judge_lights"):
        monkeypatch.setattr(_execution, name, late(getattr(_execution, name)))
    assert run([tmp_path / "raw"], tmp_path / "late").document["findings"] == at_once


def late(judge):
    """Return what judges as `judge` does, half a second later."""

    def judge_late(*arguments):
        time.sleep(0.5)
        return judge(*arguments)

    return judge_late


def assert_no_thread_is_left():
    """Whatever was begun beside the main job is over."""
    assert not [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith("beside") and thread.is_alive()
    ]
