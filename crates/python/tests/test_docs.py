"""docs/python.md: its examples run, one after the other, and print what it says they print."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def agree(printed: str, wanted: str) -> bool:
    """The same words, and the same numbers but for what instruction sets do to single precision."""
    if NUMBER.split(printed) != NUMBER.split(wanted):
        return False
    pairs = zip(NUMBER.findall(printed), NUMBER.findall(wanted), strict=True)
    return all(a == b if {a, b} & {"0", "1"} else float(a) == pytest.approx(float(b), rel=0.02) for a, b in pairs)


def test_the_examples_of_the_page_print_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) > 12
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        code, wanted = block.groups()
        # The first picture is one to look at.
        code = code.replace("size=512", "size=64, iterations=3")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + code, str(PAGE), "exec"), names)
        said = printed.getvalue()
        assert agree(said, wanted or ""), f"{PAGE.name}:{line + 1}: it prints\n{said}"
    capsys.readouterr()


def test_words_count_and_last_digits_do_not() -> None:
    assert agree("loss 1.234e+05, 3 terms", "loss 1.236e+05, 3 terms")
    assert not agree("loss 1.3e+05", "loss 1.2e+05")
    assert not agree("loss 1.2", "losses 1.2")
    assert not agree("(43, 64, 3)", "(43, 64, 4)")
