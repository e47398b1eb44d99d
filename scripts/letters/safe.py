"""What senders wrote, made safe for a terminal: nothing in it is obeyed, and all of it can be seen.

Text with escapes where it is text in UTF-8, a hexdump where it is not.
"""

from collections.abc import Iterator

ROW = 16
"""Bytes in a line of a hexdump."""

MOSTLY = 0.1
"""Share of characters that would need an escape, above which text is easier to read as a hexdump."""


def as_text(content: bytes) -> str:
    r"""Return bytes as one line; what is no printable text is escaped.

    >>> as_text(b"caf\xc3\xa9 \x1b[2J \xff")
    'café \\x1b[2J \\xff'
    """
    return one_line(content.decode(errors="backslashreplace"))


def one_line(text: str) -> str:
    """Return `text` with every character escaped that does not print, line breaks too."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def many_lines(text: str) -> str:
    """Return `text` with its line breaks, and everything else escaped that does not print."""
    return "\n".join(one_line(line.expandtabs(4)) for line in text.split("\n"))


def body_lines(body: bytes) -> Iterator[str]:
    """Return a body line by line: as text where most of it is, else as a hexdump."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        # a body that was cut may end inside a character
        if error.end < len(body) or error.reason != "unexpected end of data":
            return hexdump(body)
        text = body[: error.start].decode() + "".join(f"\\x{byte:02x}" for byte in body[error.start :])
    odd = sum(not each.isprintable() and each not in "\r\n\t" for each in text)
    return hexdump(body) if odd > MOSTLY * len(text) else iter(many_lines(text).split("\n"))


def hexdump(body: bytes) -> Iterator[str]:
    """Return lines of offset, bytes in hex, and the ASCII among them."""
    for start in range(0, len(body), ROW):
        row = body[start : start + ROW]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)  # noqa: PLR2004 - printable ASCII
        yield f"{start:08x}  {row.hex(' '):<{3 * ROW - 1}}  {shown}"
