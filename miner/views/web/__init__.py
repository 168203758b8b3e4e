"""The web view: page, JSON APIs and metrics, in the listeners' thread (extra `web`)."""
