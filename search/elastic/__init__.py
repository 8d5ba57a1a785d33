"""The city index: Elasticsearch 9, in the core distribution or any other."""

from search.elastic.adapter import ElasticIndex, connect_elastic
from search.elastic.address import Access

__all__ = ["Access", "ElasticIndex", "connect_elastic"]
