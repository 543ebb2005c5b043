"""Whole sessions: folders, names, headers, reproducibility, truth."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits

from lightframe.errors import SettingsError, UnreadableFileError
from lightframe.frames import FrameKind, open_pixels, read_image, read_info
from lightframe.simulation import (
    CAPTURE_PROGRAMS,
    PRESETS,
    DarkSet,
    Filter,
    LightSet,
    Night,
    Session,
    Sky,
    Stars,
    build_camera,
    load_truth,
    preset,
    schedule,
    simulate_session,
)


def digests(folder):
    """Return a hash of every FITS file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.fit*"))
    }


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_writes_a_session_that_is_read_right(name, tmp_path):
    """Kinds, counts, exposures, gain, filters and patterns in the files are those of the preset."""
    settings = preset(name).resized(96, 144, 2)
    truth = simulate_session(tmp_path / "session", settings)

    assert len(truth.frames) == len({shot.path for shot in truth.frames})
    for shot in truth.frames:
        info = read_info(tmp_path / "session" / shot.path)
        assert info.kind is shot.kind
        assert info.shape == (96, 144)
        assert info.exposure_s == pytest.approx(shot.claim.exposure_s, abs=1e-3)
        assert info.filter == shot.claim.filter
        assert info.camera == settings.sensor.camera
        assert info.time == shot.time
        if settings.sensor.cfa is None:
            assert info.cfa is None
        else:
            assert info.cfa.name == settings.sensor.cfa
        if info.egain is not None:
            assert info.egain == pytest.approx(truth.e_per_dn)
    counts = {kind: len(truth.of_kind(kind)) for kind in FrameKind}
    filters = len(settings.filters)
    assert counts[FrameKind.LIGHT] == settings.lights.count * filters
    assert counts[FrameKind.FLAT] == settings.flats.count * filters
    assert counts[FrameKind.DARK] == settings.darks.count
    assert counts[FrameKind.BIAS] == settings.bias.count


@pytest.mark.parametrize("program", sorted(CAPTURE_PROGRAMS))
def test_every_capture_program_is_understood(program, tmp_path):
    """Frames of every capture program are recognised, with gain and temperature where written."""
    settings = preset("osc-cmos").changed(capture=program).resized(32, 48, 1)
    truth = simulate_session(tmp_path / "session", settings)

    for shot in truth.frames:
        info = read_info(tmp_path / "session" / shot.path)
        assert info.kind is shot.kind
        assert info.cfa.name == "RGGB"
        assert info.temperature_c == pytest.approx(shot.claim.temperature_c)
        if program != "maxim":
            assert info.gain == 100
            assert info.offset == 70


def test_the_pixels_of_a_file_are_those_of_the_camera(colour_folder, colour_session):
    """A file holds, as unsigned 16-bit integers, what the camera exposed."""
    camera = build_camera(colour_session)
    shot = schedule(colour_session)[5]
    expected = camera.expose(shot).raw
    source = open_pixels(colour_folder / shot.path)

    assert source.dtype == np.uint16
    source.close()
    _, planes = read_image(colour_folder / shot.path)
    assert np.array_equal(planes[0], expected)
    assert fits.getheader(colour_folder / shot.path)["BZERO"] == 32768


def test_a_session_is_the_same_to_the_bit_whatever_the_threads(
    colour_session, colour_folder, tmp_path
):
    """One thread writes the same files as two."""
    simulate_session(tmp_path / "again", colour_session, threads=1)

    assert digests(tmp_path / "again") == digests(colour_folder)


def test_another_seed_gives_other_noise_and_the_same_sensor(colour_session):
    """The seed of the session changes every frame but not the fixed patterns."""
    other = colour_session.changed(seed=2)
    one, two = build_camera(colour_session), build_camera(other)
    shot = next(shot for shot in schedule(colour_session) if shot.kind is FrameKind.DARK)

    assert np.array_equal(one.patterns[1].dark_e_s, two.patterns[1].dark_e_s)
    assert np.array_equal(one.scene.positions, two.scene.positions)
    assert not np.array_equal(one.expose(shot).raw, two.expose(shot).raw)


