"""The guards' list is whole, and each of its texts still stands in the source."""

from tests.cases import each
from tests.guards import options
from tests.guards.run import Mutation, mutations, problem

RULES = (
    [f"1.{n}" for n in range(1, 14)]
    + [f"2.{n}" for n in range(1, 6)]
    + [f"3.{n}" for n in range(1, 10)]
    + [
        f"4.{name}"
        for name in ("modifier", "size", "past", "empty-key", "length", "twice", "value", "chunked")
    ]
    + [f"4.{name}" for name in ("proxy", "scheme", "allow", "interim", "abort", "timeout")]
    + ["5.length", "5.chunk-size", "5.chunk-lines", "5.descriptor", "5.half-open"]
    + [
        f"6.{name}"
        for name in ("chunked", "early", "head", "first-block", "exc-info", "twice", "exit", "readers")
    ]
    + [f"7.{name}" for name in ("log", "lane", "page", "id", "phases")]
)


@each(mutations(), lambda mutation: f"{mutation.rule} {mutation.title}")
def test_its_text_stands_once_in_the_source(mutation: Mutation) -> None:
    assert problem(mutation) == ""


def test_every_rule_has_a_mutation() -> None:
    assert {mutation.rule for mutation in mutations()} == set(RULES)


def test_an_option_can_be_taken_out() -> None:
    assert options.problem() == ""
