"""Where jobs come from and shares go: nodes, pools, fixed headers."""
