"""How a person is told of prompts outside their page: the ladder on their profile, and the links in messages."""
