"""A walk over the portal's pages in Chromium: each state as people see it, what is checked on it, and the company that fills it."""
