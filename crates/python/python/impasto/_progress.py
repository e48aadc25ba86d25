"""The line of progress that `transfer(..., progress=True)` shows: tqdm's where it is installed, else a plain one."""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any, Protocol

from impasto._impasto import Progress


class Display(Protocol):
    """What shows the iterations of a transfer."""

    def step(self, progress: Progress) -> None:
        """Shows an iteration."""

    def close(self) -> None:
        """No more iterations."""


def show() -> Display:
    """A display for a transfer that begins."""
    try:
        return Bar(importlib.import_module("tqdm.auto").tqdm)
    except ImportError:
        return Line()


class Bar:
    """By tqdm, in terminals and notebooks."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None

    def step(self, progress: Progress) -> None:
        if self._bar is None:
            # A run that goes on begins where the one before ended.
            before = progress.iteration - 1
            self._bar = self._tqdm(total=progress.iterations, initial=before, unit="iteration")
        height, width = progress.size
        self._bar.set_postfix_str(f"{width} x {height}, loss {progress.loss:.4g}", refresh=False)
        self._bar.update(progress.iteration - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class Line:
    """One line on standard error that is written anew a few times a second; a line now and then where that is no terminal."""

    _PAUSE = 0.2

    def __init__(self) -> None:
        self._terminal = bool(sys.stderr is not None and sys.stderr.isatty())
        self._shown = float("-inf")
        self._begun: tuple[float, int] | None = None
        self._length = 0

    def step(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, progress.iteration)
        is_last = progress.iteration == progress.iterations
        every = max(1, progress.iterations // 20)
        is_due = now - self._shown >= self._PAUSE if self._terminal else progress.iteration % every == 0
        if sys.stderr is None or not (is_due or is_last):
            return
        self._shown = now
        height, width = progress.size
        text = f"{progress.iteration}/{progress.iterations}  {width} x {height}, loss {progress.loss:.4g}{self._left(progress, now)}"
        if self._terminal:
            sys.stderr.write("\r" + text.ljust(self._length))
            self._length = len(text)
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def _left(self, progress: Progress, now: float) -> str:
        """The time that is left at the pace of this size: larger ones that come are slower."""
        if self._begun is None or progress.iteration <= self._begun[1]:
            return ""
        begun, first = self._begun
        left = (now - begun) / (progress.iteration - first) * (progress.iterations - progress.iteration)
        return f", {left:.0f} s left" if progress.scale == progress.scales else ""

    def close(self) -> None:
        if self._terminal and self._length > 0:
            sys.stderr.write("\n")
            sys.stderr.flush()
