"""A small part of the campaign of random sessions; `benchmarks/check_campaign.py` has all of it."""

import pytest
from benchmarks.campaign_sessions import FAULTS, draw
from benchmarks.check_campaign import ill_written, judged, table

from lightframe.checks import RULES

SEED = 2
SESSIONS = range(3, 507, 21)


def test_the_campaign_knows_a_fault_for_each_rule():
    """And no fault for a rule that does not exist."""
    assert set(FAULTS) == set(RULES)


def test_a_session_can_be_drawn_alone():
    """Its number and the seed tell everything of it; another seed gives another session."""
    rule, _, camera, session = draw(SEED, 45)

    again = draw(SEED, 45)
    assert (again[0], again[2], again[3]) == (rule, camera, session)
    assert draw(SEED + 1, 45)[3] != session


@pytest.mark.parametrize(
    ("message", "ill"),
    [
        ("a glow of 1.2e+03 DN", True),
        ("a slope of 0.123456 (needed: 1)", True),
        ("29483 DN, 0.0123 of 65535, light_0007.fits of 2026-10-03", False),
        ("12 darks 28.274 s, by N.I.N.A. 3.2.0.9001", False),
    ],
)
def test_numbers_that_say_more_than_is_known_are_seen(message, ill):
    """Exponents and fractions of more than five digits."""
    assert bool(ill_written([message])) is ill


@pytest.mark.slow
def test_of_24_random_sessions_none_is_misjudged():
    """Each fault is found and named first, clean ones are silent, and messages are readable."""
    verdicts = [judged(SEED, number) for number in SESSIONS]

    assert [str(v) for v in verdicts if not v.first] == []
    assert sum(not v.rule for v in verdicts) == len(SESSIONS) // 2
    assert ill_written([message for v in verdicts for message in v.messages]) == []
    assert "100.0 %" in table(verdicts, SEED)
