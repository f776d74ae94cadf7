"""The network, and no other room but the bridge has one: the RPCs and bundlers a person has named, Alchemy's Wallet APIs if asked for, and
the practice chain on loopback. It fetches and sends; what the answers mean is said by `accounts`. No Qt, no book, no key.

node, wire, probe                       an RPC: requests in batches, patience, what it can do
reading, logs, sequences, vouch         sessions and event logs, read at one block, checked against a second RPC
simulate, refusals, reasons             trying a call without sending it, and why it is refused
send, bundler, entry_point, operations, fees        what goes out, paid by whom
surroundings                            what the chain says around a grant
wallet_api                              the service that compiles sessions
practice, anvil, rpc, clone, places, dapp           the practice chain
outgoing                                every request the program can make, as a list for the person
"""
