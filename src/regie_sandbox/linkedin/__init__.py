"""LinkedIn's sandbox: Pages and members."""
