"""Views: functions of the state tree and of events, and nothing else."""
