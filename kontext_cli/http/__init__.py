"""HTTP: what may go where, retries, time limits, and the exchange itself."""
