"""Tests against heavy peers and servers: `make engines` runs them, in an environment of its own.

What they need beyond the other tests is the dependency group `engines`. A test whose peer cannot be
had on a machine is skipped, with its name: `pytest.importorskip`, or a `skipif` with a reason.
"""
