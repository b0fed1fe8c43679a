"""Local networks that speak the vendors' own protocols: the demo, the test bed, the training ground."""
