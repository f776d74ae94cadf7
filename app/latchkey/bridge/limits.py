"""Every cap of the bridge in one place. What is over one is refused with a sentence, or cut off where nobody would hear it."""

from __future__ import annotations

from latchkey.core.untrusted import MAX_BYTES

BODY = MAX_BYTES  # bytes of one call, over HTTP and in a WebSocket message; depth and count are core.untrusted's
ANSWER = 900_000  # bytes of one answer: a frame holds 1 MiB
LINE, FIELD, HEADERS = 2048, 4096, 64  # of an HTTP head

CONNECTIONS = 96  # at once, in all; when full, the oldest that asks nothing makes room, then the oldest that was not let in
PER_VISITOR = 12  # calls and sockets of one origin (or one program) at once
SOCKETS = 4  # of those, WebSockets
IN_FLIGHT = 8  # calls of one WebSocket
OVER = 100  # messages of one in a row that are over its rate, pings too; then it is cut off
FILES = 512
MEMORY = 1 << 30

HEAD_SECONDS = 20  # for a connection to say something, and between two of its calls
BODY_SECONDS = 10
LINGER_SECONDS = 1.0
STRANGER_SECONDS = 300  # for a socket to be paired
PULSE_SECONDS = 15  # a sign of life in a long answer, and a socket's ping
PATIENCE_SECONDS = 1.0  # after which an answer counts as long

ASK_SECONDS = 20  # the window's time for what no person is asked
QUESTION_SECONDS = 3600  # a person's time
ASKS = 64  # of the window at once

RATE, BURST = 20.0, 60.0  # calls a second and at a stretch: of one that is paired
STRANGER_RATE, STRANGER_BURST = 4.0, 20.0
PAIR_RATE, PAIR_BURST = 1 / 20, 3.0
VISITORS = 512  # remembered for their rates

TOKEN = 256  # characters of a token at most
ORIGIN = 253 + 32  # a host name, scheme and port
ID = 128  # characters of a call's id
