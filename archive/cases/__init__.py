"""Who asks, who decides, who receives.

``requests`` holds requests for footage and the decisions on them. ``handover`` hands sealed packages over.
``people`` holds accounts and grants. ``notices`` informs people.

May import ``evidence`` and the rooms before it. Keeps the separation of duties: three people ask, approve and
hand over.
"""
