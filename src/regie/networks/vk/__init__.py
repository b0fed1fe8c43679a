"""VK, API 5.199: the wall, the stories and the messages of a community."""
