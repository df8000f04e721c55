"""The matrix of many runs: providers by host versions."""
