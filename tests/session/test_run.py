"""The main job on simulated sessions with known truth, and on real ones."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from lightframe.errors import InputError, SettingsError
from lightframe.frames import FrameKind, read_image, read_info
from lightframe.session import Bench, RunSettings, Silent, integrate_files, plan_run, run
from lightframe.simulation import Session, compare_with_truth, preset, simulate_session

RUN_KEYS = {"findings", "masters", "lights", "results", "plan", "settings", "resources", "version"}
LIGHT_KEYS = {
    *("path", "used", "reason", "masters", "k", "s", "pedestal_dn", "clipped_fraction"),
    *("noise_dn", "fwhm_px", "eccentricity", "stars", "weight", "transform"),
}


M13_BIAS_DN = 1310.7


def small(name, **changes):
    """Return a preset scaled down to a few frames of a third of a megapixel."""
    values = preset(name).model_dump()
    values["sensor"] |= {"width": 640, "height": 480}
    for group, update in changes.items():
        values[group] = values[group] | update if isinstance(update, dict) else update
    return Session.parse(values)


def compared(document, out, truth):
    """Hold every result of a run to the truth."""
    found = []
    for result in document["results"]:
        lights = [
            light
            for light in document["lights"]
            if light["used"] and light["group"] == result["group"]
        ]
        names = {Path(light["path"]).name: light for light in lights}
        reference = names[Path(result["normalized_to"]).name]
        found.append(
            compare_with_truth(
                read_image(out / result["path"])[1],
                truth,
                filter_name=result["filter"],
                lights=list(names),
                reference=Path(reference["path"]).name,
                grid=np.linalg.inv(reference["transform"]),
            )
        )
    return found


@pytest.fixture(scope="module")
def colour(tmp_path_factory):
    """Simulate and run a session of a colour camera over a meridian flip."""
    folder = tmp_path_factory.mktemp("colour")
    session = small(
        "osc-cmos",
        lights={"count": 8},
        darks={"count": 8},
        flats={"count": 8},
        flat_darks={"count": 8},
        night={"trails": 0},
    )
    truth = simulate_session(folder / "raw", session, threads=2)
    outcome = run([folder / "raw"], folder / "out")
    return folder, truth, outcome


def test_a_colour_session_becomes_one_colour_image(colour):
    """Every light is used, the flip is handled, and no finding is an error."""
    _, _, outcome = colour

    assert outcome.exit_code == 0
    assert [light["reason"] for light in outcome.document["lights"] if not light["used"]] == []
    (result,) = outcome.document["results"]
    assert (result["channels"], result["frames"]) == (3, 8)
    turns = [light["registration"] for light in outcome.document["lights"]]
    rotations = [abs(turn["rotation_deg"]) for turn in turns if turn is not None]
    assert min(rotations) < 5
    assert max(rotations) > 175


def test_the_colour_result_agrees_with_the_truth(colour):
    """Stars lie where they are; background is even; noise is near the ideal."""
    folder, truth, outcome = colour

    (found,) = compared(outcome.document, folder / "out", truth)

    assert np.hypot(*found.shift_px) < 0.05
    for channel in found.channels:
        assert abs(channel.vignetting) < 0.015
        assert channel.noise_dn == pytest.approx(channel.ideal_noise_dn, rel=0.15)


def test_run_json_has_what_the_contract_names(colour):
    """All keys are there, it is valid JSON, and costs are told step by step."""
    folder, _, outcome = colour
    document = json.loads((folder / "out" / "run.json").read_text())

    assert document == json.loads(json.dumps(outcome.document))
    assert set(document) >= RUN_KEYS
    for light in document["lights"]:
        assert set(light) >= LIGHT_KEYS
        assert np.shape(light["transform"]) == (3, 3)
    for master in document["masters"]:
        assert {"kind", "path", "frames", "exposure_s", "gain", "temperature_c"} <= set(master)
        assert {"filter", "rejected_fraction"} <= set(master)
        assert (folder / "out" / master["path"]).is_file()
    resources = document["resources"]
    assert resources["wall_s"] > 0
    steps = {step["step"]: step for step in resources["steps"]}
    assert set(steps) >= {"checks", "masters", "pass 1", "waiting", "pass 2"}
    assert sum(step["wall_s"] for step in steps.values()) <= resources["wall_s"]
    beside = {cost["work"]: cost for cost in resources["beside"]}
    assert set(beside) == {"pictures", "writing masters", "judging raw pixels", "judging lights"}
    assert all(cost["cpu_s"] > 0 for cost in beside.values())
    assert sum(cost["cpu_s"] for cost in beside.values()) < resources["cpu_s"]


def test_nothing_is_written_but_masters_results_and_pictures(colour):
    """Bytes written stay below 1.2 times masters and results (pictures apart)."""
    folder, _, outcome = colour
    out = folder / "out"
    pictures = sum(path.stat().st_size for path in (out / "previews").iterdir())
    kept = [path for name in ("masters", "results") for path in (out / name).iterdir()]

    written = outcome.document["resources"]["bytes_written"] - pictures

    assert written <= 1.2 * sum(path.stat().st_size for path in kept)
    assert not (out / ".lightframe" / "scratch").exists()


def test_the_result_carries_its_maps_and_where_it_comes_from(colour):
    """The FITS file has coverage and rejection maps, totals, and the hash of each input."""
    folder, _, outcome = colour
    (result,) = outcome.document["results"]

    with fits.open(folder / "out" / result["path"]) as units:
        units.verify("exception")
        names = [unit.name for unit in units]
        header = units[0].header
        assert names[1:] == ["WEIGHT", "REJ_LOW", "REJ_HIGH"]
        assert all(unit.data.shape == units[0].data.shape for unit in units)
        assert header["DNSCALE"] == 65535
        assert header["NCOMBINE"] == 8
        assert header["TOTALEXP"] == pytest.approx(8 * header["EXPTIME"])
        assert header["IMAGETYP"] == "Master Light"
        text = "".join(str(line) for line in header["HISTORY"])
        assert text.count("SHA-256") == 8
        assert "masterDark.fileName" in text
        image, weight = units[0].data, units["WEIGHT"].data
        assert np.isnan(image[weight == 0]).all()

    for path in (folder / "out" / "masters").glob("*.fits"):
        lines = list(fits.getheader(path)["HISTORY"])
        assert "ImageIntegration.pixelRejection: winsorized" in lines  # what "auto" came to


def test_masters_keep_negative_values_and_their_facts(colour):
    """A master is read back as what it is: kind, exposure, gain, temperature, count, pattern."""
    folder, _, outcome = colour
    dark = next(m for m in outcome.document["masters"] if m["kind"] == "dark")

    info = read_info(folder / "out" / dark["path"])

    assert (info.kind, info.is_master, info.frames_combined) == (FrameKind.DARK, True, 8)
    assert (info.exposure_s, info.gain) == (dark["exposure_s"], dark["gain"])
    assert info.temperature_c == pytest.approx(dark["temperature_c"], abs=0.2)
    assert info.cfa is not None
    assert info.cfa.name == "RGGB"
    assert len(dark["inputs"]) == 8
    assert all(len(entry["sha256"]) == 64 for entry in dark["inputs"])


def test_masters_of_an_earlier_run_serve_like_the_frames_they_were_made_of(colour, tmp_path):
    """Given masters are found, used, and give the same result."""
    folder, _, outcome = colour
    shutil.copytree(folder / "raw" / "lights", tmp_path / "in" / "lights")
    shutil.copytree(folder / "out" / "masters", tmp_path / "in" / "masters")

    second = run([tmp_path / "in"], tmp_path / "out")

    assert all(master["given"] for master in second.document["masters"])
    first = read_image(folder / "out" / outcome.document["results"][0]["path"])[1]
    again = read_image(tmp_path / "out" / second.document["results"][0]["path"])[1]
    assert np.allclose(first, again, rtol=1e-4, atol=0.5, equal_nan=True)


def test_the_result_does_not_depend_on_threads_and_memory(colour, tmp_path):
    """One thread with little memory gives the same bits as two with much."""
    folder, _, outcome = colour

    run([folder / "raw"], tmp_path, RunSettings(workers=1, memory_gb=0.02))

    name = outcome.document["results"][0]["path"]
    with fits.open(folder / "out" / name) as first, fits.open(tmp_path / name) as second:
        for one, other in zip(first, second, strict=True):
            assert np.array_equal(one.data, other.data, equal_nan=True)


def test_intermediate_images_are_written_when_wanted(colour, tmp_path):
    """--keep gives calibrated, debayered and registered lights under the usual endings."""
    folder, _, outcome = colour
    wanted = ("calibrated", "debayered", "registered")

    run([folder / "raw"], tmp_path, RunSettings(keep=wanted))

    stems = [Path(light["path"]).stem for light in outcome.document["lights"]]
    for stage, ending in zip(wanted, ("_c", "_c_cc_d", "_c_cc_d_r"), strict=True):
        names = sorted(path.name for path in (tmp_path / stage).iterdir())
        assert names == sorted(f"{stem}{ending}.fits" for stem in stems)
    calibrated = read_info(tmp_path / "calibrated" / f"{stems[0]}_c.fits")
    assert calibrated.calibration >= {FrameKind.DARK, FrameKind.FLAT}
    registered = sorted((tmp_path / "registered").iterdir())
    settings = RunSettings.parse({"lights": {"variance": True, "rejection": "none"}})
    (made,) = integrate_files(registered, tmp_path / "again.fits", Bench(settings)).done
    assert not any("areas" in remark for remark in made.remarks)
    assert any("before interpolation" in remark for remark in made.remarks)
    frames = np.mean([light["noise_dn"] for light in outcome.document["lights"]], axis=0)
    variance = np.nanmedian(made.integration.variance, axis=(1, 2))
    assert np.sqrt(variance * len(stems) / (4, 2, 4)) == pytest.approx(frames, rel=0.1)


@pytest.fixture(scope="module")
def mono(tmp_path_factory):
    """Simulate and run a monochrome session of two filters, bias and darks."""
    folder = tmp_path_factory.mktemp("mono")
    values = preset("mono-cmos").model_dump()
    session = small(
        "mono-cmos",
        filters=values["filters"][:2],
        lights={"count": 10},
        darks={"count": 10},
        flats={"count": 10},
        bias={"count": 12},
    )
    truth = simulate_session(folder / "raw", session, threads=2)
    return folder, truth, run([folder / "raw"], folder / "out")


def test_each_filter_gives_a_result_on_the_same_grid(mono):
    """Filters of one object are registered to one frame, so that they can be combined."""
    folder, truth, outcome = mono
    results = outcome.document["results"]

    assert sorted(result["filter"] for result in results) == ["L", "R"]
    assert sum(light["reference"] for light in outcome.document["lights"]) == 1
    for found in compared(outcome.document, folder / "out", truth):
        (channel,) = found.channels
        assert channel.scale == pytest.approx(channel.expected_scale, rel=0.01)
        assert channel.noise_dn == pytest.approx(channel.ideal_noise_dn, rel=0.15)
        assert abs(channel.vignetting) < 0.01
        # Five of some hundred stars, the brightest, are saturated and tell little of the place.
        assert np.hypot(*found.shift_px) < 0.08


def broken_copy(folder, target):
    """Copy the raw frames of a session with one light cut off."""
    shutil.copytree(folder / "raw", target)
    victim = sorted((target / "lights").iterdir())[3]
    victim.write_bytes(victim.read_bytes()[:100_000])
    return victim


def test_one_truncated_light_is_set_aside_and_the_rest_goes_on(colour, tmp_path):
    """It is named with the reason among the lights and the findings; the exit code tells."""
    victim = broken_copy(colour[0], tmp_path / "raw")

    outcome = run([tmp_path / "raw"], tmp_path / "out")

    assert outcome.exit_code == 1
    (aside,) = [light for light in outcome.document["lights"] if not light["used"]]
    assert aside["path"] == str(victim)
    assert "truncated" in aside["reason"]
    errors = [f for f in outcome.document["findings"] if f["severity"] == "error"]
    assert [finding["rule"] for finding in errors] == ["unreadable-file"]
    assert outcome.document["results"][0]["frames"] == 7


def test_a_file_without_readable_pixels_is_reported_once(colour, tmp_path):
    """By the checks of raw pixels, and not again by the work it is set aside from."""
    raw = tmp_path / "raw"
    shutil.copytree(colour[0] / "raw", raw)
    light, dark = (min((raw / name).iterdir()) for name in ("lights", "darks"))
    with fits.open(light) as units:
        header, shape = units[0].header, units[0].data.shape
    header.remove("BZERO")
    fits.writeto(light, np.full(shape, np.nan, np.float32), header, overwrite=True)
    with fits.open(dark) as units:
        packed = fits.CompImageHDU(units[0].data, units[0].header, compression_type="GZIP_1")
    packed.writeto(dark, overwrite=True)
    stored = bytearray(dark.read_bytes())
    stored[len(stored) // 2 : len(stored) // 2 + 2000] = bytes(2000)
    dark.write_bytes(stored)

    document = run([raw], tmp_path / "out").document

    named = [(f["rule"], f["frames"]) for f in document["findings"] if f["severity"] != "info"]
    assert sorted(named) == [("unreadable-file", [str(path)]) for path in sorted((dark, light))]
    (aside,) = [one for one in document["lights"] if not one["used"]]
    assert aside["reason"] == "no pixel holds a number once it is calibrated"
    assert document["results"][0]["frames"] == 7


def test_a_light_without_stars_is_set_aside(colour, tmp_path):
    """A frame that cannot be registered is named; the result is made of the others."""
    shutil.copytree(colour[0] / "raw", tmp_path / "raw")
    victim = sorted((tmp_path / "raw" / "lights").iterdir())[2]
    with fits.open(victim, mode="update") as units:
        rng = np.random.default_rng(1)
        units[0].data = rng.normal(1500, 30, units[0].data.shape).astype(np.uint16)

    outcome = run([tmp_path / "raw"], tmp_path / "out")

    (aside,) = [light for light in outcome.document["lights"] if not light["used"]]
    assert aside["path"] == str(victim)
    assert "cannot be registered" in aside["reason"]
    assert "bad-light" in [finding["rule"] for finding in outcome.document["findings"]]


@pytest.mark.parametrize("check_pixels", [True, False])
def test_a_light_taken_by_day_is_set_aside_and_named_once(colour, tmp_path, check_pixels):
    """Nearly all of its pixels are saturated; the others make the result, and nothing is wrong."""
    shutil.copytree(colour[0] / "raw", tmp_path / "raw")
    victim = sorted((tmp_path / "raw" / "lights").iterdir())[2]
    with fits.open(victim, mode="update") as units:
        bright = np.random.default_rng(1).normal(70000, 2000, units[0].data.shape)
        units[0].data = np.minimum(bright, 65535).astype(np.uint16) // 4 * 4  # an ADC of 14 bits

    outcome = run([tmp_path / "raw"], tmp_path / "out", RunSettings(check_pixels=check_pixels))

    (aside,) = [light for light in outcome.document["lights"] if not light["used"]]
    assert aside["path"] == str(victim)
    assert "of its pixels are saturated, at 65532 DN" in aside["reason"]
    findings = [f for f in outcome.document["findings"] if f["severity"] != "info"]
    (finding,) = [f for f in findings if f["rule"] == "bad-light"]
    assert finding["frames"] == [str(victim)]
    assert findings == [finding]
    assert outcome.exit_code == 0
    assert outcome.document["results"][0]["frames"] == 7


def test_lights_alone_are_integrated_with_a_plain_warning(colour, tmp_path):
    """Without calibration frames the result is made, and what is missing is said."""
    outcome = run([colour[0] / "raw" / "lights"], tmp_path)

    assert outcome.exit_code == 0
    assert {finding["rule"] for finding in outcome.document["findings"]} == {"no-dark", "no-flat"}
    assert outcome.document["results"][0]["channels"] == 3


def test_calibration_frames_alone_become_masters(colour, tmp_path):
    """A session without lights is complete when its masters are written."""
    raw = colour[0] / "raw"

    outcome = run([raw / "darks", raw / "flats", raw / "flat-darks"], tmp_path)

    assert outcome.exit_code == 0
    assert outcome.document["results"] == []
    kinds = sorted(master["kind"] for master in outcome.document["masters"])
    assert kinds == ["dark", "flat", "flat-dark"]


def test_two_sizes_of_lights_make_two_results(colour, tmp_path):
    """Lights of another geometry are integrated apart."""
    shutil.copytree(colour[0] / "raw" / "lights", tmp_path / "raw")
    for path in sorted((tmp_path / "raw").iterdir())[:4]:
        with fits.open(path) as units:
            data, header = units[0].data[:400, :500].copy(), units[0].header
        fits.PrimaryHDU(data, header).writeto(path, overwrite=True)

    outcome = run([tmp_path / "raw"], tmp_path / "out")

    sizes = sorted((r["height"], r["width"], r["frames"]) for r in outcome.document["results"])
    assert sizes == [(400, 500, 4), (480, 640, 4)]


def test_empty_folders_and_folders_of_text_are_unusable_input(tmp_path):
    """The error says what was found instead."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "notes.txt").write_text("clear night")

    with pytest.raises(InputError, match="nothing is there"):
        plan_run([tmp_path / "empty"], RunSettings())
    with pytest.raises(InputError, match=r"1 x \.txt"):
        run([tmp_path / "text"], tmp_path / "out")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"debayer": "superpixel"}, "shrinks the frames"),
        ({"lights": {"weight": "keyword"}}, "lights.weight = 'keyword' needs a number"),
        ({"flats": {"weight": "given"}}, "flats.weight = 'given' needs a number"),
        ({"cosmetic": {"defect_list": "nowhere.txt"}}, "no such list of defects"),
    ],
)
def test_settings_that_a_run_cannot_follow_are_refused_before_any_work(
    colour, tmp_path, settings, message
):
    """Nothing is read or written before the user is told."""
    folder, _, _ = colour
    with pytest.raises(SettingsError, match=message):
        run([folder / "raw"], tmp_path / "out", RunSettings.parse(settings))
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_is_a_file_is_a_settings_error(colour, tmp_path):
    """It is refused before any work."""
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match="cannot be written to"):
        run([colour[0] / "raw"], tmp_path / "file" / "out")


