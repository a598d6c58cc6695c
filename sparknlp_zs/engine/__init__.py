"""HOW a task is scored: encoding, batching, networks and the one scoring loop."""
