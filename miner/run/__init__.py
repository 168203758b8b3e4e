"""One mining run without a head: no terminal, no signal, no print."""
