"""A D-Bus message bus of its own for tests, and nobody's but theirs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# No service directories: a daemon that is killed stays dead instead of being started again.
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>{}</policy></busconfig>"""


@contextmanager
def message_bus(place: Path, policy: str = "") -> Iterator[str]:
    """Its address. `place`: for its socket. `policy`: further rules, as the configuration has them."""
    config = place / "bus.conf"
    config.write_text(_CONFIG.format(place, policy))
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as daemon:
        assert daemon.stdout is not None
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.kill()


def wait_for_name(address: str, name: str) -> None:
    """Until somebody on the bus goes by this name."""
    asked = ["dbus-send", f"--bus={address}", "--dest=org.freedesktop.DBus", "--print-reply", "/", "org.freedesktop.DBus.ListNames"]
    wait_until(lambda: name.encode() in subprocess.run(asked, capture_output=True, check=False).stdout)


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
