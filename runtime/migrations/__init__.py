"""The database's versions, in order. `runtime.db.upgrade` applies them; `env.py` says how to write one."""
