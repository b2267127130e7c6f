"""Thin ROS 2 shells around the core: parameters, topics, one call in, one message out."""
