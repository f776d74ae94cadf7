"""Scanning: codes held before a camera, shown on the screen, or in a picture.

    dialog      what a person sees of it: scan(context, parent, expected, done)
    gathering   what the texts of one picture after another amount to; knows no Qt
    reader      looks for codes in the newest picture of a source, off the UI thread
    capture     cameras, windows and (under Wayland) screens, through QtMultimedia, loaded when first wanted
    screen      pictures of the screen; region, strip: choosing a part of it, and what is left of the window meanwhile
    pictures    files, drops and the clipboard

A source gives pictures when it is asked (`Source`), so there is never more than one in hand and never an old one.
"""

from PySide6.QtCore import QLoggingCategory

from latchkey.language import tr

NO_MULTIMEDIA = tr("This installation came without the part of Qt that speaks to cameras.")

# Which libraries for films there are not, and which for cameras there are, is no news. QtMultimedia tells it while it is loaded.
QLoggingCategory.setFilterRules("qt.multimedia.symbolsresolver=false\nqt.multimedia.ffmpeg.info=false")
