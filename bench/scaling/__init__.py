"""What a large catalogue would need: measured curves, fitted and extended, and a simulation of a query's path."""
