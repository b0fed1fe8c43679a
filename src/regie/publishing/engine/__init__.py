"""The engine: claims what is due, writes down what it is about to say, says it once, finds out what it cannot know."""
