"""Pure: checks what is entered of an endpoint, and shapes what is shown of it."""
