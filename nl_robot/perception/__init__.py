"""From camera frames and laser scans to sightings and waypoints."""
