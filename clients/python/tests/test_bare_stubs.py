"""docs/api.md's program, as it is printed: a lock by nothing of this package but its stubs."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from ensemble import Ensemble

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "api.md"
ENDPOINT = "127.0.0.1:7400"


def test_bare_stubs(ensemble: Ensemble) -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert ENDPOINT in program
    program = program.replace(ENDPOINT, ensemble.endpoint(1))
    tokens = []
    for _ in range(2):
        out = subprocess.check_output([sys.executable, "-c", program], text=True, timeout=30)
        tokens.append(int(out.removeprefix("held, with fencing token ")))
    assert 0 < tokens[0] < tokens[1]
