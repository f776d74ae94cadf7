"""Bytes to text and back: hand-over, files, links, UR parts, QR pictures, and the one door for what comes in (`inbox`).

Hostile input: everything is capped in size, depth and count, read whole or not at all, and refused with a sentence.
"""
