"""What uWSGI and penstock write down of the same requests."""
