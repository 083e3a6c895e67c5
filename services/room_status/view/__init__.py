"""Projects the memory of meetings to the view that the portal reads."""
