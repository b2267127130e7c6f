"""From a waypoint to velocity, and the rules of the gate that velocity must pass."""
