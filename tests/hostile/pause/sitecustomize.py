"""Has a program wait before it first calls the function that PAUSE_AT names, `module:Class.method`.

It prints `paused`, and goes on when it is given a line.
"""

import importlib
import os
import sys
from typing import Any

if _place := os.environ.get("PAUSE_AT"):
    _module, _, _path = _place.partition(":")
    _class, _, _method = _path.partition(".")
    _owner = getattr(importlib.import_module(_module), _class)
    _call = getattr(_owner, _method)

    def _pause(*args: Any, **options: Any) -> Any:
        setattr(_owner, _method, _call)
        print("paused", flush=True)
        sys.stdin.readline()
        return _call(*args, **options)

    setattr(_owner, _method, _pause)
