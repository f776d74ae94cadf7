"""The disk, and nothing else touches it for what is kept: files replaced whole and readable by the person alone, and the book (SQLite).
No secret is readable here (the vault comes as sealed bytes), no network, no Qt; what is read back is checked like anything from outside.

paths, atomic                       where things are kept, how a file is replaced
book, schema, records               accounts and grants; beside them in the same file: requests, readings, logs, endings, contracts,
                                    presets, pairings, carried
settings, machine                   the person's choices; what was said about this machine
journal, reports                    the program's log and reports of its faults: places and codes, never content
"""
