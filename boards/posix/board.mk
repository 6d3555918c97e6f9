# The POSIX port with a laptop's limits.
PORT_DIRS := port/posix
