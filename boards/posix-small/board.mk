# The POSIX port with the limits of a small board.
PORT_DIRS := port/posix
