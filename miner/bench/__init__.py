"""Measure this computer's hashrate and energy, and set it beside dated published figures."""
