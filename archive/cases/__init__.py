"""Who asks, who decides, who receives.

``requests`` for footage and their decisions, ``handover`` of sealed packages, ``people`` with their grants,
and ``notices`` to those who must hear of something.

May import ``evidence`` and what stands before it. Keeps the separation of duties: three people ask, approve
and hand over.
"""
