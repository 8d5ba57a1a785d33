"""Several processes behind one port: what they share lies with their parent, which each asks over a socket.

A worker that is killed closes its sockets, and the parent frees what it held: so no lock outlives its holder.
"""
