"""The ways of telling somebody, each a small adapter behind one port."""
