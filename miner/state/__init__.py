"""What a run is and was: typed events, the snapshot tree, rates, luck and history."""
