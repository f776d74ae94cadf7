"""The window, and the only room with Qt. It shows and asks; what is right or allowed is decided in flow and core, and no secret comes
here: those are typed and shown at the desk (desk/), in a process of its own.

app, window, rail, context, tasks       the start, the frame, what every page is given, work off the UI thread
pages/                                  one page or sheet a module, a thin face of flow
widgets/, theme, palette, icons         what pages are made of
scan/                                   codes from cameras, screens and pictures
lock, use, suspend                      when the keys are locked
bridging, watching, resuming, tray      what goes on while no page is looked at
faults, fault_dialog, notices           what a person has to know when something went wrong
"""
