"""The use cases, one module each, for the window and the command line alike: what happens, in which order, and what a person is told of
it. Here vault, chain and store meet. No Qt, no sockets of its own; what takes time is called from a worker.

wizard, narrowing, presets, similar, granting, handing      from a request or from nothing to a signed grant that is handed over
approving, signing, foreign, devices, wallet_api, explain   what others made exact, wallets and services beside us
sessions, session_rows, pending, watch, naming              what is on the chain, and what is news
ending*, break_glass, request_endings                       taking power away
trying, checking, surroundings                              before it is signed
requests, bridge, bridge_sessions                           who asks, and what they are answered
keys, accounts, chains, network_trial, practice             the vault's file, accounts, networks, the practice chain
"""
