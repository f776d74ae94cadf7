"""Bytes to text and back: hand-over, files, links, UR parts, QR pictures, and the one door for what comes in (`inbox`).

Hostile input: everything is capped in size, depth and count, read whole or not at all, and refused with a sentence. No disk, no network,
no Qt.

inbox, requests, text, fields               the one door, and what it reads
hand_over, wire, cbor, link, files          our own envelope: as CBOR, JSON, link, file
ur, bytewords, qr                           codes, one or animated
eip4527, hdkeys, eip681, wallet_api         how other wallets, devices and services say it
"""