def test_m13_gives_one_image_per_filter_with_every_light(shared_data, tmp_path):
    """Real CCD frames: four filters, twelve lights, the short darks said."""
    outcome = run([shared_data / "m13-mono-ccd"], tmp_path)
    document = outcome.document

    assert sorted(result["filter"] for result in document["results"]) == [
        *("sdss_g", "sdss_i", "sdss_r", "sdss_z")
    ]
    assert all(light["used"] for light in document["lights"])
    errors = [f["rule"] for f in document["findings"] if f["severity"] == "error"]
    assert errors == ["dark-shorter-than-light"]
    scaled = [light["k"] for light in document["lights"] if light["k"] is not None]
    assert scaled == pytest.approx([0.75, 0.75], abs=0.01)
    turns = [light["registration"] for light in document["lights"] if light["registration"]]
    assert max(turn["rms_px"] for turn in turns) < 0.3
    for result in document["results"]:
        _, (image,) = read_image(tmp_path / result["path"])
        raw = next(
            light["path"] for light in document["lights"] if light["group"] == result["group"]
        )
        assert unevenness(image) < 0.5 * unevenness(read_image(Path(raw))[1][0] - M13_BIAS_DN)


def unevenness(image):
    """Return how much the corners differ from each other, relative to the sky over the bias."""
    size = 160
    corners = [
        image[y, x]
        for y in (slice(0, size), slice(-size, None))
        for x in (slice(0, size), slice(-size, None))
    ]
    levels = [np.nanpercentile(corner, 25) for corner in corners]
    return float(np.ptp(levels) / np.mean(levels))


