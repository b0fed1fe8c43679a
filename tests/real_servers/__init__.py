"""Real networks on loopback: what they are, how they start, and the weather between them and us."""
