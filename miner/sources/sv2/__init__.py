"""What Stratum v2 needs of the world: links, sessions of pools, and template providers."""
