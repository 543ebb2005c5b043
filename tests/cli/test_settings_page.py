"""`lightframe explain --settings`: every setting, as a file that can be given back."""

import tomllib

from lightframe.cli._settings_page import settings_as_toml
from lightframe.session import RunSettings
from lightframe.settings import read_toml


def test_all_settings_are_a_file_of_settings_that_changes_nothing(lightframe, tmp_path):
    """Given back with --config, they are the defaults; meanings and choices stand above."""
    code, text, _ = lightframe("explain", "--settings")
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")

    assert code == 0
    assert RunSettings.parse(read_toml(path)) == RunSettings()
    assert "# How darks are subtracted.\n#   auto: as it is where" in text
    assert "[lights.limits.sigma]" in text
    assert "# workers =\n" in text
    assert max(map(len, text.splitlines())) <= 100


def test_every_value_comes_back_as_it_was():
    """Text with quotes, lists, numbers, and what is not there by default."""
    settings = RunSettings.parse(
        {
            "workers": 3,
            "keep": "calibrated, debayered",
            "match": {"filter_aliases": 'G0=G, "wide"=L', "dark_scaling": "none"},
            "lights": {"limits": {"sigma": {"high": 2.5}}, "range_limits": {"low": 0.0}},
        }
    )
    assert settings.calibration.overscan is None

    assert RunSettings.parse(tomllib.loads(settings_as_toml(settings))) == settings


def test_the_schema_describes_the_settings(lightframe):
    """For programs that make forms of it."""
    code, schema, _ = lightframe("explain", "--settings", "--json")

    assert code == 0
    assert schema["properties"]["debayer"]["description"].startswith("Interpolation")
