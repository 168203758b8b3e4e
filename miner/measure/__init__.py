"""Measure this computer's hashrate and energy so that the figure can be trusted and checked."""
