"""The names of the people that an answer names."""

from typing import Annotated

from pydantic import Field

People = Annotated[
    dict[str, str],
    Field(
        description="The name of each account that is named here as an actor, if it has one.",
        examples=[{"user:citra": "Citra Lestari"}],
    ),
]
