"""The test that an integration must pass before anybody may use it: it does the real thing once, and leaves nothing behind."""