def test_seestar_lights_alone_give_a_colour_image(shared_data, tmp_path):
    """Real frames of a smart telescope, colour, without calibration frames."""
    outcome = run([shared_data / "seestar-m94-osc"], tmp_path)

    (result,) = outcome.document["results"]
    assert (result["channels"], result["frames"]) == (3, 10)
    rules = {finding["rule"] for finding in outcome.document["findings"]}
    assert rules == {"no-dark", "no-flat", "undithered"}
    assert outcome.exit_code == 0
    _, image = read_image(tmp_path / result["path"])
    green = image[1]
    galaxy = np.nanmedian(green[940:980, 590:630])
    assert galaxy > np.nanmedian(green) + 5 * result["noise_dn"][1]


def test_asi120_calibration_frames_give_four_masters(shared_data, tmp_path):
    """Types from the path; a decimal comma in a header; 30 s and 100 s darks apart."""
    outcome = run([shared_data / "asi120-osc-calibration"], tmp_path)

    masters = {master["name"]: master for master in outcome.document["masters"]}
    assert sorted(master["kind"] for master in masters.values()) == [
        *("bias", "dark", "dark", "flat")
    ]
    assert sorted(m["exposure_s"] for m in masters.values() if m["kind"] == "dark") == [30, 100]
    assert outcome.exit_code == 0


