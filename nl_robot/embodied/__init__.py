"""The simulated robot as a whole, without ROS: homes, senses, language and the agent together."""
