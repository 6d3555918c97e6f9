# The POSIX port with a limits of a small board.
PORT_DIRS := port/posix
