"""The parts every page is made of. Import from here; see the modules' docstrings for how they are used.

Rules they keep: text is never markup, focusable parts have an accessible name, lengths are on the 8 px grid, colours come from theme.
"""

from latchkey.ui.widgets.address import AddressLabel, Identicon, grouped_address, paint_identicon, short_address
from latchkey.ui.widgets.buttons import Button, Segmented, StepTrail, Tile, danger, link, primary, quiet, secondary
from latchkey.ui.widgets.choices import CheckBox, ComboBox
from latchkey.ui.widgets.dialogs import Dialog, SheetScroller, confirm
from latchkey.ui.widgets.digest import DigestView
from latchkey.ui.widgets.forms import Field, line_edit, text_edit
from latchkey.ui.widgets.surfaces import (
    Banner,
    Card,
    EmptyState,
    FieldTable,
    FindingList,
    Icon,
    Line,
    Page,
    add_shown,
    clear_layout,
)
from latchkey.ui.widgets.text import (
    Body,
    Chip,
    Code,
    Heading,
    Label,
    Muted,
    PhraseLabel,
    PhraseList,
    TextView,
    Title,
    phrase,
    set_property,
    visible,
)  # fmt: skip
from latchkey.ui.widgets.toast import Toast, announce

__all__ = [
    "AddressLabel", "Banner", "Body", "Button", "Card", "CheckBox", "Chip", "Code", "ComboBox", "Dialog", "DigestView", "EmptyState",
    "Field", "FieldTable", "FindingList", "Heading", "Icon", "Identicon", "Label", "Line", "Muted", "Page", "PhraseLabel",
    "PhraseList", "Segmented", "SheetScroller", "StepTrail", "TextView", "Tile", "Title", "Toast", "add_shown", "announce",
    "clear_layout", "confirm", "danger", "grouped_address", "line_edit",
    "link", "paint_identicon", "phrase", "primary", "quiet", "secondary", "set_property", "short_address", "text_edit",
    "visible",
]  # fmt: skip
