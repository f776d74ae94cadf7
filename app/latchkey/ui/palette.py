"""The colours, light and dark. Apart from the theme because the window's first frame wants its colour before anything else is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Appearance = Literal["system", "light", "dark"]
APPEARANCES: tuple[Appearance, ...] = get_args(Appearance)


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as #rrggbb. `*_tint` are backgrounds on which the colour of the same name, `text` and `muted` stay readable (AA).

    `outline` is the edge of things one can type into or switch (3:1 against card and window); `border` only separates.
    """

    dark: bool
    window: str
    card: str
    border: str
    outline: str
    hover: str
    text: str
    muted: str
    accent: str
    accent_tint: str
    on_accent: str
    good: str
    good_tint: str
    warn: str
    warn_tint: str
    bad: str
    bad_tint: str


LIGHT = Palette(
    dark=False, window="#f6f7f9", card="#ffffff", border="#e3e6ea", outline="#868f9c", hover="#eef0f3", text="#14181f", muted="#566070",
    accent="#1a5fd0", accent_tint="#eaf2ff", on_accent="#ffffff", good="#17703f", good_tint="#e7f6ee", warn="#855800",
    warn_tint="#fff6dd", bad="#b3261a", bad_tint="#fdecea",
)  # fmt: skip
DARK = Palette(
    dark=True, window="#0f1319", card="#171c24", border="#29303b", outline="#6a7585", hover="#202731", text="#e8ecf2", muted="#a3adba",
    accent="#6ba7ff", accent_tint="#16263f", on_accent="#0b1524", good="#4cc38a", good_tint="#12291f", warn="#e2b03a",
    warn_tint="#2c2412", bad="#ff8a7e", bad_tint="#35191a",
)  # fmt: skip