def test_frames_of_one_kind_are_independent(colour_session):
    """The noise of two darks is uncorrelated."""
    camera = build_camera(colour_session)
    darks = [shot for shot in schedule(colour_session) if shot.kind is FrameKind.FLAT_DARK]
    values = [camera.expose(shot).raw.astype(float).ravel() for shot in darks]
    base = np.mean(values, axis=0)
    differences = [(a - b)[np.abs(base - 700) < 30] for a, b in pairwise(values)]

    assert abs(np.corrcoef(differences[0], differences[2])[0, 1]) < 0.02


def test_progress_is_reported_for_each_frame(tmp_path):
    """Each finished frame is counted once."""
    done = []
    settings = preset("osc-cmos").resized(32, 48, 1)
    truth = simulate_session(tmp_path / "session", settings, threads=2, advance=done.append)

    assert sum(done) == len(truth.frames)


def test_a_folder_that_holds_a_session_is_refused(colour_folder, colour_session):
    """Frames of two sessions are never mixed."""
    with pytest.raises(SettingsError, match="already holds lights"):
        simulate_session(colour_folder, colour_session)


def test_a_session_survives_json():
    """Settings written as JSON and read again are the same."""
    for name in PRESETS:
        settings = preset(name)
        assert Session.model_validate_json(settings.model_dump_json()) == settings


def test_an_unknown_preset_and_an_unknown_program_are_errors():
    """The message names what there is."""
    with pytest.raises(SettingsError, match="osc-cmos"):
        preset("osc")
    with pytest.raises(SettingsError, match="nina"):
        Session.parse({"capture": "nino"})
    with pytest.raises(SettingsError, match="same name"):
        Session.parse({"filters": [{"name": "L"}, {"name": "L"}]})


def test_the_first_light_defines_the_grid_and_the_flip_turns_half_the_night(colour_session):
    """The first transform is the identity; after the flip lights are rotated by 180 degrees."""
    lights = [
        shot
        for shot in schedule(colour_session.changed(lights=LightSet(count=8)))
        if shot.kind is FrameKind.LIGHT
    ]

    assert np.array_equal(lights[0].pointing.matrix(200, 300), np.eye(3))
    flipped = [shot.pointing.matrix(200, 300)[0, 0] < 0 for shot in lights]
    assert flipped == [False] * 4 + [True] * 4
    assert [shot.pier_side for shot in lights] == ["west"] * 4 + ["east"] * 4


def test_dither_stays_within_its_radius_and_drift_adds_up():
    """Pointings scatter within the dither radius around the drifting field."""
    settings = Session(
        night=Night(dither_px=6.0, drift_px=(2.0, -1.0), flip=False), lights=LightSet(count=30)
    )
    lights = [shot for shot in schedule(settings) if shot.kind is FrameKind.LIGHT]
    offsets = np.array(
        [
            (shot.pointing.dx - 2.0 * place, shot.pointing.dy + place)
            for place, shot in enumerate(lights)
        ]
    )

    assert np.hypot(*offsets.T).max() <= 6.0
    assert np.hypot(*offsets.T).max() > 4.0


def test_truth_is_read_back_as_it_was(colour_folder, colour_session):
    """Settings, frames, maps and lists survive the files."""
    truth = load_truth(colour_folder)
    camera = build_camera(colour_session)

    assert truth.session == colour_session
    assert truth.frames == schedule(colour_session)
    assert np.array_equal(truth.illumination[0], camera.illumination[0])
    assert np.array_equal(truth.dark_e_s, camera.patterns[1].dark_e_s)
    assert np.array_equal(truth.hot, camera.patterns[1].hot)
    assert np.array_equal(truth.scene.diffuse, camera.scene.diffuse)
    light = truth.of_kind(FrameKind.LIGHT)[2]
    assert np.array_equal(truth.struck[light.path], camera.expose(light).struck)
    assert np.array_equal(truth.transform(light.name), light.pointing.matrix(200, 300))
    assert load_truth(colour_folder / "truth").e_per_dn == pytest.approx(0.2)


def test_a_session_without_lights_has_a_truth(tmp_path):
    """Calibration frames alone: the stars of its truth have the width of the night."""
    session = Session.parse({"lights": {"count": 0}, "sensor": {"width": 96, "height": 64}})
    simulate_session(tmp_path, session)

    assert load_truth(tmp_path / "truth").median_psf().fwhm_px == session.night.fwhm_px


def test_missing_truth_is_an_error(tmp_path):
    """A folder without truth is refused with the reason."""
    with pytest.raises(UnreadableFileError, match="no truth"):
        load_truth(tmp_path)


