"""Has a program take the time of day to be another: SECONDS_OFF says by how much."""

import os
import time

_OFF = int(os.environ.get("SECONDS_OFF", "0"))
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + _OFF
time.time_ns = lambda: _time_ns() + _OFF * 10**9
