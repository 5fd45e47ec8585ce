"""One exchange with a server: what may be sent where, when to try again, and the sending itself."""
