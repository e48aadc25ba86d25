"""The package is not of the workspace, and has a Cargo.lock of its own: it builds with the versions that the workspace is tested with."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]


def versions(lock: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r'\[\[package\]\]\nname = "(.+)"\nversion = "(.+)"', lock.read_text()):
        found.setdefault(name, set()).add(version)
    return found


def test_both_locks_agree():
    own, workspace = versions(FOLDER / "Cargo.lock"), versions(FOLDER.parents[1] / "Cargo.lock")
    shared = own.keys() & workspace.keys()
    assert len(shared) > 50
    assert {name: own[name] for name in shared if not own[name] <= workspace[name]} == {}
