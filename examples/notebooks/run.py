#!/usr/bin/env python3
"""Executes the notebooks of this folder, each in a kernel of its own. It ends with 1 if a cell fails, warns or writes to standard error,
or if a notebook's file is not as this program would write it.

    run.py                      executes all of them
    run.py --write              and stores what they show
    run.py paper.ipynb          one of them

IMPASTO_NOTEBOOK_SIZE says how large pictures are (pictures.py). Packages: requirements.txt, and impasto itself.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

# The kernel is that of the Python that runs this, whatever else the user has.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbclient.exceptions import CellExecutionError  # noqa: E402
from nbformat import NotebookNode  # noqa: E402

FOLDER = Path(__file__).resolve().parent
MOST_BYTES = 600_000
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def tidy(notebook: NotebookNode) -> None:
    """Takes out what says when, where and by what it was executed, so that files differ only where pages do."""
    notebook.metadata = nbformat.from_dict(METADATA)
    count = 0
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            output.metadata = nbformat.from_dict({})
            if "execution_count" in output:
                output.execution_count = count
            if "image/jpeg" in output.get("data", {}):
                output.data = nbformat.from_dict({"image/jpeg": output.data["image/jpeg"]})


def problems(notebook: NotebookNode) -> list[str]:
    """What is wrong with the outputs of an executed notebook."""
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append(f"cell {number} fails: {output.ename}: {output.evalue}")
            elif output.get("name") == "stderr":
                found.append(f"cell {number} writes to standard error: {output.text.strip()}")
            elif str(FOLDER.parent.parent) in str(output):
                found.append(f"cell {number} shows a path of this machine")
    return found


def stale(path: Path) -> list[str]:
    """What is wrong with a notebook as it is stored."""
    text = path.read_text(encoding="utf-8")
    stored, tidied = (nbformat.reads(text, as_version=4) for _ in range(2))
    tidy(tidied)
    found = problems(stored)
    if text != nbformat.writes(tidied) + "\n":
        found.append("it is not stored as --write does")
    if not any(cell.get("outputs") for cell in stored.cells):
        found.append("it is stored without its outputs")
    if len(text) > MOST_BYTES:
        found.append(f"it is stored in {len(text)} bytes, more than {MOST_BYTES}")
    return found


def execute(path: Path) -> NotebookNode:
    """The notebook with the outputs of this run, up to the first cell that fails."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    resources = {"metadata": {"path": str(FOLDER)}}
    # Without the kernel's word on how it is connected.
    quiet = ["--log-level=ERROR"]
    client = NotebookClient(notebook, timeout=None, kernel_name="python3", resources=resources, extra_arguments=quiet)
    try:
        client.execute()
    except CellExecutionError:
        # The cell has it as an output, which `problems` finds.
        pass
    return notebook


def main() -> int:
    parser = argparse.ArgumentParser(description="Executes the notebooks of this folder.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="those to execute (default: all)")
    parser.add_argument("--write", action="store_true", help="store what they show")
    arguments = parser.parse_args()
    paths = arguments.notebooks or sorted(FOLDER.glob("*.ipynb"))
    failed = 0
    for path in paths:
        begun = time.monotonic()
        notebook = execute(path)
        found = problems(notebook)
        if arguments.write and not found:
            tidy(notebook)
            path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        if not arguments.write or not found:
            found += stale(path)
        print(f"{path.name}: {'failed' if found else 'passed'} in {time.monotonic() - begun:.0f} s", flush=True)
        for problem in found:
            print(f"  {problem}", flush=True)
        failed += bool(found)
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        # Without what the user has set up for IPython and matplotlib.
        os.environ["IPYTHONDIR"] = os.environ["MPLCONFIGDIR"] = folder
        sys.exit(main())
