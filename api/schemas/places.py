"""The areas of a city as JSON."""

from typing import Literal

from pydantic import BaseModel, Field


class KelurahanOut(BaseModel):
    """A kelurahan, and how many cameras stand there."""

    code: str = Field(examples=["73.71.04.1005"])
    name: str = Field(examples=["Baru"])
    level: Literal["kelurahan"]
    cameras: int = Field(examples=[2])


class KecamatanOut(BaseModel):
    """A kecamatan with its kelurahan. ``cameras`` also counts those whose kelurahan is not listed."""

    code: str = Field(examples=["73.71.04"])
    name: str = Field(examples=["Ujung Pandang"])
    level: Literal["kecamatan"]
    cameras: int = Field(examples=[5])
    kelurahan: list[KelurahanOut]


class CityOut(BaseModel):
    """A city with its kecamatan."""

    code: str = Field(examples=["73.71"])
    name: str = Field(examples=["Kota Makassar"])
    level: Literal["city"]
    cameras: int = Field(examples=[77])
    kecamatan: list[KecamatanOut]


class UnlistedOut(BaseModel):
    """A kecamatan that the table of areas lacks, and how many cameras name it."""

    code: str = Field(examples=["73.09.05"])
    cameras: int = Field(examples=[1])


class PlacesOut(BaseModel):
    """The areas by code, and what the table lacks."""

    cities: list[CityOut]
    unlisted: list[UnlistedOut]
