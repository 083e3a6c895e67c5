"""Pure: checks what is entered of a chat channel, and shapes what is shown of it."""
