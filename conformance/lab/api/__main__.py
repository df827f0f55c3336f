"""``python -m conformance.lab.api``."""

from conformance.lab.api.main import main

main()
