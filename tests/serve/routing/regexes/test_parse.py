"""What cannot be: PCRE's own words by name, and mistakes with their place."""

import pytest

from penstock.serve.routing.regexes.parse import parse
from penstock.serve.routing.regexes.tree import Chars, Group, Repeat, nodes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"a\Kb", r"\K is PCRE's alone and not supported, at character 3 of"),
        (r"\p{L}", r"a Unicode property \p is PCRE's alone"),
        (r"\PL", r"a Unicode property \P is PCRE's alone"),
        (r"\X", r"\X is PCRE's alone"),
        (r"\C", r"\C is PCRE's alone"),
        (r"\G/", r"\G is PCRE's alone"),
        (r"(a)\g<1>", r"a call of a group with \g is PCRE's alone"),
        ("(?R)", "recursion is PCRE's alone"),
        ("(a)(?&n)", "recursion is PCRE's alone"),
        ("(?P>n)", "recursion is PCRE's alone"),
        ("(a)(?1)", "is PCRE's alone"),
        ("(?|a|b)", "a branch reset (?|...) is PCRE's alone"),
        ("(?C1)a", "a callout (?C) is PCRE's alone"),
        ("(*UTF8)a", "a verb (*...) is PCRE's alone"),
        ("a(*SKIP)", "a verb (*...) is PCRE's alone"),
        ("(?x)a", "(?x) is not supported: of the flags only i, m and s are"),
        ("(?U)a", "(?U) is not supported"),
        ("(?J:a)", "(?J) is not supported"),
        ("(?(DEFINE)a)", "is PCRE's alone"),
        ("(?(R)a)", "is PCRE's alone"),
        ("a{,3}", "{,n} differs between versions of PCRE"),
        ("*a", "nothing to repeat, at character 1 of '*a'"),
        ("a|+", "nothing to repeat, at character 3 of"),
        ("{1}", "nothing to repeat"),
        ("^*", "nothing to repeat"),
        ("a**", "a quantifier behind a quantifier"),
        ("a{3,1}", "{3,1} is no count"),
        ("a{70000}", "{70000} is no count"),
        ("(a", "a ( without its )"),
        ("a)", "a ) without its ("),
        ("[a", "a [ without its ]"),
        ("[]", "a [ without its ]"),
        ("[z-a]", "a range that ends before it begins"),
        ("[[:nope:]]", "[:nope:] is no kind of character"),
        ("[[.a.]]", "collating elements are not supported"),
        ("[[=a=]]", "collating elements are not supported"),
        (r"[\Qa\E]", r"\Q inside [...] is not supported"),
        (r"[\R]", r"\R inside [...] is not supported"),
        ("a\\", "a backslash at the end"),
        (r"\j", r"\j has no meaning"),
        (r"\c", r"\c without a letter"),
        (r"\x{100}", "a character 0x100: subjects are octets"),
        (r"\o{777}", "a character 0x1ff: subjects are octets"),
        (r"\1", "there is no group 1 before this"),
        (r"(a)\2", "there is no group 2 before this"),
        (r"(a)\g{-2}", "there is no group"),
        ("(?P=n", "a group's name is not complete"),
        ("(?#a", "a comment without its )"),
        ("(?:" * 70 + ")" * 70, "brackets nested too deeply"),
        ("(?", "is PCRE's alone"),
        ("\u20ac", "a character 0x20ac: subjects are octets"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError) as error:
        parse(text)
    assert said in str(error.value)


@pytest.mark.parametrize(("text", "groups"), [("a", 0), ("(a)(?:b)(?<n>c)", 2), (r"\(a", 0), ("((a)|b)", 2)])
def test_groups_are_counted(text: str, groups: int) -> None:
    assert parse(text).groups == groups


@pytest.mark.parametrize("text", [r"[\w-.]", r"[a-\d]"])
def test_a_hyphen_beside_a_kind_is_itself(text: str) -> None:
    # PCRE2 refuses it, the older PCRE did not, and files have it.
    chars = next(iter(nodes(parse(text).branches)))
    assert isinstance(chars, Chars)
    assert ord("-") in chars.members


def test_flags_reach_to_the_end_of_their_group() -> None:
    (branch,) = parse("a(b(?i)c|d)e").branches
    group = branch[1]
    assert isinstance(group, Group)
    first, second = group.branches
    assert isinstance(first[0], Chars)
    assert [isinstance(one, Group) and one.opening for one in (first[1], second[0])] == ["(?i:", "(?i:"]
    assert not isinstance(branch[2], Group)


def test_a_quoted_word_repeats_its_last_letter() -> None:
    (branch,) = parse(r"\Qab\E{2}").branches
    assert isinstance(branch[0], Chars)
    assert isinstance(branch[1], Repeat)
    assert (branch[1].least, branch[1].most) == (2, 2)
