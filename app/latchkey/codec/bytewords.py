"""Bytewords, minimal style (BCR-2020-012): a byte is written as the first and last letter of its word, a CRC-32 at the end.

The word table is the specification's.
"""

from __future__ import annotations

import zlib

from latchkey.errors import BadInput
from latchkey.language import tr

WORDS = (
    "ableacidalsoapexaquaarchatomauntawayaxisbackbaldbarnbeltbetabiasbluebodybragbrewbulbbuzzcalmcash"
    "catschefcityclawcodecolacookcostcruxcurlcuspcyandarkdatadaysdelidicedietdoordowndrawdropdrumdull"
    "dutyeacheasyechoedgeepicevenexamexiteyesfactfairfernfigsfilmfishfizzflapflewfluxfoxyfreefrogfuel"
    "fundgalagamegeargemsgiftgirlglowgoodgraygrimgurugushgyrohalfhanghardhawkheathelphighhillholyhope"
    "hornhutsicedideaidleinchinkyintoirisironitemjadejazzjoinjoltjowljudojugsjumpjunkjurykeepkenokept"
    "keyskickkilnkingkitekiwiknoblamblavalazyleaflegsliarlimplionlistlogoloudloveluaulucklungmainmany"
    "mathmazememomenumeowmildmintmissmonknailnavyneednewsnextnoonnotenumbobeyoboeomitonyxopenovalowls"
    "paidpartpeckplaypluspoempoolposepuffpumapurrquadquizraceramprealredorichroadrockroofrubyruinruns"
    "rustsafesagascarsetssilkskewslotsoapsolosongstubsurfswantacotasktaxitenttiedtimetinytoiltombtoys"
    "triptunatwinuglyundouniturgeuservastveryvetovialvibeviewvisavoidvowswallwandwarmwaspwavewaxywebs"
    "whatwhenwhizwolfworkyankyawnyellyogayurtzapszerozestzinczonezoom"
)
_PAIRS = tuple(WORDS[i] + WORDS[i + 3] for i in range(0, len(WORDS), 4))
_BYTE = {pair: value for value, pair in enumerate(_PAIRS)}


def encode(raw: bytes) -> str:
    """Two lower-case letters for each byte of `raw` and of its CRC-32."""
    return "".join(_PAIRS[value] for value in raw + checksum(raw))


def decode(text: str) -> bytes:
    """The inverse of `encode`. Raises BadInput when a pair is none, nothing is left or the CRC-32 does not fit."""
    try:
        raw = bytes(_BYTE[text[i : i + 2]] for i in range(0, len(text), 2))
    except KeyError:
        raise BadInput(tr("The code is damaged: letters in it stand for nothing. Copy or scan it again."), code="Damaged") from None
    body, check = raw[:-4], raw[-4:]
    if not body or checksum(body) != check:
        raise BadInput(tr("The code is damaged: its checksum does not fit. Copy or scan it again."), code="Damaged")
    return body


def checksum(raw: bytes) -> bytes:
    return zlib.crc32(raw).to_bytes(4, "big")
