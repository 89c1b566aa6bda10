"""The blocks of a page of documentation, for the tests that do what it says.

A comment on the line before a block, which readers are not shown, says what is special about it:

    <!-- not run: WHY -->            what has no place in a test
    <!-- before: COMMANDS -->        what the reader has, and the block needs
    <!-- until stopped: PATTERN -->  it does not end by itself; it works once it has printed that
"""

import re
from typing import NamedTuple

BLOCK = re.compile(r"^(?:<!-- (not run|before|until stopped): ([^\n]+) -->\n)?```(\w*)\n(.*?)^```$",
                   re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    mark: str  # "": nothing is special
    note: str
    language: str
    text: str


def blocks(page):
    return [Block(*(part or "" for part in found)) for found in BLOCK.findall(page)]