class Told:
    """Keeps the messages of a run."""

    def __init__(self):
        self.messages = []

    def step(self, name, total):
        """Open a step that nobody sees."""
        return Silent().step(name, total)

    def message(self, text):
        """Keep one line."""
        self.messages.append(text)


def test_a_second_run_takes_up_finished_masters_unless_it_is_fresh(colour, tmp_path):
    """Masters are made once; other settings or --fresh make them anew."""
    raw = colour[0] / "raw"
    lights = [raw / "darks", raw / "flats", raw / "flat-darks"]

    def taken_up(settings=None, **options):
        told = Told()
        run(lights, tmp_path, settings or RunSettings(), progress=told, **options)
        return sum("taken up" in message for message in told.messages)

    assert taken_up() == 0
    assert taken_up() == 3
    assert taken_up(fresh=True) == 0
    flats_anew = RunSettings.parse({"flats": {"rejection": "sigma"}})
    assert taken_up(flats_anew) == 2
    master = next((tmp_path / "masters").glob("flat-dark*"))
    master.write_bytes(master.read_bytes()[:-2880])
    assert taken_up(flats_anew) == 2


def test_settings_that_subtract_the_bias_twice_are_refused_unless_forced(mono, tmp_path):
    """The run does not begin; with force it does, and the finding stands."""
    twice = {"match": {"use_bias": "always"}, "calibration": {"calibrate_dark": False}}

    with pytest.raises(SettingsError, match="subtracted twice"):
        run([mono[0] / "raw"], tmp_path, RunSettings.parse(twice))
    assert not (tmp_path / "run.json").exists()

    outcome = run([mono[0] / "raw"], tmp_path, RunSettings.parse(twice | {"force": True}))
    assert outcome.exit_code == 1
    errors = {f["rule"] for f in outcome.document["findings"] if f["severity"] == "error"}
    assert "double-bias-subtraction" in errors
