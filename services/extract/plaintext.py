"""Turns bytes into text, and any text into the one form that leaves extraction."""

import codecs
import re

from charset_normalizer import from_bytes

_SAMPLE = 65_536
_GUESSABLE = 64
_USUAL = "cp1252"
_UNLIKELY = ["utf_7", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"]
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b")
_DROPPED = dict.fromkeys((*range(9), 14, 15, *range(16, 32), 127, 65279, 65534, 65535))
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\n{3,}")


def decode(data: bytes, charset: str = "") -> str | None:
    """Decode text of unknown or declared charset; None if the bytes are not text at all.

    UTF-8 is tried before the declared charset: bytes that are valid UTF-8 by accident are rarer than wrong labels.
    Only charsets that switch by escape sequences (ISO-2022) look like UTF-8, so there the label is heard first.
    A guess is made on a sample, because guessing takes seconds on megabytes, and not on a few words, where it is lost.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace")
    if is_binary(data):
        return None
    if b"\x1b" in data and charset and _is_text_codec(charset):
        return data.decode(charset, "replace")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        pass
    if charset and _is_text_codec(charset):
        return data.decode(charset, "replace")
    if len(data) < _GUESSABLE:
        return data.decode(_USUAL, "replace")
    guess = from_bytes(data[:_SAMPLE], cp_exclusion=_UNLIKELY).best()
    return data.decode(guess.encoding if guess else _USUAL, "replace")


def is_binary(data: bytes) -> bool:
    """Tell bytes that are no text in any charset: a NUL, or one control character in fifty."""
    if data.startswith(tuple(bom for bom, _ in _BOMS)):
        return False
    return b"\0" in data or (len(data) - len(data.translate(None, _CONTROLS))) * 50 > len(data)


def _is_text_codec(charset: str) -> bool:
    """Accept only codecs from bytes to text: a label such as `zip` or `rot13` names a codec of another kind."""
    try:
        b"a".decode(charset, "replace")
    except (LookupError, ValueError):
        return False
    return True


def normalise(text: str) -> str:
    """Give text one form: `\\n` line ends, `\\f` between pages, no NUL, no control character, no lone surrogate.

    U+FFFE is how pdfium marks a hyphen at the end of a line; without it the word is whole again.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n").replace("\x85", "\n")
    text = _SURROGATES.sub("\ufffd", text.translate(_DROPPED))
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip(" \t\n")
