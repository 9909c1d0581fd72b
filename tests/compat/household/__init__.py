"""Programs, phases and signals: the same configuration on a real uWSGI and on penstock, traces compared."""
