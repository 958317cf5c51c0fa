"""The program that `pulumi up` runs: one stack of the declarations."""

from infra.program import build

build()
