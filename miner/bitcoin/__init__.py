"""Bitcoin's own rules and formats: pure functions and values, no input or output."""
