"""One small plugin for each client that a vendor's plugin may speak to its API with."""
