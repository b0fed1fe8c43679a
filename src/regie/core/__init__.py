"""What every app stands on: clock, sealed secrets, guarded requests, embedded database. Knows no other app."""
