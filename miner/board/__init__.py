"""One board for many miners: asks each in its own language, reads only, gives no orders."""
