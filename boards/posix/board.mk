# What these mean is in tools/build/boards.mk.
BOARD_IS := this machine: a program with a laptop's limits
BOARD_BUILT := program
BOARD_TESTED := as a program
BOARD_HARDWARE := it is one
PORT_DIRS := port/posix
