"""The seven uses of examples/python."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

from ensemble import Ensemble

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples"


def test_examples(ensemble: Ensemble) -> None:
    subprocess.run(
        [EXAMPLES / "check", "python", sys.executable, EXAMPLES / "python" / "{}.py"],
        env={**os.environ, "PANDO_ENDPOINTS": ",".join(ensemble.endpoints)},
        timeout=120,
        check=True,
    )
