"""The JSON of a notebook without its outputs, read piece by piece: they may be of any size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

DROPPED = (b"outputs", b"widgets")  # what was printed, and the saved state of sliders
_TEXT = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)  # of a string, up to its end
_TOKEN = re.compile(rb'[^"\[\]{}:]+|.', re.DOTALL)


def without_outputs(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same JSON with [] or {} for each list or object under a key of `DROPPED`.

    Of what is dropped nothing is remembered: memory stays at a few pieces. What is no JSON comes
    out as something that is none either.
    """
    inside = escaped = False  # in a string; after its backslash
    word = b""  # the string read last, as far as it may be a key of `DROPPED`
    follows = ""  # after such a key: "colon", then "value"
    depth = 0  # of brackets within what is being dropped
    for piece in pieces:
        kept, at = [], 0
        while at < len(piece):
            start, dropping = at, depth > 0
            if inside:
                end = _TEXT.match(piece, at + escaped)
                at = end.end() if end else len(piece)
                word = (word + piece[start:at])[:10]
                escaped = piece[at:] == b"\\"
                if at < len(piece):
                    inside, at = escaped, at + 1
                if not inside and not dropping:
                    follows = "colon" if word in DROPPED else ""
            else:
                token = (_TOKEN.match(piece, at) or [b""])[0]
                at += len(token)
                inside, word = token == b'"', b""
                if dropping:
                    depth += (token in (b"[", b"{")) - (token in (b"]", b"}"))
                elif follows == "value" and token in (b"[", b"{"):
                    depth, follows = 1, ""
                    kept.append(b"[]" if token == b"[" else b"{}")
                    continue
                elif not token.isspace():
                    follows = "value" if follows == "colon" and token == b":" else ""
            if not dropping:
                kept.append(piece[start:at])
        yield b"".join(kept)
