"""The database's versions, in order. `runtime.schema.upgrade` applies them; `env.py` tells how to add one."""
