"""What Facebook Pages and Instagram share: one Graph API, one way of erring, one signature."""
