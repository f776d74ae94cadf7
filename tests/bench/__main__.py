"""`make bench`: measures Latchkey beside its peers and writes docs/bench.md. Ends with 1 when a peer is not to be had.

`python -m tests.bench NAME ...` measures these subjects alone ("grants", "first-paint") and leaves the others on the page as they were.
"""

import os
import sys

from tests.bench import asking, carrying, first_paint, grants, large, sessions, starting
from tests.bench.report import PAGE, write
from tests.devnet.node import NpmUnavailable

SUBJECTS = {
    "grants": grants.measure,
    "large": large.measure,
    "first-paint": first_paint.measure,
    "starting": starting.measure,
    "idle": starting.measure_idle,
    "sessions": sessions.measure,
    "memory": sessions.measure_memory,
    "carrying": carrying.measure,
    "asking": asking.measure,
}


def main(names: list[str]) -> int:
    if unknown := set(names) - SUBJECTS.keys():
        print(f"bench: no such subject: {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    subjects = []
    for name in names or SUBJECTS:
        load = os.getloadavg()[0]
        try:
            measured = SUBJECTS[name]()
        except NpmUnavailable as error:
            print(f"bench: the npm packages cannot be installed, so there is nothing to compare with.\n{error}", file=sys.stderr)
            return 1
        for row in measured.rows:
            print(
                f"{measured.title}, {row.what}: {row.ours:,.0f} {row.unit} against {row.peer:,.0f} {row.unit}, ratio {row.ratio:.2f}"
            )
        subjects.append((measured, load))
        write(subjects)
    print(f"written: {PAGE.relative_to(PAGE.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
