"""Requests: filing with a hold, decisions by another person, papers, and what follows from them.

``transitions``  who may do what in which state: the one table
``transitions``  who may do what in which state: the one table
``form``         what a person filled in, checked field by field
``limits``       camera-hours of a request and of an agency
``stream``       every change is one compare-and-append; ``service`` joins all parts
``filing``       what the agency does
``deciding``     what the War Room does
``job``          requests packages, releases holds by rule, and holds of requests that were never filed
``separation``   whether an approval is valid; the job that seals checks it again
``attachments``  papers: identified, bounded, hashed, stored; ``sniffing`` recognizes a PDF by its bytes
``facts``        what a package states about its request
``book``         all requests, newest state; ``answers`` as JSON
"""
