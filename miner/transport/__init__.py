"""The only modules that open sockets to a pool or node."""
