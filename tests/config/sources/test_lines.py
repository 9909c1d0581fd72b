"""What all parsers share: bounds, what no text may contain, and line numbers."""

import pytest

from penstock.config.sources.lines import MOST, MOST_LINES, Sheet, SyntaxFault, blame, plain, ruler


def test_a_fault_says_its_line_where_there_is_one() -> None:
    assert str(SyntaxFault("odd", 3)) == "line 3: odd"
    fault = SyntaxFault("odd")
    assert (str(fault), fault.message, fault.line) == ("odd", "odd", 0)


def test_a_text_is_passed_on_without_its_mark() -> None:
    assert plain("\ufeffa\ufeff") == "a\ufeff"


@pytest.mark.parametrize(
    ("text", "octets", "line", "words"),
    [
        ("a\nb\0\udce9", False, 2, "NUL"),
        ("a\0\nb", True, 1, "NUL"),
        ("\n\n\udcff", False, 3, "the byte 0xff is not UTF-8"),
        ("\ud800", False, 1, "half a surrogate pair, U+D800"),
        ("\n" * (MOST_LINES + 1), False, MOST_LINES, "more than 100000 lines"),
        (" " * (MOST + 1), False, 0, "larger than 16 MB"),
    ],
)
def test_what_cannot_be_read(text: str, octets: bool, line: int, words: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        plain(text, octets)
    assert caught.value.line == line
    assert words in caught.value.message


def test_octets_may_be_left_to_the_caller() -> None:
    assert plain("a\udce9", octets=True) == "a\udce9"


@pytest.mark.parametrize("key, value", [("a\0", ""), ("a", "\0"), ("a", "\udce9"), ("\ud800", "")])
def test_no_option_holds_what_a_c_program_cannot(key: str, value: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        Sheet().add(key, value, 7)
    assert caught.value.line == 7
    assert caught.value.message == blame((key + value).replace("a", ""))


def test_a_sheet_keeps_order_and_is_bounded_in_number() -> None:
    sheet = Sheet()
    for number in range(1, MOST_LINES + 1):
        sheet.add("a", "", number)
    assert [line.number for line in sheet.parsed().lines] == list(range(1, MOST_LINES + 1))
    with pytest.raises(SyntaxFault, match="more than 100000 options"):
        sheet.add("a", "", 1)


def test_a_sheet_is_bounded_in_size() -> None:
    sheet = Sheet()
    sheet.add("a", "x" * (MOST - 1), 1)
    with pytest.raises(SyntaxFault, match="16 MB of them"):
        sheet.add("b", "", 2)


def test_warnings_are_as_many_as_anybody_reads() -> None:
    sheet = Sheet()
    for number in range(150):
        sheet.warn(number, "odd")
    assert sheet.parsed().warnings == tuple((number, "odd") for number in range(100))


@pytest.mark.parametrize("text", ["a\r\nb\n\n\u00e9", ""])
def test_offsets_become_lines(text: str) -> None:
    line, octet_line = ruler(text), ruler(text.encode())
    for at in range(len(text) + 1):
        assert line(at) == text.count("\n", 0, at) + 1
        assert octet_line(len(text[:at].encode())) == line(at)
