"""The practice chain, and the only room besides the bridge that may reach a network: loopback, and the RPC a person names to copy from."""
