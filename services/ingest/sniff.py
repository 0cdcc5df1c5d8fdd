"""What is plainly no document, by its first bytes. Everything else is for the extract stage to find out.

A list of what is allowed would be wrong here: a text may begin with anything, and a scanner's PDF with rubbish.
"""

SIGNS: tuple[tuple[bytes, bytes, str], ...] = (
    (b"\x7fELF", b"", "a program (ELF)"),
    (b"MZ", b"DOS mode", "a program (Windows)"),
    (b"\xcf\xfa\xed\xfe", b"", "a program (Mach-O)"),
    (b"\xca\xfe\xba\xbe", b"", "a program (Java or Mach-O)"),
    (b"\0asm", b"", "a program (WebAssembly)"),
    (b"SQLite format 3\0", b"", "a database (SQLite)"),
    (b"7z\xbc\xaf\x27\x1c", b"", "an archive (7z)"),
    (b"Rar!\x1a\x07", b"", "an archive (RAR)"),
    (b"\x1f\x8b\x08", b"", "an archive (gzip)"),
    (b"RIFF", b"AVI LIST", "a film (AVI)"),
    (b"RIFF", b"WAVEfmt", "a sound (WAV)"),
    (b"\x1aE\xdf\xa3", b"", "a film (Matroska)"),
    (b"OggS\0", b"", "a sound or film (Ogg)"),
    (b"ID3\x03", b"", "a sound (MP3)"),
    (b"ID3\x04", b"", "a sound (MP3)"),
    (b"\0\0\0", b"ftypisom", "a film (MP4)"),
    (b"\0\0\0", b"ftypmp4", "a film (MP4)"),
    (b"\0\0\0", b"ftypqt", "a film (QuickTime)"),
)
"""How it begins, what occurs in its first 256 bytes, and what it is."""


def no_document(data: bytes) -> str:
    """What the bytes are, where that is plainly no document; else empty."""
    head = data[:256]
    return next((name for start, within, name in SIGNS if head.startswith(start) and within in head), "")
