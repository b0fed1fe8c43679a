"""Pages of organizations on LinkedIn, and members."""
