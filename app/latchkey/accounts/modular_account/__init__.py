"""Alchemy Modular Account V2 (ERC-6900). Offsets, selectors and rules from the protocol, checked against the canonical contracts.

build, judge, userop and ending make bytes; decode reads them and shares no layout code with those.
"""
