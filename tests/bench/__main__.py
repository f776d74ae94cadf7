"""`make bench`: measures Latchkey beside its peers and writes docs/bench.md. Ends with 1, writing nothing, when a peer is not to be had."""

import os
import sys

from tests.bench import carrying, first_paint, grants, large, sessions
from tests.bench.node import CannotInstall
from tests.bench.report import PAGE, write
from tests.devnet.node import NpmUnavailable


def main() -> int:
    load, subjects = os.getloadavg()[0], []
    for measure in (
        grants.measure,
        large.measure,
        first_paint.measure,
        sessions.measure,
        sessions.measure_memory,
        carrying.measure,
    ):
        try:
            measured = measure()
        except (CannotInstall, NpmUnavailable) as error:
            print(f"bench: the npm packages cannot be installed, so there is nothing to compare with.\n{error}", file=sys.stderr)
            return 1
        for row in measured.rows:
            print(
                f"{measured.title}, {row.what}: {row.ours:,.0f} {row.unit} against {row.peer:,.0f} {row.unit}, ratio {row.ratio:.2f}"
            )
        subjects.append(measured)
    write(subjects, load)
    print(f"written: {PAGE.relative_to(PAGE.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
