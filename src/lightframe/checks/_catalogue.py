"""The modules that enter their rules into `RULES`, in the order of the catalogue."""

from importlib import import_module

__all__ = ["MODULES"]

MODULES = (
    "_plan_rules",
    "_plan_dark_rules",
    "_plan_flat_rules",
    "_plan_bias_rules",
    "_evidence_file_rules",
    "_evidence_raw_rules",
    "_evidence_format_rules",
    "_evidence_match_rules",
    "_evidence_gain_rules",
    "_evidence_binning_rules",
    "_evidence_hot_pixel_rules",
    "_evidence_sensitivity_rules",
    "_evidence_colour_rules",
    "_evidence_x_trans_rules",
    "_evidence_dark_rules",
    "_evidence_flat_dark_rule",
    "_evidence_filter_rule",
    "_evidence_master_rules",
    "_evidence_flat_rules",
    "_evidence_flat_shape_rules",
    "_result_flat_rules",
    "_result_leak_rule",
    "_result_rules",
    "_result_bad_light_rule",
    "_evidence_light_rule",
    "_result_pattern_rules",
    "_result_shadow_rules",
)
"""A rule is entered by its first witness; those that add a witness to it come later."""

for _name in MODULES:
    import_module(f"lightframe.checks.{_name}")
