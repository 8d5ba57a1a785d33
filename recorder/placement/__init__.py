"""Who records which camera: hosts that are alive, an assignment that follows from them, and a safe handover.

``assignment`` decides, ``membership`` says which hosts live, ``desk`` says what this host records now,
``rhythm`` keeps asking it.
"""