def test_a_truth_without_its_images_is_told(colour_folder, tmp_path):
    """A simulation that was broken off leaves no half truth."""
    (tmp_path / "truth.json").write_bytes((colour_folder / "truth" / "truth.json").read_bytes())
    with pytest.raises(UnreadableFileError, match="images of the truth cannot be read"):
        load_truth(tmp_path)


def test_a_light_is_the_truth_seen_through_its_transform_plus_noise(colour_folder):
    """Raw pixels minus (truth on their grid x flat, dark, bias) are noise of unit variance."""
    truth = load_truth(colour_folder)
    session = truth.session
    planes = np.tile(session.sensor.pattern.planes(), (100, 150))
    mode = session.sensor.at_gain(session.gain)
    crossed = 0
    for shot in truth.of_kind(FrameKind.LIGHT):
        image = truth.image(matrix=truth.transform(shot.name), psf=shot.psf, parts=("stars",))
        image += truth.image(matrix=truth.transform(shot.name), parts=("diffuse",))
        image *= shot.transparency
        y, x = np.indices((200, 300))
        slope = 1.0 + shot.gradient[0] * (x - 149.5) / 149.5 + shot.gradient[1] * (y - 99.5) / 99.5
        image += truth.filtered_scene().sky[:, None, None] * shot.sky_factor * slope
        mean = np.choose(planes, image) * truth.flat() * shot.exposure_s
        mean += truth.dark_e(shot.exposure_s, shot.temperature_c)
        raw = read_image(colour_folder / shot.path)[1][0].astype(float)
        residual = (raw - truth.bias_level_dn) * truth.e_per_dn - mean
        residual /= np.sqrt(mean + mode.read_noise_e**2 + 0.3**2 + 0.4**2 + 0.15**2)
        good = mean < 10000
        good.ravel()[truth.struck[shot.path]] = False
        if shot.trails:
            crossed += 1
            continue

        assert np.mean(residual[good]) == pytest.approx(0.0, abs=0.03)
        assert np.std(residual[good]) == pytest.approx(1.0, abs=0.02)
        assert np.abs(residual[good]).max() < 6.0
    assert crossed == session.night.trails


def test_the_flux_of_stars_in_a_light_is_that_of_the_catalogue():
    """Aperture sums of a light in electrons agree with flux x exposure to half a percent."""
    settings = preset("mono-cmos").resized(700, 700, 1)
    settings = settings.changed(
        filters=(Filter(),),
        sky=Sky(
            nebula=None,
            galaxies=(),
            stars=Stars(per_megapixel=100, faintest_e_s=130, brightest_e_s=290),
        ),
        optics=settings.optics.model_copy(update={"vignetting": 0.0, "dust": ()}),
    )
    shot = next(shot for shot in schedule(settings) if shot.kind is FrameKind.LIGHT)
    camera = build_camera(settings)
    electrons = camera.expose(shot).raw * settings.sensor.e_per_dn(100)
    scene = camera.scenes[0]
    y, x = np.indices(electrons.shape)
    ratios = []
    for (x0, y0), flux in zip(scene.positions, scene.flux[:, 0], strict=True):
        others = np.hypot(*(scene.positions - [x0, y0]).T)
        alone = np.sum(scene.flux[others < 30.0, 0]) < 1.01 * flux
        if not (25 < x0 < 675 and 25 < y0 < 675 and alone and flux < 900):
            continue
        distance = np.hypot(x - x0, y - y0)
        sky = np.median(electrons[(distance > 16) & (distance < 24)])
        light = np.sum(electrons[distance < 13] - sky)
        ratios.append(light / (flux * shot.exposure_s * shot.transparency))

    assert len(ratios) >= 8
    assert np.median(ratios) == pytest.approx(1.0, abs=0.006)


def test_darks_of_another_exposure_and_flat_darks_have_theirs():
    """Darks take their own exposure where one is given, flat-darks that of the flats."""
    settings = Session(darks=DarkSet(count=1, exposure_s=300.0), flat_darks=DarkSet(count=1))
    exposures = {shot.kind: shot.exposure_s for shot in schedule(settings)}

    assert exposures[FrameKind.DARK] == pytest.approx(300.0)
    assert exposures[FrameKind.FLAT_DARK] == pytest.approx(settings.flats.exposure_s)
