"""The pages of the window, and the sheets they open; one a module, named as the person sees it. Thin: a page asks `flow` on a worker and
shows what came of it. `NAME_rows`: texts made beforehand, off the UI thread; `NAME_list`: how they are drawn.
"""
