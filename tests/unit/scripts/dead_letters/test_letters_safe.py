"""What senders wrote, as `scripts/dead_letters.py` shows it: as text where it is text, never as a terminal obeys it."""

from scripts.letters.safe import as_text, body_lines, many_lines, one_line


def test_text_is_shown_as_text_and_the_rest_as_a_hexdump():
    assert list(body_lines(b'{\n\t"caf\xc3\xa9": 1\r\n}')) == ["{", '    "café": 1\\r', "}"]
    assert list(body_lines(b"\x00\x01abc\xff" + b"x" * 11)) == [
        "00000000  00 01 61 62 63 ff 78 78 78 78 78 78 78 78 78 78  ..abc.xxxxxxxxxx",
        "00000010  78                                               x",
    ]
    # control characters, though valid UTF-8, are not text
    assert next(body_lines(b"\x1b\x07" * 3)).startswith("00000000  1b 07")
    # a character that the limit of 64 KiB has cut in two does not make a hexdump of all of it
    assert list(body_lines("x é".encode()[:-1])) == ["x \\xc3"]
    assert list(body_lines(b"")) == [""]
    assert as_text(b"caf\xc3\xa9 \x1b[2J \xff") == "café \\x1b[2J \\xff"
    assert one_line("a\nb") == "a\\nb"
    assert many_lines("a\n\tb\x07") == "a\n    b\\x07"
