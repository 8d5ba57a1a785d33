"""Running a program on bytes that a stranger may have made: it reads its input, and writes its output.

A camera's bytes are decoded by FFmpeg, a large program in C, and the process that seals holds the key that
evidence is believed by. So the decoder is another process, and it is confined before it sees a byte:
:mod:`~archive.footage.confinement.launch` gives everything up and becomes the program, and
:mod:`~archive.footage.confinement.running` starts it, feeds it, and ends it when it goes past its bounds.
"""
