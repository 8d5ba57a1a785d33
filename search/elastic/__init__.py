"""The city index: Elasticsearch 9, in the core distribution or any other."""

from search.elastic.adapter import ElasticIndex, connect_elastic

__all__ = ["ElasticIndex", "connect_elastic"]
