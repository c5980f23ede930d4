"""Jobs as plain processes on this host. Imports nothing: each job's supervisor starts through here."""
