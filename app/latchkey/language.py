"""The person's language: every sentence the program shows goes through here.

    tr("Nothing is active on {network}.", network=name)     a whole sentence, its values by name
    trn("{count} session", "{count} sessions", count)       the form that fits the count

The key is the English sentence itself, so English needs no catalogue. Catalogues are gettext's, in resources/locale/; `make catalogue`
extracts the sentences. The language is chosen once, when the process starts, by LATCHKEY_LANGUAGE: tables of
sentences at the top of modules are translated too, and the signer and the desk, which inherit it, speak as the window does.
"pseudo" is a made-up language for tests: longer, accented, in brackets, so that a sentence that was forgotten stands out.

At the very bottom of the house: the signer loads it too.
"""

from __future__ import annotations

import gettext
import os
import re
from functools import cache
from typing import Any

from latchkey.shipped import resource

VARIABLE = "LATCHKEY_LANGUAGE"
PSEUDO = "pseudo"
_DOMAIN = "latchkey"
_FIELD = re.compile(r"(\{[^{}]*\})")
_NAME = re.compile(r"[A-Za-z]{2,8}([_.@-][A-Za-z0-9]{1,16})*")  # of a language; a path would lead to somebody else's sentences
_ACCENTS = str.maketrans("AEIOUYaeiouycnCN", "ÅÉÎÖÛÝåéîöûýçñÇÑ")


def tr(text: str, /, **values: Any) -> str:
    """The sentence in the person's language, its `{name}`s filled in. Without values braces stay as they are."""
    said = _translate(text)
    return said.format(**values) if values else said


def trn(one: str, many: str, count: int, /, **values: Any) -> str:
    """The same for a count, which fills `{count}`."""
    catalogue = _catalogue()
    chosen = pseudo(one if count == 1 else many) if catalogue is None else catalogue.ngettext(one, many, count)
    return chosen.format(count=count, **values)


def pseudo(text: str) -> str:
    """The made-up language's word for it: [Åçcents··]. What stands in braces stays."""
    parts = [part if part.startswith("{") else part.translate(_ACCENTS) for part in _FIELD.split(text)]
    return f"[{''.join(parts)}{'·' * (len(text) // 3)}]"


def _translate(text: str) -> str:
    catalogue = _catalogue()
    return pseudo(text) if catalogue is None else catalogue.gettext(text) if text else ""


@cache
def _catalogue() -> gettext.NullTranslations | None:
    """None: the made-up language."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted == PSEUDO:
        return None
    if not _NAME.fullmatch(wanted):
        return gettext.NullTranslations()
    return gettext.translation(_DOMAIN, str(resource("locale")), [wanted], fallback=True)
