"""
Plays the guides of docs/try-*.md against the simulator, from their own text; only the addresses are replaced.

What a guide has to be written like, so that it is read here and by people alike:

- A step is a heading of the second level that begins with a number: `## 3. Make a secret`.
- What is to be done stands in fenced blocks and in numbered lists, one act an item. Everything else explains, and is not read.
    - A block `sh` is run in the reader's terminal; `sh stays` in one of its own, where it keeps running.
    - A block `env` is lines of `.env`: a name that stands there already is replaced. `<client ID>` is what a console has shown.
    - Items are sentences of the forms in `acts.py`; a table below an item holds the fields of a form.
- `> **You see** …`: everything in it that is bold or code has to appear, in the terminal's output or on the page.
- `> **Undo** …` says how to take the step back.

A block of any other kind, an act that nobody can read and a text that does not appear fail the walk.
"""
