import pytest

from shop.lib.places import _POSTAL_RULES, COUNTRIES, BadPostalCode, country_in_words, postal_code


def test_countries_stand_in_the_order_they_are_read_in_and_each_has_a_postal_rule() -> None:
    assert list(COUNTRIES.values()) == sorted(COUNTRIES.values())
    assert set(_POSTAL_RULES) == set(COUNTRIES)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_example_is_a_code_of_its_country(country: str) -> None:
    example = _POSTAL_RULES[country].example
    assert postal_code(country, example) == example


@pytest.mark.parametrize(
    ("country", "typed", "written"),
    [
        ("US", "10001", "10001"),
        ("US", "100011234", "10001-1234"),
        ("US", "10001 - 1234", "10001-1234"),
        ("GB", "sw1a1aa", "SW1A 1AA"),
        ("GB", "m1 1ae", "M1 1AE"),
        ("GB", "G1 1XQ", "G1 1XQ"),
        ("CA", "k1a0b1", "K1A 0B1"),
        ("CA", "C1A 1A1", "C1A 1A1"),
        ("DE", "D-10115", "10115"),
        ("DE", "DE 10115", "10115"),
        ("SE", "SE-11122", "111 22"),
        ("NL", "1012ab", "1012 AB"),
        ("NL", "NL-1012 AB", "1012 AB"),
        ("JP", "１００ー０００１", "100-0001"),
        ("JP", "1000001", "100-0001"),
        ("PL", "00001", "00-001"),
        ("PT", "1000001", "1000-001"),
        ("IE", "d6wy3k8", "D6W Y3K8"),
    ],
)
def test_a_code_is_taken_however_it_is_typed_and_kept_as_the_post_writes_it(country: str, typed: str, written: str) -> None:
    assert postal_code(country, typed) == written


@pytest.mark.parametrize(
    ("country", "typed"),
    [
        ("GB", "!!!!"),
        ("GB", "10115"),
        ("US", "1000"),
        ("US", "1000!1"),
        ("US", "٣٣٣٣٣"),
        ("US", "ABCDE"),
        ("DE", "1011"),
        ("DE", "F-10115"),
        ("CA", "K1A"),
        ("AT", ""),
        ("JP", "100_0001"),
    ],
)
def test_what_is_no_code_of_the_country_is_refused(country: str, typed: str) -> None:
    with pytest.raises(BadPostalCode):
        postal_code(country, typed)


def test_a_country_reads_well_within_a_sentence() -> None:
    assert [country_in_words(code) for code in ("US", "GB", "NL", "FR")] == [
        "the United States",
        "the United Kingdom",
        "the Netherlands",
        "France",
    ]
