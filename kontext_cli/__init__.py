"""kontext: make and edit images with FLUX.1 Kontext from the command line."""

__version__ = "0.1.0"
