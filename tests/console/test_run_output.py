"""What an agent writes is handed on line by line, and no agent can make us keep more than a little of it."""

from collections.abc import Iterator

from console.api.runs import _split

PIECE = 16_384


def test_a_line_that_never_ends_is_given_in_parts() -> None:
    """Issue 1, item 4, "log flood": an agent without line ends fills nobody's memory but its own."""
    written = 0

    def pieces() -> Iterator[bytes]:
        nonlocal written
        for _ in range(1000):
            written += PIECE
            yield b"x" * PIECE

    given = 0
    for item in _split(pieces()):
        given += len(item["line"])
        assert written - given <= 100_000

    assert given == written == 1000 * PIECE


def test_lines_are_joined_from_pieces_and_the_last_needs_no_end() -> None:
    pieces = [b"a", b"b\r\nc", b"\n", b"\nlast"]

    assert [item["line"] for item in _split(iter(pieces))] == ["ab", "c", "", "last"]
