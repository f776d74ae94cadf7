"""What everything else speaks of: permissions, drafts, grants, sessions, endings; their rules and their words. Pure: no Qt, disk, network
or clock (the time is an argument), and nothing of Latchkey but errors, language and what ships with it.

types, account, permissions, request, draft, grant, reading, session, ending    values
risk*       the rules they are held against: findings
words*      the only place that says in sentences what a power is; phrases: sentences as data
narrow      a request may be cut down, never widened
untrusted   the one way to read JSON from outside
"""
