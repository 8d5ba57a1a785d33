"""Confinement: a program runs on untrusted bytes, and can only read its input and write its output.

FFmpeg, a large program in C, decodes a camera's bytes. The process that seals holds the key on which the
trust in evidence rests. So the decoder is another process, confined before it sees a byte:
:mod:`~archive.footage.confinement.launch` gives up all rights and becomes the program, and
:mod:`~archive.footage.confinement.running` starts it, feeds it, and ends it when it exceeds its bounds.
"""
