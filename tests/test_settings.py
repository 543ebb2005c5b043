"""Settings: tables within tables, unknown names."""

import pytest

from lightframe.errors import SettingsError
from lightframe.session import RunSettings
from lightframe.settings import read_toml


def test_a_table_given_in_part_keeps_its_own_defaults():
    """One setting of the darks leaves the others as darks need them, not as lights do."""
    settings = RunSettings.parse({"darks": {"rejection": "sigma"}, "flats": {"limits": {}}})
    defaults = RunSettings()
    assert settings.darks == defaults.darks.model_copy(update={"rejection": "sigma"})
    assert settings.flats == defaults.flats
    assert settings.darks.normalization == "none"


def test_an_unknown_name_in_a_table_is_an_error():
    """The message names it and what there is."""
    with pytest.raises(SettingsError, match=r"darks\.rejektion"):
        RunSettings.parse({"darks": {"rejektion": "sigma"}})


def test_instances_are_taken_as_they_are():
    """A settings object in place of a table is not completed from anything."""
    lights = RunSettings().darks
    assert RunSettings(lights=lights).lights is lights


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    """Windows' editor writes one in front of UTF-8 text."""
    path = tmp_path / "a.toml"
    path.write_text("[darks]\nrejection = 'sigma'\n", encoding="utf-8-sig")

    assert read_toml(path) == {"darks": {"rejection": "sigma"}}


@pytest.mark.parametrize(
    ("values", "what", "remedy"),
    [
        ({"frob": 1}, "frob = 1: there is no such setting", "there are: match, check"),
        ({"lights": {"frob": 1}}, "lights.frob = 1: there is no", "there are: combination, weight"),
        ({"use_bias": "auto"}, "there is no such setting", "write match.use_bias"),
        ({"debayer": "rcd", "lights": {"use_bias": 1}}, "no such setting", "write match.use_bias"),
        ({"workers": 0}, "workers = 0: Input should be greater", "workers: Threads; all cores"),
        ({"lights": {"limits": {"sigma": {"high": "x"}}}}, "sigma.high = 'x'", "high: Samples"),
    ],
)
def test_a_wrong_setting_is_explained_where_it_stands(values, what, remedy):
    """The remedy names its place, or the settings of that table, or tells what it means."""
    with pytest.raises(SettingsError) as caught:
        RunSettings.parse(values)

    assert what in caught.value.what
    assert remedy in caught.value.remedy
