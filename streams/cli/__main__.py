"""`python -m streams.cli`: the command `lineage`, where its script is not on the PATH."""

from streams.cli.app import main

main()
