"""Requests: filing with a hold, decisions by another person, papers, and what follows from them.

``transitions``  who may do what in which state: the one table
``form``         what somebody filled in, judged field by field
``limits``       camera-hours of a request and of an agency
``stream``       every change is one compare-and-append; ``service`` has all parts together
``filing``       what the agency does
``deciding``     what the War Room does
``following``    the job: packages asked for, holds released by rule, holds of requests that never were
``separation``   whether an approval holds, as whoever seals must see it again
``attachments``  papers: sniffed, bounded, hashed, stored; ``sniffing`` tells a PDF from what is called one
``facts``        what a package says of its request
``book``         all requests, newest state; ``answers`` as JSON
"""
