"""Screens: functions of a StatusSnapshot and nothing else."""
