"""What a deployment needs besides the flows."""
