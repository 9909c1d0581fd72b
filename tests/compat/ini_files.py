"""Hypothesis's ini files in the whole of the configuration language, such that both servers end.

Used by test_show_config. A key only refers to keys of higher numbers, so that nothing refers to itself.
"""

from hypothesis import strategies as st

KEYS = 8
LETTERS = [letter for letter in map(chr, range(33, 127)) if letter not in "(VbtT"]
"""Magic: all but the parenthesis, what says which server it is, and the time."""
PLAIN = st.text("abcXYZ019 .,:;#=-+/_'\"[]{}()$@\\&*?!~", max_size=8)
VARIABLES = ("SOME", "EMPTY", "NONE")
CONDITIONS = (
    "if-env", "if-not-env", "if-opt", "if-not-opt", "if-exists", "if-not-exists", "if-file", "if-not-file",
    "if-dir", "if-not-dir", "if-hostname", "if-not-hostname", "ifenv", "ifdir", "if-directory", "ifexists",
)  # fmt: skip
ARGUMENTS = (
    "SOME", "NONE", "EMPTY", "SOME=value", "SOME=other", "k1", "k2=1", "k3", "threads", "f.txt", "none", ".",
    "%(k1)", "",
)  # fmt: skip
ENDS = st.sampled_from(("endif", "end", "end-if", "endfor", "end-for"))
OPTIONS = st.sampled_from(("env", "add-header", "master", "chdir", "module", "pyargv", "vacuum"))


def value(number: int) -> st.SearchStrategy[str]:
    """A value for the key of that number."""
    names = [f"k{other}" for other in range(number + 1, KEYS + 2)]
    word = st.sampled_from([*names, "12", "007", "nobody"])
    step = st.sampled_from(["+", "-", "*", "/", "++", "--"])
    sums = st.lists(st.one_of(word, word, step), min_size=1, max_size=5).map(" ".join)
    parts = [
        PLAIN,
        PLAIN,
        st.sampled_from(names).map("%({})".format),
        sums.map("%({})".format),
        st.sampled_from(VARIABLES).map("$({})".format),
        st.sampled_from(LETTERS).map("%{}".format),
        st.sampled_from(("%(_)", "@(f.txt)", "%%", "%", "%()", "7")),
    ]
    return st.lists(st.one_of(*parts), max_size=4).map("".join)


def setting(number: int) -> st.SearchStrategy[str]:
    """A line that sets a placeholder, an option, or one by ``set``."""
    key = f"k{number}"
    return st.tuples(value(number), OPTIONS, st.sampled_from(("", " ", "\t"))).flatmap(
        lambda drawn: st.sampled_from(
            (
                f"{key}{drawn[2]}={drawn[2]}{drawn[0]}",
                f"{drawn[1]} = {drawn[0]}",
                f"set = {key}={drawn[0]}",
                f"set-ph = {key}={drawn[0]}",
                f"set = {drawn[1]}={drawn[0]}",
                f"{key}\r",
                f"; {key} = {drawn[0]}",
            )
        )
    )


SETTING = st.integers(0, KEYS).flatmap(setting)
BODY = st.lists(SETTING, max_size=4)
INCLUDE = st.sampled_from(
    ("include = b.ini", "ini = b.ini", "ini = b.ini:other", "inherit = b.ini", "ini = :o")
)


def block(head: tuple[str, str], body: list[str], end: str) -> list[str]:
    """A block's lines."""
    word, argument = head
    return [f"{word} = {argument}", *body, f"{end} ="]


LOOPS = st.one_of(
    st.tuples(st.just("for"), st.sampled_from(("a b", " a  b c ", "k1", "", "f.txt"))),
    st.tuples(st.just("for-times"), st.sampled_from(("3", "0", "-1", "2x", "x"))),
    st.tuples(st.just("for-glob"), st.sampled_from(("*.ini", "f.*", "none*", "[ab].ini", "?.txt"))),
    st.tuples(st.just("for-readline"), st.just("f.txt")),
)
HEADS = st.one_of(LOOPS, st.tuples(st.sampled_from(CONDITIONS), st.sampled_from(ARGUMENTS)))
BLOCKS = st.builds(block, HEADS, BODY, ENDS)
PIECES = st.one_of(SETTING.map(lambda line: [line]), BLOCKS, INCLUDE.map(lambda line: [line]))


def lines_of(pieces: list[list[str]]) -> str:
    """Pieces as the text of their section."""
    return "".join(f"{line}\n" for piece in pieces for line in piece)


MAIN = st.lists(PIECES, max_size=8).map(lambda pieces: f"[uwsgi]\n{lines_of(pieces)}")
SECOND = st.lists(st.one_of(SETTING.map(lambda line: [line]), BLOCKS), max_size=4).map(lines_of)
FILES = st.tuples(MAIN, SECOND, SECOND, SECOND).map(
    lambda drawn: {
        "a.ini": f"{drawn[0]}[o]\n{drawn[1]}",
        "b.ini": f"[uwsgi]\n{drawn[2]}[other]\n{drawn[3]}",
        "f.txt": "one\n two three\n",
    }
)
"""a.ini, which may include b.ini, and f.txt beside them."""
