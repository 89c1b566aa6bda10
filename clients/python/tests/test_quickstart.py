"""The README's quickstart, as it is printed."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

from ensemble import Ensemble

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


def test_quickstart(ensemble: Ensemble) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    assert len(blocks[0].splitlines()) <= 20
    environment = {**os.environ, "PANDO_ENDPOINTS": ",".join(ensemble.endpoints)}
    out = subprocess.check_output(
        [sys.executable, "-c", blocks[0]], env=environment, text=True, timeout=30
    )
    assert out == "somebody was faster: /app/color\nchildren: ['color']\nevent: /app/color\n"
