"""Names of files made of names of objects, filters and frames."""

from pathlib import Path

import pytest

from frame_factory import darks, lights
from lightframe.session import OutputSettings, make_plan
from lightframe.session._file_names import shortened, slug, unique_names
from lightframe.session._steps_output import output_files


@pytest.mark.parametrize("text", ["M 31 " * 100, "銀河" * 100, "ä" * 63 + "銀" * 5])
def test_long_words_are_cut_and_stay_different(text):
    """At most 64 bytes, of whole characters; what differs at the end only stays different."""
    words = {slug(text + ending) for ending in "abc"}

    assert len(words) == 3
    assert all(len(word.encode()) <= 64 for word in words)
    assert {word[:14] for word in words} == {slug(text[:14])}


def test_words_of_usual_length_stay_as_they_are():
    """64 bytes are enough for what observers write."""
    name = "NGC_6960_Western_Veil_Nebula_(panel_2_of_12,_mosaic_with_NGC_6992"

    assert slug("NGC 7000 & IC 5070: North America, panel 3") == (
        "NGC_7000_IC_5070_North_America_panel_3"
    )
    assert shortened(name, len(name)) == name
    assert len(shortened(name, len(name) - 1)) == len(name) - 1


def test_unique_names_are_made_of_cut_words():
    """Two long words of one beginning are not taken for the same."""
    words = [slug("x" * 300 + ending) for ending in "ab"]

    assert unique_names(words, ["1x1", "1x1"]) == words


def test_results_and_masters_of_long_names_have_names_that_file_systems_allow():
    """Object, filter and camera of several hundred bytes, and two of the same beginning."""
    long = "星雲" * 90
    frames = [
        info
        for index, ending in enumerate("abb")
        for info in lights(
            4,
            object=long + ending,
            filter=long,
            camera=long + str(index),
            width=5000 + index,
        )
    ]
    names = [group.name for group in make_plan([*frames, *darks(4)]).groups]

    assert len(set(names)) == 3
    assert max(len(name.encode()) for name in names) <= 255 - len("_rejected_high.png")


def test_output_of_a_file_of_the_longest_name(tmp_path):
    """The step's suffix finds room, and two long names have two outputs."""
    paths = [Path("x" * 249 + end + ".fits") for end in "ab"]
    names = output_files(paths, tmp_path, "_cc_d", OutputSettings(), print).values()

    assert len(set(names)) == 2
    for path in names:
        assert len(path.name) == 255
        assert path.name.endswith("_cc_d.fits")
