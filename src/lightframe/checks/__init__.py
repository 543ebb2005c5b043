"""Checks: evidence -> findings. Each rule is a function, entered by name into a catalogue."""

from lightframe.checks import _plan_bias_rules, _plan_flat_rules, _plan_rules
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._plan_records import PlanRecord
from lightframe.checks._rules import RULES, Rule, judge

__all__ = ["RULES", "Finding", "Group", "PlanRecord", "Rule", "Severity", "judge"]

_CATALOGUE = (_plan_rules, _plan_flat_rules, _plan_bias_rules)
"""The modules that enter their rules into `RULES` when they are imported."""
