"""The README's pictures, made of those that `make screenshots` left behind: smaller, with few colours. `python -m tests.gui.tour`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from tests.gui.pictures import FOLDER

TO = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 1180, 1000  # pixels, at most

# Name in docs/pictures -> the picture it is made of.
TOUR = {
    "sessions": "sessions-four-light-200",
    "request": "request-review-proven-light-200",
    "desk": "review-01-careful-desk-dark-200",
    "scan": "scan-live-light-200",
    "requests": "requests-some-dark-200",
}


def main() -> int:
    TO.mkdir(parents=True, exist_ok=True)
    for name, source in TOUR.items():
        image = QImage(str(FOLDER / f"{source}.png"))
        if image.isNull():
            print(f"{source}.png is not there; run `make screenshots` first", file=sys.stderr)
            return 1
        smooth = Qt.TransformationMode.SmoothTransformation
        small = image.scaledToWidth(min(WIDTH, image.width() // 2), smooth)
        small = small.copy(0, 0, small.width(), min(small.height(), HEIGHT))
        place = str(TO / f"{name}.png")
        small.save(place)
        subprocess.run(["convert", place, "-strip", "+dither", "-colors", "128", f"PNG8:{place}"], check=True)  # ImageMagick
    return 0


if __name__ == "__main__":
    sys.exit(main())
