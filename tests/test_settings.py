"""Settings: tables within tables, unknown names, meanings."""

import pytest

from lightframe.errors import SettingsError
from lightframe.session import RunSettings
from lightframe.settings import Settings, read_toml


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
        ({"workers": 0}, "workers = 0: should be greater", "workers: Threads; all cores"),
        ({"lights": {"limits": {"sigma": {"high": "x"}}}}, "sigma.high = 'x'", "high: Samples"),
    ],
)
def test_a_wrong_setting_is_explained_where_it_stands(values, what, remedy):
    """The remedy names its place, or the settings of that table, or tells what it means."""
    with pytest.raises(SettingsError) as caught:
        RunSettings.parse(values)

    assert what in caught.value.what
    assert remedy in caught.value.remedy


class Louder(Settings):
    """Settings, one of which is documented."""

    gain: int = 1
    """How much louder,
    in steps."""

    plain: int = 2


class Loudest(Louder):
    """Settings that inherit fields."""

    limit: int = 3
    """Where it ends."""


def test_a_field_means_what_the_docstring_below_it_says():
    """It is one line, wherever the field was declared, and nothing where there is none."""
    assert Louder.meaning("gain") == Loudest.meaning("gain") == "How much louder, in steps."
    assert Loudest.meaning("limit") == "Where it ends."
    assert not Loudest.meaning("plain")


def test_a_schema_describes_the_fields():
    """A form that is made of it can say what the settings mean."""
    fields = Loudest.model_json_schema()["properties"]

    assert fields["gain"]["description"] == "How much louder, in steps."


def test_all_settings_of_a_run_have_a_meaning():
    """Help and errors say what each of them is, in tables within tables, too."""

    def nameless(kind):
        for name, field in kind.model_fields.items():
            if not kind.meaning(name):
                yield kind, name
            if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
                yield from nameless(field.annotation)

    assert list(nameless(RunSettings)) == []
