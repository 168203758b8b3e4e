"""getblocktemplate (BIP 22, 23, 9, 145) without input or output."""
