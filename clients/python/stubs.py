"""Generates src/pando/v1 from protos/: for the wheel's build (hatchling's hook) and, run as a
program, for work in this folder."""

import pathlib
import shutil
import sys
from importlib import resources
from typing import Any

from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = pathlib.Path(__file__).resolve().parent
# In the source distribution they lie beside this file.
PROTOS = next(p for p in (HERE / "protos", HERE.parent.parent / "protos") if p.is_dir())
OUT = HERE / "src"


def generate() -> None:
    protos = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.glob("pando/v1/*.proto"))
    stubs = OUT / "pando" / "v1"
    shutil.rmtree(stubs, ignore_errors=True)
    stubs.mkdir(parents=True)
    status = protoc.main(
        [
            "protoc",
            f"-I{PROTOS}",
            f"-I{resources.files('grpc_tools') / '_proto'}",
            f"--python_out={OUT}",
            f"--pyi_out={OUT}",
            f"--grpc_python_out={OUT}",
            *protos,
        ]
    )
    if status != 0:
        sys.exit(f"stubs: protoc ended with {status}")
    (stubs / "__init__.py").write_text('"""Generated from protos/pando/v1."""\n')


class StubsHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        generate()


if __name__ == "__main__":
    generate()
