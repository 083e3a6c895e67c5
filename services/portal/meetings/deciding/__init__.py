"""Pure: prompts, room choices, and their shapes in JSON and on pages."""
