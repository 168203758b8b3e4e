"""Stratum v1, the customary JSON protocol of pools."""
