"""One person's meetings as the view has them, joined with what is read live; used by every page about meetings."""
