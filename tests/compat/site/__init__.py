"""Files, rules, touches of replies and several applications, on uWSGI and on penstock."""
