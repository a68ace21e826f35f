#!/usr/bin/env python3
"""A wrong detector: it looks at its deadlines only when something comes, and stamps an alert with that instant."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
import detector  # noqa: E402


class Polling(detector.Detector):
    def alert(self, at, kind, name, episode):
        super().alert(self.newest, kind, name, episode)  # instead of `at`


if __name__ == "__main__":
    detector.main(Polling)
