"""How a document stands in a prompt: between two marks that it cannot contain, so that it cannot speak for us.

    Task: extraction
    Document type: invoice

    <<<DOCUMENT 41d0c7e5f0a91b2c
    … the text, whatever it says …
    DOCUMENT 41d0c7e5f0a91b2c>>>

The mark is taken from the hash of the text: a document that contained its own mark would have to contain its own hash.
A fixed mark would be wrong: any document could close it and go on as instructions.
"""

import hashlib
import re

OPENING = re.compile(r"^<<<DOCUMENT ([0-9a-f]{16})\n", re.MULTILINE)


def delimited(text: str) -> str:
    """The text between its marks."""
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"<<<DOCUMENT {mark}\n{text}\nDOCUMENT {mark}>>>"


def one_line(text: str) -> str:
    """What a sender wrote, made fit to stand in a prompt's head: one line, so that it can open no document."""
    return " ".join(text.split())


def document_in(prompt: str) -> str:
    """The text between the marks of a prompt; the whole prompt where it has none."""
    opening = OPENING.search(prompt)
    if not opening:
        return prompt
    end = prompt.find(f"\nDOCUMENT {opening[1]}>>>", opening.end() - 1)
    return prompt[opening.end() :] if end < 0 else prompt[opening.end() : max(end, opening.end())]


def head_of(prompt: str) -> dict[str, str]:
    """The `Name: value` lines that stand before the document."""
    opening = OPENING.search(prompt)
    head = prompt[: opening.start()] if opening else prompt
    pairs = (line.partition(": ") for line in head.splitlines())
    return {name: value for name, separator, value in pairs if separator}
