"""The database's versions, in order. `runtime.schema.upgrade` applies them; `env.py` says how to write one."""
