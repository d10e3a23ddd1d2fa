"""What the entries of the record say of every other row, and the rows held against it.

- `check`: hears every entry once, then looks at the rows; all that the rest of the record uses.
- `story`, `book`: what is known so far, and one table's rows in it; `values`: what a column may hold.
- `actions`, `words`: actions with what they use up; what waits for people, and what they said.
- `agents`, `people`, `power`, `memory`, `alerts`, `rollout`, `machine`: the tables of each of these.
- `apart`: rows that only many entries together speak of.
"""
