"""FITS cards: tolerant reading, strict writing, judged by astropy."""

import io
import string

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from lightframe.frames._fits_cards import BLOCK, format_cards, parse_cards, to_ascii
from lightframe.frames._header import Card, Header


def block(*lines):
    """Return cards of 80 bytes, ended and padded."""
    text = "".join(line.ljust(80) for line in (*lines, "END"))
    return text.ljust(-(-len(text) // BLOCK) * BLOCK).encode("latin-1")


def by_astropy(cards):
    """Return the header that astropy reads from cards we wrote."""
    header = fits.Header.fromstring(format_cards(cards))
    for card in header.cards:
        card.verify("exception")
    return header


@pytest.mark.parametrize(
    ("line", "value", "comment"),
    [
        ("GAIN    =                  100 / gain", 100, "gain"),
        ("GAIN    = -12", -12, ""),
        ("EXPTIME =              6.4E-05 / [s]", 6.4e-05, "[s]"),
        ("EXPTIME =              6.4D-05", 6.4e-05, ""),
        ("EXPOSURE=              6,4E-05 / Exposure time in seconds", "6,4E-05",
         "Exposure time in seconds"),
        ("CCD-TEMP=                  26. / C", 26.0, "C"),
        ("SIMPLE  =                    T", True, ""),
        ("COOLING =                    F / off", False, "off"),
        ("NOTHING =                      / undefined", None, "undefined"),
        ("OBJECT  = 'M 13    '           / name", "M 13", "name"),
        ("OBJECT  = 'Barnard''s / star' / name", "Barnard's / star", "name"),
        ("OBJECT  = ''", "", ""),
        ("OBJECT  = 'never closed", "never closed", ""),
        ("object  = 'lower'", "lower", ""),
        ("OBJECT  ='no blank'/c", "no blank", "c"),
        ("OBJECT='early sign'", "early sign", ""),
        ("TEMP    = NaN", "NaN", ""),
        ("OBJECT  just text", "just text", ""),
    ],
)  # fmt: skip
def test_a_card_is_read_for_what_it_says(line, value, comment):
    """Numbers, logicals and strings are understood; what is none of them stays text."""
    (card,) = parse_cards(block(line))

    assert card.keyword in {line[:8].strip().upper(), "OBJECT"}
    assert card.value == value
    assert type(card.value) is type(value)
    assert card.comment == comment


def test_commentary_long_strings_and_hierarch_are_read():
    """HISTORY and COMMENT keep each line, CONTINUE joins strings, HIERARCH names its keyword."""
    header = Header(
        parse_cards(
            block(
                "HISTORY first = 'not a value'",
                "HISTORY second",
                "COMMENT",
                "LONG    = 'one &' / start",
                "CONTINUE  '''two'' &'",
                "CONTINUE  'three' / end",
                "HIERARCH ESO DET  GAIN = 2.5 / [e-/adu]",
                "AMPER   = 'left alone&'",
                "",
            )
        )
    )

    assert header.values("HISTORY") == (" first = 'not a value'".strip(), "second")
    assert header.get("LONG") == "one 'two' three"
    assert header.card("LONG").comment == "start end"
    assert header.get("ESO DET GAIN") == 2.5
    assert header.get("AMPER") == "left alone&"


def test_bytes_beyond_ascii_are_read_as_utf8_or_latin1():
    """Names with umlauts survive, whichever encoding the program used; NUL bytes are blanks."""
    utf8 = "OBJECT  = 'Köln'".encode().ljust(80)
    latin = "SITE    = 'Köln'".encode("latin-1").ljust(80, b"\0")

    assert [card.value for card in parse_cards(utf8 + latin)] == ["Köln", "Köln"]


def test_written_headers_are_what_astropy_reads():
    """Every kind of value, long strings, quotes and HIERARCH come back through astropy."""
    cards = [
        Card("OBJECT", "Barnard's star " * 12, "[] long"),
        Card("QUOTES", "'" * 150),
        Card("GAIN", 100, "gain"),
        Card("TINY", -1.2345678901234567e-300, "full precision"),
        Card("WHOLE", 1e20),
        Card("COOLED", True),
        Card("NOVALUE", None, "undefined"),
        Card("ESO DET OUT1 GAIN", 2.5, "hierarch"),
        Card("INSTRUMENT:EXPOSURETIME", 30.0),
        Card("HISTORY", "word " * 40),
        Card("COMMENT", "a remark"),
        Card("gain", 999, "a second value of GAIN is not written"),
    ]

    header = by_astropy(cards)

    assert header["OBJECT"] == ("Barnard's star " * 12).rstrip()
    assert header["QUOTES"] == "'" * 150
    assert header["TINY"] == -1.2345678901234567e-300
    assert header["WHOLE"] == 1e20
    assert header["COOLED"] is True
    assert header["NOVALUE"] is None
    assert header["ESO DET OUT1 GAIN"] == 2.5
    assert header["INSTRUMENT:EXPOSURETIME"] == 30.0
    assert " ".join(header["HISTORY"]).split() == ["word"] * 40
    assert header.count("GAIN") == 1
    assert header["GAIN"] == 100


def test_what_no_convention_can_hold_becomes_history():
    """A long value under a long keyword is not lost."""
    header = by_astropy([Card("PROPERTY:WITH A LONG NAME", "x" * 70, "c")])

    assert " ".join(header["HISTORY"]) == f"PROPERTY:WITH A LONG NAME = {'x' * 70} / c"


def test_not_a_number_is_written_as_undefined():
    """FITS has no NaN and no infinity: the value is left out, the card stays valid."""
    header = by_astropy([Card("A", float("nan")), Card("B", float("inf"))])

    assert header["A"] is header["B"] is None


def test_text_is_transliterated():
    """Accents are dropped, common signs spelled out, the rest is marked."""
    assert to_ascii("Köln \N{MINUS SIGN}10 °C, 3.76 µm, 星") == "Koln -10 degC, 3.76 um, ?"
    assert to_ascii("two\nlines\tand a tab") == "two lines and a tab"


KEYWORDS = st.text(string.ascii_uppercase + string.digits + "_-", min_size=1, max_size=8).filter(
    lambda word: word not in {"END", "CONTINUE", "COMMENT", "HISTORY", "HIERARCH"}
)
TEXTS = st.text(string.printable[:95], max_size=200).map(str.rstrip)
VALUES = st.one_of(
    TEXTS,
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)


@given(st.lists(st.tuples(KEYWORDS, VALUES), max_size=12, unique_by=lambda pair: pair[0]))
def test_values_survive_writing_and_reading(pairs):
    """Any value comes back equal and of its type, through our reader and through astropy's."""
    written = format_cards([Card(keyword, value) for keyword, value in pairs])

    assert len(written) % BLOCK == 0
    assert [(card.keyword, card.value) for card in parse_cards(written)] == pairs
    header = fits.Header.fromfile(io.BytesIO(written), padding=False)
    for keyword, value in pairs:
        assert header[keyword] == value


@given(st.binary(min_size=80, max_size=800))
def test_any_bytes_are_read_without_an_error(data):
    """Reading cards never raises, whatever the bytes."""
    assert all(isinstance(card, Card) for card in parse_cards(data))


def test_cards_of_real_headers_are_read_as_astropy_reads_them(shared_data):
    """Values of all real frames agree with astropy wherever astropy can read them."""
    paths = [
        *sorted((shared_data / "m13-mono-ccd").glob("*.fits"))[::5],
        *sorted((shared_data / "seestar-m94-osc").glob("*.fit"))[:1],
        *sorted((shared_data / "fits-variants" / "maxim-headers").glob("*.fit")),
        *sorted((shared_data / "fits-variants" / "panoptes").glob("*.fits")),
    ]
    compared = 0
    for path in paths:
        with path.open("rb") as file:
            data = file.read(BLOCK * 8)
        ours = [card for card in parse_cards(data) if card.keyword not in {"COMMENT", "HISTORY"}]
        theirs = fits.Header.fromstring(data.partition(b"END" + b" " * 77)[0])
        for card in ours:
            if theirs.count(card.keyword) == 1:
                expected = theirs[card.keyword]
                assert card.value == expected, (path, card)
                assert card.comment == theirs.comments[card.keyword].strip()
                compared += 1

    assert compared > 1000
