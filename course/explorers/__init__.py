"""Explorers: each wires controls to a picture. Science and drawing live elsewhere."""
